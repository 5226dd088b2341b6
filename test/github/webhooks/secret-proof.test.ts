import { describe, expect, test } from 'vitest'
import type { LoggedAttempt } from '../../../src/github/delivery-log.ts'
import { secretProof } from '../../../src/github/webhooks/secret-proof.ts'
import { signedRequest } from '../../../src/samples/signed-request.ts'

const payload = { zen: 'Grüße 🚀 </script> \u001b \\u001b', hook: { config: { secret: '********' } } }

/**
 * The proof from a delivery. GitHub signed the text `json` with `secret`. This text may differ from
 * `JSON.stringify(payload)`, for example in white space.
 */
function proofOf({ secret = 'new', json = JSON.stringify(payload), form = false, status = 200, answer = '' }) {
  const { headers } = signedRequest('ping', { ...(secret && { secret }), payload: json, form })
  const shown = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]))
  const attempt = { id: '1', statusCode: status, ok: status < 300 } as LoggedAttempt
  const exchange = {
    request: { headers: shown, payload: JSON.stringify(payload) },
    response: { headers: {}, payload: answer },
  }
  return secretProof(attempt, exchange, ['new', 'old'])
}

describe('a signature proves the secret', () => {
  test.each([
    ['of JSON', {}, 0],
    ['of a form', { form: true }, 0],
    ['of an older secret', { secret: 'old' }, 1],
    ['of JSON with upper-case escapes', { json: JSON.stringify(payload).replace(' \\u001b', ' \\u001B') }, 0],
    ['although the receiver failed', { status: 502 }, 0],
  ])('%s', (_, given, index) => {
    expect(proofOf(given)).toMatchObject({ signedWith: 'our secret', index })
  })
})

test('a signature of another secret, or of JSON that cannot be reproduced, proves nothing', () => {
  expect(proofOf({ secret: 'other' })).toMatchObject({ signedWith: 'unknown', index: undefined })
  expect(proofOf({ json: JSON.stringify(payload, undefined, 2) })).toMatchObject({ signedWith: 'unknown' })
})

test('a delivery without a signature proves that there is no secret', () => {
  expect(proofOf({ secret: '' })).toMatchObject({ signedWith: 'no secret' })
})

test.each([
  [202, 'Accepted', 'accepted'],
  [400, 'Wrong signature', 'wrong_signature'],
  [400, '{"code":"missing_signature"}', 'missing_signature'],
  [400, 'Missing header: X-GitHub-Event', 'failed'],
  [502, '', 'failed'],
])('the verdict of a receiver that answers %i %s', (status, answer, receiver) => {
  expect(proofOf({ status, answer })).toMatchObject({ receiver })
})
