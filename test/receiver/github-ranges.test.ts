import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { fetchMeta } from '../../src/receiver/github-meta.ts'
import { GithubRanges, type RangesSource } from '../../src/receiver/github-ranges.ts'
import { type Failure, LocalGitHub } from '../../src/testing/index.ts'
import { Recorder } from '../recorder.ts'
import { day, hour, minute, pass, rejectionOf, second, stopTheClock } from './fixtures.ts'

stopTheClock('Date')

const inside = '192.0.2.1'
const outside = '203.0.113.1'
const down: Failure = { status: 500 }

/** Answers without a list, and the number of warnings that each causes. */
const listless: [name: string, answer: Failure, warnings: number][] = [
  ['an error', down, 1],
  ['nothing', 'cut', 1],
  ['no JSON', { status: 200 }, 1],
  ['no list', { status: 200, body: { hooks: 'none' } }, 1],
  ['an empty list', { status: 200, body: { hooks: [] } }, 1],
  ['a list longer than 4 MiB', { status: 200, body: { hooks: Array(400_000).fill('192.0.2.0/24') } }, 1],
  ['a list without any CIDR', { status: 200, body: { hooks: ['github.com', '0300.0.2.0/24'] } }, 2],
]

let github: LocalGitHub
beforeEach(async () => {
  github = await LocalGitHub.start({ hooks: ['192.0.2.0/24'], token: 'right' })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await github.close()
})

const fails = (times: number, failure: Failure = down) => github.fail(...Array<Failure>(times).fill(failure))

function rangesOf({ token, source }: { token?: string; source?: RangesSource } = {}) {
  const logger = new Recorder()
  const apiUrl = github.url
  const ranges = new GithubRanges(source ?? ((etag) => fetchMeta({ apiUrl, token }, etag)), logger)
  const work: Promise<unknown>[] = []
  const has = (address: string) => ranges.has(address, (one) => void work.push(one))
  /** Waits for the refresh in the background. */
  const background = () => Promise.all(work.splice(0))
  /** Advances the time, checks a delivery, and waits for the refresh that it started in the background. */
  const deliverAfter = async (ms: number) => {
    pass(ms)
    expect(has(inside)).toBe(true)
    await background()
  }
  return { ranges, has, work, background, deliverAfter, lines: logger.lines }
}

/** `GithubRanges` that have fetched their list. */
async function fetched(options: Parameters<typeof rangesOf>[0] = {}) {
  const parts = rangesOf(options)
  expect(await parts.has(inside)).toBe(true)
  // `has` has passed its fetch to `waitUntil`. On a serverless platform, `waitUntil` keeps the process alive until the
  // fetch ends. Here it only adds the fetch to `work`.
  expect(parts.work.splice(0)).toHaveLength(1)
  return parts
}

test('the status has the number of ranges, their age, and why the last fetch failed', async () => {
  const { ranges, has, background, deliverAfter } = rangesOf()
  expect(ranges.status).toEqual({ count: 0, fetchedAt: undefined, failing: undefined })
  const first = Date.now()
  fails(1)
  await rejectionOf(() => has(inside))
  expect(ranges.status).toEqual({ count: 0, fetchedAt: undefined, failing: 'Error reaching GitHub' })
  pass(minute)
  expect(await has(inside)).toBe(true)
  await background()
  expect(ranges.status).toEqual({ count: 1, fetchedAt: first + minute, failing: undefined })
  fails(1)
  await deliverAfter(hour)
  expect(ranges.status).toEqual({ count: 1, fetchedAt: first + minute, failing: 'Error reaching GitHub' })
  await deliverAfter(hour)
  expect(ranges.status).toEqual({ count: 1, fetchedAt: first + minute + 2 * hour, failing: undefined })
})

describe('a clock that was ahead and is set back', () => {
  test('does not keep an old list from being refreshed', async () => {
    const { deliverAfter } = await fetched()
    vi.setSystemTime(Date.now() - 30 * day)
    await deliverAfter(0)
    expect(github.requests).toHaveLength(1)
    await deliverAfter(hour)
    expect(github.requests).toHaveLength(2)
  })

  test('does not delay the next fetch after a failed one', async () => {
    const { has } = rangesOf()
    fails(1)
    await rejectionOf(() => has(inside))
    vi.setSystemTime(Date.now() - 30 * day)
    expect(await has(inside)).toBe(true)
  })
})

describe('a cache', () => {
  /** A cache that outlives its `GithubRanges`. */
  function memory(text?: string) {
    const kept = { text, asked: 0 }
    const load = async () => {
      kept.asked++
      return kept.text
    }
    const save = async (told: string) => {
      kept.text = told
    }
    return { kept, load, save }
  }

  test('provides the list to the next process, which fetches nothing while the list is fresh', async () => {
    const kept = memory()
    const first = rangesOf()
    first.ranges.useCache(kept)
    expect(await first.has(inside)).toBe(true)
    const second = rangesOf()
    second.ranges.useCache(kept)
    fails(1)
    expect(await Promise.all([second.has(inside), second.has(outside)])).toEqual([true, false])
    expect(second.has(inside)).toBe(true)
    expect([github.requests.length, kept.kept.asked]).toEqual([1, 2])
  })

  test('provides a stale list during a refresh in the background, with its ETag', async () => {
    const kept = memory()
    const first = rangesOf()
    first.ranges.useCache(kept)
    await first.has(inside)
    pass(2 * hour)
    const second = rangesOf()
    second.ranges.useCache(kept)
    expect(await second.has(inside)).toBe(true)
    await second.background()
    expect(github.requests.map(({ status }) => status)).toEqual([200, 304])
  })

  test('is ignored if it is too old, cannot be parsed or fails', async () => {
    const old = JSON.stringify({ cidrs: ['0.0.0.0/0'], fetchedAt: Date.now() - 8 * 24 * hour })
    for (const text of [old, 'no JSON', '{}']) {
      const { ranges, has } = rangesOf()
      ranges.useCache(memory(text))
      expect(await has(inside)).toBe(true)
      expect(has(outside)).toBe(false)
    }
    const { ranges, has, lines } = rangesOf()
    const down = () => Promise.reject(new Error('down'))
    ranges.useCache({ load: down, save: down })
    expect(await has(inside)).toBe(true)
    await vi.waitFor(() => expect(lines).toHaveLength(2))
  })
})

describe('the first list', () => {
  test('is fetched once for all requests that wait, and then used at once', async () => {
    const { has } = rangesOf()
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => has(i % 2 ? inside : outside)))
    expect(answers).toEqual(Array.from({ length: 50 }, (_, i) => i % 2 === 1))
    expect([has(inside), has(outside), has('::ffff:192.0.2.9'), has('no address')]).toEqual([true, false, true, false])
    expect(github.requests).toHaveLength(1)
  })

  test('that cannot be fetched rejects all waiting requests with the text of Flask-Hookserver and Retry-After', async () => {
    github.fail(down)
    const { has, lines } = rangesOf()
    const rejections = await Promise.all(Array.from({ length: 10 }, () => rejectionOf(() => has(inside))))
    for (const rejection of rejections) {
      expect(rejection).toMatchObject({ code: 'ranges_unavailable', status: 503, message: 'Error reaching GitHub' })
      expect(rejection.headers).toEqual({ 'retry-after': '1' })
    }
    expect(github.requests).toHaveLength(1)
    expect(lines).toMatchObject([
      { level: 'warn', message: expect.stringContaining('origins cannot be checked until a fetch succeeds') },
    ])
  })

  test.each<[string, Failure]>([
    ...listless.map(([name, answer]): [string, Failure] => [name, answer]),
    ['304 to a request without an ETag', { status: 304 }],
  ])('is missing if GitHub answers %s', async (_, answer) => {
    github.fail(answer)
    const { has } = rangesOf()
    expect((await rejectionOf(() => has(inside))).message).toBe('Error reaching GitHub')
    pass(second)
    expect(await has(inside)).toBe(true)
  })

  test('may have entries that are not CIDRs: they are counted, and the other entries are used', async () => {
    github.hooks = ['192.0.2.0/24', 'github.com', '192.0.2.0/33', '2001:db8::/32']
    const { has, lines } = rangesOf()
    expect([await has(inside), await has('2001:db8::1'), await has(outside)]).toEqual([true, true, false])
    expect(lines).toEqual([{ level: 'warn', fields: { entries: 2 }, message: expect.stringContaining('not CIDRs') }])
  })

  test('is unavailable if its source fails, and the sender does not see the error', async () => {
    const { has } = rangesOf({ source: () => Promise.reject(new Error('vault.internal')) })
    const rejection = await rejectionOf(() => has(inside))
    expect(rejection).toMatchObject({ code: 'ranges_unavailable', cause: { cause: { message: 'vault.internal' } } })
    expect(JSON.stringify(rejection.problem())).not.toContain('vault')
  })

  test('that cannot be fetched is logged with the reason, which the sender does not see', async () => {
    const failure = new Error('connect ECONNREFUSED 192.0.2.1:443')
    vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('fetch failed', { cause: failure }))
    const { has, lines } = rangesOf()
    const rejection = await rejectionOf(() => has(inside))
    const why = `Error reaching GitHub (${failure.message})`
    expect(lines.map(({ message }) => message)).toEqual([
      expect.stringContaining(`Cannot fetch GitHub's addresses: ${why};`),
    ])
    expect(rejection.problem().detail).toBe('Error reaching GitHub')
  })

  test('is fetched without a token that GitHub rejects, with a warning', async () => {
    const { lines } = await fetched({ token: 'wrong' })
    expect(github.requests.map(({ status }) => status)).toEqual([401, 200])
    expect(lines).toEqual([{ level: 'warn', fields: {}, message: expect.stringContaining('401') }])
    expect(JSON.stringify(lines)).not.toContain('wrong')
  })
})

describe('a rate limit', () => {
  test('delays the next fetch until the limit resets, and the sender gets the time of the reset', async () => {
    github.remaining.anonymous = 0
    github.resetAt = Math.floor(Date.now() / 1000) * 1000 + 20 * minute
    const { has } = rangesOf()
    const rejection = await rejectionOf(() => has(inside))
    expect(rejection.message).toBe(`Rate limited from GitHub until ${new Date(github.resetAt).toUTCString()}`)
    expect(rejection.headers['retry-after']).toBe(String(Math.ceil((github.resetAt - Date.now()) / 1000)))

    github.remaining.anonymous = 60
    vi.setSystemTime(github.resetAt - 1)
    expect((await rejectionOf(() => has(inside))).headers['retry-after']).toBe('1')
    expect(github.requests).toHaveLength(1)
    vi.setSystemTime(github.resetAt)
    expect(await has(inside)).toBe(true)
  })

  test.each([
    ['120', 120],
    ['99999999', 3600],
    ['0', 1],
  ])('is waited for as Retry-After says, but at least a second and at most an hour: %s', async (told, seconds) => {
    github.fail({ status: 429, headers: { 'retry-after': told } })
    const { has } = rangesOf()
    const rejection = await rejectionOf(() => has(inside))
    expect(rejection.message).toMatch(/^Rate limited from GitHub until \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/)
    expect(rejection.headers['retry-after']).toBe(String(seconds))
    pass(seconds * second - 1)
    await rejectionOf(() => has(inside))
    expect(github.requests).toHaveLength(1)
    pass(1)
    expect(await has(inside)).toBe(true)
  })
})

describe('a failure', () => {
  test('delays the next fetch by 1 s, then twice as long each time, up to a minute', async () => {
    const waits = [1, 2, 4, 8, 16, 32, 60, 60]
    fails(waits.length)
    const { has } = rangesOf()
    for (const [i, wait] of waits.entries()) {
      const rejections = await Promise.all([rejectionOf(() => has(inside)), rejectionOf(() => has(inside))])
      expect(rejections.map(({ headers }) => headers['retry-after'])).toEqual([String(wait), String(wait)])
      pass(wait * second - 1)
      for (let again = 0; again < 5; again++) await rejectionOf(() => has(inside))
      expect(github.requests).toHaveLength(i + 1)
      pass(1)
    }
    expect(await has(inside)).toBe(true)
  })

  test('is forgotten after the next success', async () => {
    fails(5)
    const { has, deliverAfter } = rangesOf()
    for (const wait of [1, 2, 4, 8, 16]) {
      await rejectionOf(() => has(inside))
      pass(wait * second)
    }
    expect(await has(inside)).toBe(true)
    fails(1)
    await deliverAfter(hour)
    await deliverAfter(second)
    expect(github.requests.slice(-2).map(({ status }) => status)).toEqual([500, 304])
  })
})

describe('the refresh', () => {
  test('runs after an hour, once and in the background, while the old list is used', async () => {
    const { has, work, background } = await fetched()
    github.hooks = ['198.51.100.0/24']
    pass(hour - 1)
    expect([has(inside), work.length]).toEqual([true, 0])
    pass(1)
    for (let i = 0; i < 10; i++) expect(has(inside)).toBe(true)
    expect(work.length).toBeGreaterThan(0)
    await background()
    expect(github.requests).toHaveLength(2)
    expect([has(inside), has('198.51.100.1')]).toEqual([false, true])
    pass(hour - 1)
    expect([has('198.51.100.1'), work.length]).toEqual([true, 0])
  })

  test('needs no waitUntil', async () => {
    const { ranges } = await fetched()
    pass(hour)
    expect(ranges.has(inside, undefined)).toBe(true)
    await vi.waitFor(() => expect(github.requests).toHaveLength(2))
  })

  test('with a token does not count against the limit if the list is the same, and makes the list fresh', async () => {
    const { has, work, deliverAfter } = await fetched({ token: 'right' })
    for (let hours = 1; hours <= 3; hours++) {
      await deliverAfter(hour)
      expect([has(inside), has(outside), work.length]).toEqual([true, false, 0])
    }
    expect(github.requests.map(({ status }) => status)).toEqual([200, 304, 304, 304])
    // GitHub allows 5000 requests an hour. The hour of the first request has ended, and answers with 304 do not count.
    expect(github.remaining.authorized).toBe(5000)
  })

  test('that fails keeps the last list, for 7 days and no longer', async () => {
    const { has, deliverAfter, lines } = await fetched()
    fails(100)
    for (let days = 1; days < 7; days++) await deliverAfter(day)
    await deliverAfter(day - 1)
    expect(lines.at(-1)?.message).toContain('the last list stays in use')
    pass(1)
    expect(await rejectionOf(() => has(inside))).toMatchObject({ code: 'ranges_unavailable', status: 503 })
    pass(day)
    expect(await rejectionOf(() => has(inside))).toMatchObject({ code: 'ranges_unavailable', status: 503 })
    expect(lines.at(-1)?.message).toContain('origins cannot be checked until a fetch succeeds')
  })

  test.each([
    ...listless,
    ['a rate limit', { status: 429, headers: { 'retry-after': '60' } } satisfies Failure, 1] as const,
  ])('that is answered with %s keeps the last list and is not tried again at once', async (_, answer, warnings) => {
    const { has, work, deliverAfter, lines } = await fetched()
    github.fail(answer)
    await deliverAfter(hour)
    expect([has(inside), has(outside), work.length]).toEqual([true, false, 0])
    expect(lines).toHaveLength(warnings)
    expect(lines.at(-1)?.message).toContain('the last list stays in use')
    await deliverAfter(minute)
    expect(github.requests).toHaveLength(3)
  })

  test('that hangs delays no request, and is started once', async () => {
    const clock = new AbortController()
    const { has, background } = await fetched()
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(clock.signal)
    github.fail('hang')
    pass(hour)
    for (let i = 0; i < 10; i++) expect(has(inside)).toBe(true)
    await vi.waitFor(() => expect(github.requests).toHaveLength(2))
    clock.abort(new DOMException('The time is over', 'TimeoutError'))
    await background()
    expect(has(inside)).toBe(true)
    expect(github.requests).toHaveLength(2)
  })

  test('works again after more than 7 days without a delivery', async () => {
    const { has } = await fetched()
    pass(30 * day)
    expect(await has(inside)).toBe(true)
    expect(github.requests).toHaveLength(2)
  })
})

describe('an address in none of the ranges', () => {
  test('starts the refresh if the last one was 5 minutes ago, once for all requests that wait', async () => {
    const { has, work } = await fetched()
    github.hooks = ['192.0.2.0/24', '203.0.113.0/24']
    pass(5 * minute - 1)
    expect(has(outside)).toBe(false)
    pass(1)
    expect([has(inside), work.length]).toEqual([true, 0])
    expect(await Promise.all([has(outside), has('198.51.100.1'), has('no address')])).toEqual([true, false, false])
    expect(github.requests).toHaveLength(2)
    for (let i = 0; i < 100; i++) expect(has(`198.51.100.${i}`)).toBe(false)
    pass(5 * minute - 1)
    expect(has('198.51.100.1')).toBe(false)
    expect(github.requests).toHaveLength(2)
    pass(1)
    expect(await has('198.51.100.1')).toBe(false)
    expect(github.requests).toHaveLength(3)
  })

  test('does not start the refresh more often if it fails', async () => {
    const { has } = await fetched()
    fails(1)
    pass(5 * minute)
    expect(await has(outside)).toBe(false)
    pass(5 * minute - 1)
    expect(has(outside)).toBe(false)
    expect(github.requests).toHaveLength(2)
    pass(1)
    expect(await has(outside)).toBe(false)
    expect(github.requests).toHaveLength(3)
  })

  test('waits for a running refresh', async () => {
    const { has } = await fetched()
    github.hooks = ['203.0.113.0/24']
    pass(hour)
    expect(has(inside)).toBe(true)
    expect(await has(outside)).toBe(true)
    expect(github.requests).toHaveLength(2)
  })
})
