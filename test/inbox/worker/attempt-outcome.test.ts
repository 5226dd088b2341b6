import { expect, test } from 'vitest'
import { attemptsExhausted, failureOutcome, successOutcome } from '../../../src/inbox/worker/attempt.ts'
import { Discard, Retry, Unrecoverable } from '../../../src/thrown.ts'

const now = 1_000_000
const error = new Error('the reason')
const retryAfter = { response: { headers: { 'retry-after': '0' } } }

test.each([
  ['an error before the last attempt', error, 2, 3, { outcome: 'failed' }],
  ['an error in the last attempt', error, 3, 3, { outcome: 'dead', nextAt: undefined }],
  ['Retry before the last attempt', new Retry({ after: 7 }), 1, 3, { outcome: 'failed', nextAt: now + 7 }],
  ['Retry in the last attempt', new Retry({ after: 7 }), 3, 3, { outcome: 'dead', nextAt: undefined }],
  ['an HTTP error with Retry-After', retryAfter, 1, 3, { outcome: 'failed', nextAt: now }],
  ['Unrecoverable', new Unrecoverable('archived'), 1, 3, { outcome: 'dead', nextAt: undefined }],
  ['Discard', new Discard('a fork'), 1, 3, { outcome: 'discarded', error: 'a fork', nextAt: undefined }],
  ['Discard in the last attempt', new Discard('a fork'), 3, 3, { outcome: 'discarded', error: 'a fork' }],
])('a handler that throws %s', (_name, thrown, attemptsUsed, attempts, outcome) => {
  const result = failureOutcome(thrown, { attemptsUsed, attempts, backoff: undefined, now })
  expect({ nextAt: undefined, ...result }).toMatchObject({ ...outcome, thrown })
})

test.each([
  [1, 100, 50, 100],
  [2, 100, 150, 300],
  [3, 100, 450, 900],
  [1, undefined, 2500, 5000],
])('attempt %i with a backoff of %s ms is retried after %i to %i ms', (attemptsUsed, backoff, min, max) => {
  const { nextAt = 0 } = failureOutcome(error, { attemptsUsed, attempts: 12, backoff, now })
  expect(nextAt - now).toBeGreaterThanOrEqual(min)
  expect(nextAt - now).toBeLessThanOrEqual(max)
})

test('a handler that returns has succeeded', () => {
  expect(successOutcome({ ok: true })).toEqual({ outcome: 'succeeded', result: '{"ok":true}' })
})

test('a task without attempts left is dead', () => {
  expect(attemptsExhausted(3)).toMatchObject({ outcome: 'dead', thrown: expect.any(Error) })
})
