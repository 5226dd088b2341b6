import { expect, test } from 'vitest'
import { proofFindings } from '../../../src/github/webhooks/proof-findings.ts'
import type { SecretProof } from '../../../src/github/webhooks/secret-proof.ts'

const secrets = { values: ['a secret'], source: 'webhook-secrets', file: 'webhook-secrets' }
const context = { secrets, repair: 'set it again', withoutProof: 'the log is empty', now: 2000 }

test.each([
  ['Invalid HTTP Response: 403', /--trust-proxy/],
  ['Invalid HTTP Response: 404', /^correct the path/],
  ['Invalid HTTP Response: 500', /^start the server/],
  ['failed to connect to host', /^start the server/],
])('a ping that failed with "%s" names the fix', (status, cure) => {
  const delivery = { event: 'ping', deliveredAt: 1000, status } as SecretProof['delivery']
  const [, receiver] = proofFindings({ signedWith: 'our secret', index: 0, receiver: 'failed', delivery }, context)
  expect(receiver).toMatchObject({ what: 'receiver', state: 'warning', cure: expect.stringMatching(cure) })
})
