import { describe, expect, test } from 'vitest'
import { parseExhaustedLimit, parseRateLimit, parseRetryAfter } from '../../src/runtime/rate-limit.ts'

const now = Date.UTC(2015, 9, 27, 7, 0, 0)
const reset = String(now / 1000 + 600)
const limited = { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }

describe('parseRateLimit', () => {
  test.each([
    ['an object', { ...limited, 'x-ratelimit-remaining': 7 }],
    ['Headers', new Headers({ ...limited, 'x-ratelimit-remaining': '7' })],
  ])('reads %s', (_what, headers) => {
    expect(parseRateLimit(headers, now)).toEqual({
      ...{ limit: 5000, remaining: 7, resetAt: now + 600_000, resetIn: 600_000 },
    })
  })

  test("measures the time until the reset by GitHub's clock", () => {
    const date = new Date(now + 540_000).toUTCString()
    expect(parseRateLimit({ ...limited, date }, now)).toMatchObject({ resetIn: 60_000 })
    expect(parseRateLimit({ ...limited, date: 'soon' }, now)).toMatchObject({ resetIn: 600_000 })
  })

  test('returns 0 for a reset in the past', () => {
    expect(parseRateLimit(limited, now + 3_600_000)).toMatchObject({ resetIn: 0 })
  })

  test('uses the remaining requests as the limit if the limit is missing', () => {
    const { 'x-ratelimit-limit': _, ...headers } = limited
    expect(parseRateLimit(headers, now)).toMatchObject({ limit: 0, remaining: 0 })
  })

  test.each([
    undefined,
    null,
    'x-ratelimit-remaining',
    {},
    { ...limited, 'x-ratelimit-remaining': '' },
    { ...limited, 'x-ratelimit-remaining': ['0'] },
    { ...limited, 'x-ratelimit-reset': '-1' },
    { ...limited, 'x-ratelimit-reset': '9'.repeat(30) },
  ])('finds no rate limit in %j', (headers) => {
    expect(parseRateLimit(headers, now)).toBeUndefined()
  })
})

describe('parseExhaustedLimit', () => {
  test.each([
    [403, limited, now + 600_000],
    [429, limited, now + 600_000],
    [404, limited, undefined],
    [undefined, limited, undefined],
    [403, { ...limited, 'x-ratelimit-remaining': '1' }, undefined],
    [403, {}, undefined],
  ])('of status %j with %j resets at %j', (status, headers, expected) => {
    expect(parseExhaustedLimit(status, headers, now)?.resetAt).toBe(expected)
  })
})

describe('parseRetryAfter', () => {
  test.each<[unknown, number | undefined]>([
    ['0', 0],
    ['60', 60_000],
    [60, 60_000],
    ['9'.repeat(400), 1e14],
    ['Tue, 27 Oct 2015 07:01:00 GMT', 60_000],
    ['Tue, 27 Oct 2015 06:59:00 GMT', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    [['60'], undefined],
    [undefined, undefined],
  ])('of %j is %j', (value, expected) => {
    expect(parseRetryAfter({ 'retry-after': value }, now)).toBe(expected)
  })
})
