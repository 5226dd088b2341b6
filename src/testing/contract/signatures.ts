import assert from 'node:assert/strict'
import { signedRequest } from '../../samples/signed-request.ts'
import { assertAnswered, assertRefused, type ContractCase } from './case.ts'
import { deliver, send } from './client.ts'
import { contractSecret, rotatedSecrets } from './mounts.ts'

export const signatureCases: ContractCase[] = [
  {
    id: 'signed',
    name: 'accepts a delivery with a valid signature',
    run: async (host) => assertAnswered(await deliver(host, 'plain', 'ping'), 200, 'pong'),
  },
  {
    id: 'signed-sha1',
    name: 'accepts a delivery that is signed with SHA-1 only',
    run: async (host) => assertAnswered(await deliver(host, 'plain', 'ping', { algorithms: ['sha1'] }), 200, 'pong'),
  },
  {
    id: 'sha1-rejected',
    name: 'ignores SHA-1 if signatureAlgorithms excludes it',
    async run(host) {
      assertAnswered(await deliver(host, 'sha256', 'ping'), 200, 'pong')
      assertRefused(await deliver(host, 'sha256', 'ping', { algorithms: ['sha1'] }), 400, 'missing_signature')
    },
  },
  {
    id: 'unsigned',
    name: 'rejects a delivery without a signature',
    async run(host) {
      const { secret: _, ...unsigned } = { secret: contractSecret, headers: {} }
      const delivery = signedRequest('ping', unsigned)
      const answer = await send(host, { path: '/contract/plain', ...delivery })
      assertRefused(answer, 400, 'missing_signature')
      // Flask-Hookserver, the predecessor of hookserver, replied with the same text.
      assert.equal(JSON.parse(answer.text).detail, 'Missing signature')
    },
  },
  {
    id: 'wrong-secret',
    name: 'rejects a signature made with another secret',
    async run(host) {
      const answer = await deliver(host, 'plain', 'ping', { secret: 'another' })
      assertRefused(answer, 400, 'wrong_signature')
      assert.equal(JSON.parse(answer.text).detail, 'Wrong signature')
    },
  },
  {
    id: 'tampered',
    name: 'rejects a body that was changed in transit',
    async run(host) {
      const { body } = signedRequest('ping')
      assertRefused(await deliver(host, 'plain', 'ping', { body: `${body} ` }), 400, 'wrong_signature')
      assertRefused(await deliver(host, 'plain', 'ping', { body: '' }), 400, 'wrong_signature')
    },
  },
  {
    id: 'strongest-counts',
    name: 'checks only X-Hub-Signature-256 if it is present, even if X-Hub-Signature is valid',
    async run(host) {
      for (const stronger of ['', 'sha256=', `sha256=${'0'.repeat(64)}`]) {
        const answer = await deliver(host, 'plain', 'ping', { headers: { 'x-hub-signature-256': stronger } })
        assertRefused(answer, 400, 'wrong_signature')
      }
    },
  },
  {
    id: 'malformed-signature',
    name: 'rejects a malformed signature',
    async run(host) {
      const right = signedRequest('ping', { secret: contractSecret }).headers['x-hub-signature-256'] as string
      const malformed = [
        right.slice(0, -1),
        `${right}00`,
        right.slice('sha256='.length),
        right.replace('256', '512'),
        `${right}, ${right}`,
        'sha256',
        '=',
        'x',
      ]
      for (const signature of malformed) {
        const answer = await deliver(host, 'plain', 'ping', { headers: { 'x-hub-signature-256': signature } })
        assertRefused(answer, 400, 'wrong_signature')
      }
    },
  },
  {
    id: 'rotation',
    name: 'accepts any of several secrets and reports which one',
    async run(host) {
      for (const [index, secret] of rotatedSecrets.entries()) {
        const answer = await deliver(host, 'rotation', 'issues.opened', { secret })
        assert.equal(JSON.parse(answer.text).secretIndex, index)
      }
      assertRefused(await deliver(host, 'rotation', 'ping'), 400, 'wrong_signature')
    },
  },
  {
    id: 'no-secret',
    name: 'answers 503 if no secret is available for a delivery',
    run: async (host) => assertRefused(await deliver(host, 'unresolved', 'ping'), 503, 'secret_unavailable'),
  },
  {
    id: 'signatures-off',
    name: 'accepts unsigned deliveries if validateSignature is off',
    async run(host) {
      const delivery = signedRequest('ping')
      assertAnswered(await send(host, { path: '/contract/unsigned', ...delivery }), 200, 'pong')
    },
  },
]
