import { RequestError } from 'octokit'
import { describe, expect, test } from 'vitest'
import {
  Discard,
  defaultAttempts,
  expiredLeaseDelay,
  Retry,
  requestedDelay,
  retryDelay,
} from '../../src/inbox/retry.ts'
import { day, hour, minute, second } from '../receiver/fixtures.ts'

/** The longest wait after each failure that is followed by another attempt. */
const longest = Array.from({ length: defaultAttempts - 1 }, (_, index) => Math.min(5 * second * 3 ** index, 6 * hour))
const almostOne = 1 - Number.EPSILON

describe('the wait after an attempt that was cut off', () => {
  const policy = { name: 'deploy', backoff: 1000, attempts: 3 }

  test.each([1, 2])('is that of any failure after attempt %i of 3', (attemptsUsed) => {
    expect(expiredLeaseDelay(attemptsUsed, policy)).toBeGreaterThanOrEqual(500 * 3 ** (attemptsUsed - 1))
  })

  test.each([3, 4])('is none after attempt %i of 3', (attemptsUsed) => {
    expect(expiredLeaseDelay(attemptsUsed, policy)).toBe(0)
  })

  test('is by the default policy if the handler’s is not known', () => {
    expect(expiredLeaseDelay(defaultAttempts - 1)).toBeGreaterThan(0)
    expect(expiredLeaseDelay(defaultAttempts)).toBe(0)
    expect(expiredLeaseDelay(defaultAttempts, { name: 'of a release without attempts', backoff: 1000 })).toBe(0)
  })
})

describe('the schedule', () => {
  test('has twelve attempts, which take about a day', () => {
    expect(defaultAttempts).toBe(12)
    const sum = longest.reduce((total, wait) => total + wait, 0)
    expect([sum / 2 / hour, sum / hour].map(Math.round)).toEqual([11, 23])
  })

  test('begins at 5 s, goes on times three, and ends at 6 h', () => {
    expect(longest.map((wait) => wait / second)).toEqual([
      5, 15, 45, 135, 405, 1215, 3645, 10_935, 21_600, 21_600, 21_600,
    ])
    for (const [index, wait] of longest.entries()) {
      expect(retryDelay(index + 1, undefined, almostOne)).toBe(wait)
      expect(retryDelay(index + 1, undefined, 0)).toBe(Math.round(wait / 2))
      expect(retryDelay(index + 1, undefined, 0.5)).toBe(Math.round(wait * 0.75))
    }
  })

  test('draws by itself from the upper half of each wait, and not the same twice', () => {
    const drawn = Array.from({ length: 100 }, () => retryDelay(8))
    for (const wait of drawn) {
      expect(wait).toBeGreaterThanOrEqual(10_935 * (second / 2))
      expect(wait).toBeLessThanOrEqual(10_935 * second)
    }
    expect(new Set(drawn).size).toBeGreaterThan(50)
  })

  test('begins where the handler says', () => {
    expect(retryDelay(1, 100, almostOne)).toBe(100)
    expect(retryDelay(3, 100, almostOne)).toBe(900)
    expect(retryDelay(1, 2 ** 31 - 1, almostOne)).toBe(6 * hour)
  })

  test('stays at its longest, however many attempts a handler asks for', () => {
    for (const failed of [12, 1000, 1e9]) expect(retryDelay(failed, undefined, almostOne)).toBe(6 * hour)
  })
})

describe('Retry', () => {
  test('says when, or leaves it to the handler’s backoff', () => {
    expect(requestedDelay(new Retry({ after: minute }), 0)).toBe(minute)
    expect(requestedDelay(new Retry({ after: 0 }), 0)).toBe(0)
    expect(requestedDelay(new Retry({ after: 0.5 }), 0)).toBe(0.5)
    expect(requestedDelay(new Retry(), 0)).toBeUndefined()
    expect(requestedDelay(new Retry({}), 0)).toBeUndefined()
  })

  test('is an error with a name, a message and a cause', () => {
    const cause = new Error('why')
    expect(new Retry({ cause })).toMatchObject({ name: 'Retry', message: 'To be tried again', cause })
    expect(new Retry({ message: 'later' })).toBeInstanceOf(Error)
    expect(new Retry({ message: 'later' }).message).toBe('later')
  })

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '5', null, {}])('cannot be after %s', (after) => {
    expect(() => new Retry({ after: after as number })).toThrow(TypeError)
    expect(() => new Retry({ after: after as number })).toThrow(`"after" must be`)
  })

  test('is known by its name, as that of another copy of the package, whose wait is checked', () => {
    expect(requestedDelay({ name: 'Retry', after: 7 }, 0)).toBe(7)
    for (const after of ['7', -7, Number.NaN, Number.POSITIVE_INFINITY, undefined])
      expect(requestedDelay({ name: 'Retry', after }, 0)).toBeUndefined()
  })

  test('counts before the headers of what caused it', () => {
    const asked = Object.assign(new Retry(), { response: { headers: { 'retry-after': '9' } } })
    expect(requestedDelay(asked, 0)).toBeUndefined()
  })
})

describe('Discard', () => {
  test('gives the reason', () => {
    expect(new Discard('a fork')).toMatchObject({ name: 'Discard', message: 'a fork' })
    expect(new Discard()).toBeInstanceOf(Error)
    expect(new Discard().message).not.toBe('')
  })
})

/** What Octokit throws where GitHub refuses with these headers. */
function refusalWith(headers: Record<string, string>, status = 403): RequestError {
  const url = 'https://api.github.com/user'
  const request = { method: 'GET', url, headers: {} } as const
  return new RequestError('Refused', status, { request, response: { status, url, data: {}, headers } })
}

describe('Retry-After of an HTTP error', () => {
  const now = Date.parse('2024-10-27T07:00:00Z')
  const asked = (error: unknown) => requestedDelay(error, now)
  const octokit = (value: unknown) => refusalWith({ 'retry-after': value as string })

  test('is found where Octokit puts it, as text or number', () => {
    expect(asked(octokit('60'))).toBe(minute)
    expect(asked(octokit(60))).toBe(minute)
    expect(asked(octokit('0'))).toBe(0)
  })

  test('is found in web Headers, and on the error itself', () => {
    const headers = new Headers({ 'Retry-After': '60' })
    expect(asked({ response: { headers } })).toBe(minute)
    expect(asked({ response: new Response(null, { headers }) })).toBe(minute)
    expect(asked({ headers: { 'retry-after': '60' } })).toBe(minute)
    expect(asked({ response: {}, headers })).toBe(minute)
    expect(asked({ response: null, headers })).toBe(minute)
  })

  test('may be a date', () => {
    expect(asked(octokit('Sun, 27 Oct 2024 07:05:00 GMT'))).toBe(5 * minute)
    expect(asked(octokit('Sun, 27 Oct 2024 06:59:59 GMT'))).toBeUndefined()
  })

  test('is believed for a day at most', () => {
    expect(asked(octokit('86400'))).toBe(day)
    expect(asked(octokit('86401'))).toBe(day)
    expect(asked(octokit('9'.repeat(400)))).toBe(day)
    expect(asked(octokit('Sun, 27 Oct 2999 07:05:00 GMT'))).toBe(day)
  })

  test.each(['', ' ', 'soon', '-5', '1.5', '5s', 'NaN', {}, ['5'], null, true, undefined])(
    'is nothing if it is %j',
    (value) => expect(asked(octokit(value))).toBeUndefined(),
  )

  test('is nothing where nobody said so', () => {
    for (const thrown of [undefined, null, 'text', 5, {}, new Error('plain'), { response: 'text' }, { headers: 5 }])
      expect(asked(thrown)).toBeUndefined()
  })
})

describe("GitHub's hourly limit", () => {
  const now = Date.parse('2024-10-27T07:00:00.400Z')
  const reset = (seconds: number) => String(Math.floor(now / 1000) + seconds)
  const asked = (headers: Record<string, string>, status?: number) => requestedDelay(refusalWith(headers, status), now)
  const exhausted = (seconds = 60) => ({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset(seconds) })

  test('is waited for, the second in which it ends included', () => {
    expect(asked(exhausted())).toBe(minute + 600)
    expect(asked(exhausted(), 429)).toBe(minute + 600)
  })

  test('counts less than Retry-After', () => {
    expect(asked({ ...exhausted(), 'retry-after': '5' })).toBe(5 * second)
  })

  test('is not what refused where requests remain, or where the status is another', () => {
    expect(asked({ ...exhausted(), 'x-ratelimit-remaining': '1' })).toBeUndefined()
    expect(asked(exhausted(), 404)).toBeUndefined()
    expect(asked({ 'x-ratelimit-remaining': '0' })).toBeUndefined()
  })

  test('is nothing to wait for once it is over', () => {
    expect(asked(exhausted(-60))).toBeUndefined()
  })
})
