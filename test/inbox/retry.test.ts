import { RequestError } from 'octokit'
import { describe, expect, test } from 'vitest'
import { defaultAttempts, expiredLeaseDelay, requestedDelay, retryDelay } from '../../src/inbox/retry.ts'
import { Discard, Retry } from '../../src/thrown.ts'
import { day, hour, minute, second } from '../receiver/fixtures.ts'

/** The longest delay after each failure that is followed by another attempt. */
const longest = Array.from({ length: defaultAttempts - 1 }, (_, index) => Math.min(5 * second * 3 ** index, 6 * hour))
const almostOne = 1 - Number.EPSILON

describe('the delay after a lease has expired', () => {
  const policy = { name: 'deploy', backoff: 1000, attempts: 3 }
  const withoutAttempts = { name: 'of a release that stored no attempts', backoff: 1000 }

  test.each([
    ['that of the first failure', 1, policy, 500, 1000],
    ['that of the second failure', 2, policy, 1500, 3000],
    ['0 after the last attempt', 3, policy, 0, 0],
    ['0 after more attempts than the policy has', 4, policy, 0, 0],
    ['positive by the default policy if the policy is unknown', defaultAttempts - 1, undefined, 1, 6 * hour],
    ['0 after the last attempt of the default policy', defaultAttempts, undefined, 0, 0],
    ['0 after the last default attempt if the policy has no limit', defaultAttempts, withoutAttempts, 0, 0],
  ])('is %s', (_name, attemptsUsed, ofHandler, min, max) => {
    const delay = expiredLeaseDelay(attemptsUsed, ofHandler)
    expect(delay).toBeGreaterThanOrEqual(min)
    expect(delay).toBeLessThanOrEqual(max)
  })
})

describe('the delay of a retry', () => {
  test('is 11 to 23 hours in total over twelve attempts', () => {
    expect(defaultAttempts).toBe(12)
    const sum = longest.reduce((total, delay) => total + delay, 0)
    expect([sum / 2 / hour, sum / hour].map(Math.round)).toEqual([11, 23])
  })

  test('starts at 5 s, triples, and ends at 6 h', () => {
    expect(longest.map((delay) => delay / second)).toEqual([
      5, 15, 45, 135, 405, 1215, 3645, 10_935, 21_600, 21_600, 21_600,
    ])
    for (const [index, delay] of longest.entries()) {
      expect(retryDelay(index + 1, undefined, almostOne)).toBe(delay)
      expect(retryDelay(index + 1, undefined, 0)).toBe(Math.round(delay / 2))
      expect(retryDelay(index + 1, undefined, 0.5)).toBe(Math.round(delay * 0.75))
    }
  })

  test('is drawn at random from the upper half of the range', () => {
    const delays = Array.from({ length: 100 }, () => retryDelay(8))
    for (const delay of delays) {
      expect(delay).toBeGreaterThanOrEqual(10_935 * (second / 2))
      expect(delay).toBeLessThanOrEqual(10_935 * second)
    }
    expect(new Set(delays).size).toBeGreaterThan(50)
  })

  test.each([
    [1, 100, 100],
    [3, 100, 900],
    [1, 2 ** 31 - 1, 6 * hour],
    [12, undefined, 6 * hour],
    [1000, undefined, 6 * hour],
    [1e9, undefined, 6 * hour],
  ])('after failure %i with a backoff of %s ms is at most %i ms', (failures, backoff, max) => {
    expect(retryDelay(failures, backoff, almostOne)).toBe(max)
  })
})

describe('Retry', () => {
  test.each([
    ['its own delay', new Retry({ after: minute }), minute],
    ['no delay', new Retry({ after: 0 }), 0],
    ['a fraction of a millisecond', new Retry({ after: 0.5 }), 0.5],
    ['the backoff of the handler without a delay', new Retry(), undefined],
    ['the backoff of the handler with empty options', new Retry({}), undefined],
    ['the delay of another copy of the package', { name: 'Retry', after: 7 }, 7],
    ['the backoff of the handler for a delay that is text', { name: 'Retry', after: '7' }, undefined],
    ['the backoff of the handler for a negative delay', { name: 'Retry', after: -7 }, undefined],
    ['the backoff of the handler for NaN', { name: 'Retry', after: Number.NaN }, undefined],
    ['the backoff of the handler for an infinite delay', { name: 'Retry', after: Number.POSITIVE_INFINITY }, undefined],
    ['the backoff of the handler for another copy without a delay', { name: 'Retry', after: undefined }, undefined],
  ])('asks for %s', (_name, thrown, delay) => {
    expect(requestedDelay(thrown, 0, almostOne)).toBe(delay)
  })

  test('is an error with a name, a message and a cause', () => {
    const cause = new Error('why')
    expect(new Retry({ cause })).toMatchObject({ name: 'Retry', message: 'The handler asked for a retry', cause })
    expect(new Retry({ message: 'later' })).toBeInstanceOf(Error)
    expect(new Retry({ message: 'later' }).message).toBe('later')
  })

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '5', null, {}])('rejects a delay of %s', (after) => {
    expect(() => new Retry({ after: after as number })).toThrow(TypeError)
    expect(() => new Retry({ after: after as number })).toThrow(`"after" must be`)
  })

  test('takes precedence over the headers of its cause', () => {
    const thrown = Object.assign(new Retry(), { response: { headers: { 'retry-after': '9' } } })
    expect(requestedDelay(thrown, 0)).toBeUndefined()
  })
})

test('Discard is an error with a reason', () => {
  expect(new Discard('a fork')).toMatchObject({ name: 'Discard', message: 'a fork' })
  expect(new Discard()).toBeInstanceOf(Error)
  expect(new Discard().message).not.toBe('')
})

/** What Octokit throws for a response with these headers. */
function requestError(headers: Record<string, string>, status = 403): RequestError {
  const url = 'https://api.github.com/user'
  const request = { method: 'GET', url, headers: {} } as const
  return new RequestError('Forbidden', status, { request, response: { status, url, data: {}, headers } })
}

describe('Retry-After of an HTTP error', () => {
  const now = Date.parse('2024-10-27T07:00:00Z')
  const delayOf = (error: unknown) => requestedDelay(error, now, 0)
  const octokit = (value: unknown) => requestError({ 'retry-after': value as string })

  test.each([
    ['60', minute],
    [60, minute],
    ['0', 0],
    ['Sun, 27 Oct 2024 07:05:00 GMT', 5 * minute],
    ['Sun, 27 Oct 2024 06:59:59 GMT', undefined],
    ['86400', day],
    ['86401', day],
    ['9'.repeat(400), day],
    ['Sun, 27 Oct 2999 07:05:00 GMT', day],
  ])('of %j is a delay of %s ms', (value, delay) => {
    expect(delayOf(octokit(value))).toBe(delay)
  })

  const headers = new Headers({ 'Retry-After': '60' })
  test.each([
    ['web Headers', { response: { headers } }],
    ['a web Response', { response: new Response(null, { headers }) }],
    ['headers of the error', { headers: { 'retry-after': '60' } }],
    ['headers of the error, next to a response without headers', { response: {}, headers }],
    ['headers of the error, next to a response that is null', { response: null, headers }],
  ])('is read from %s', (_name, error) => {
    expect(delayOf(error)).toBe(minute)
  })

  test.each(['', ' ', 'soon', '-5', '1.5', '5s', 'NaN', {}, ['5'], null, true, undefined])(
    'is ignored if it is %j',
    (value) => expect(delayOf(octokit(value))).toBeUndefined(),
  )

  test.each([undefined, null, 'text', 5, {}, new Error('plain'), { response: 'text' }, { headers: 5 }])(
    'is missing in %j',
    (thrown) => expect(delayOf(thrown)).toBeUndefined(),
  )
})

describe("GitHub's hourly limit", () => {
  const now = Date.parse('2024-10-27T07:00:00.400Z')
  const reset = (seconds: number) => String(Math.floor(now / 1000) + seconds)
  const exhausted = (seconds = 60) => ({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset(seconds) })

  test.each([
    ['lasts until the end of the second in which it is reset', exhausted(), 403, minute + 600],
    ['is also recognized with status 429', exhausted(), 429, minute + 600],
    ['is less important than Retry-After', { ...exhausted(), 'retry-after': '5' }, 403, 5 * second],
    ['is ignored while requests remain', { ...exhausted(), 'x-ratelimit-remaining': '1' }, 403, undefined],
    ['is ignored with another status', exhausted(), 404, undefined],
    ['is ignored without the time of its reset', { 'x-ratelimit-remaining': '0' }, 403, undefined],
    ['is ignored once it has been reset', exhausted(-60), 403, undefined],
  ])('%s', (_name, headers, status, delay) => {
    expect(requestedDelay(requestError(headers, status), now, 0)).toBe(delay)
  })

  test('ends at different times for the tasks that wait for it, but never earlier than GitHub says', () => {
    const delays = Array.from({ length: 20 }, () => requestedDelay(requestError(exhausted()), now) as number)
    for (const delay of delays) expect(delay).toBeGreaterThanOrEqual(minute + 600)
    for (const delay of delays) expect(delay).toBeLessThanOrEqual(minute + 600 + 10 * second)
    expect(new Set(delays).size).toBeGreaterThan(10)
  })

  test.each([
    ['60', minute + 10 * second],
    ['2', 4 * second],
    ['0', 0],
  ])('ends at most 10 s later, and at most twice as late: after %s s within %i ms', (after, delay) => {
    expect(requestedDelay(requestError({ 'retry-after': after }), now, 1)).toBe(delay)
  })
})
