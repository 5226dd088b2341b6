/** The limits that the requests of one caller to GitHub share. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ApiBudget, type BudgetedRequest } from '../../src/github/api-budget.ts'
import { Budgets } from '../../src/github/octokit-scope.ts'
import { Random } from '../simulation/random.ts'

const maxWait = 60_000
const maxRunning = 50

const get = (more: Partial<BudgetedRequest> = {}): BudgetedRequest => ({
  ...{ method: 'GET', url: '/repos/acme/shop', signal: new AbortController().signal },
  ...{ isBackground: false, keepAlive: false, ...more },
})

/** The headers of a response. @param reset In seconds from now. */
const limitHeaders = (remaining: number, reset = 30, limit = 100) => ({
  'x-ratelimit-limit': String(limit),
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000) + reset),
})

const answer = (remaining: number, reset?: number) => async () => ({ headers: limitHeaders(remaining, reset) })

const rejection = (status: number, headers: object) =>
  Object.assign(new Error('You have exceeded a secondary rate limit'), { status, response: { headers } })

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** The results of these requests, once `ms` milliseconds have passed. */
async function settledWithin(ms: number, ...requests: Promise<unknown>[]): Promise<(string | undefined)[]> {
  const states = requests.map((): string | undefined => undefined)
  for (const [index, request] of requests.entries()) {
    request.then(
      () => void (states[index] = 'answered'),
      (error: Error) => void (states[index] = error.message),
    )
  }
  await vi.advanceTimersByTimeAsync(ms)
  return states
}

describe('a budget', () => {
  test('runs 50 requests at a time, and those in the background last', async () => {
    const budget = new ApiBudget('token', maxWait)
    const ended: (() => void)[] = []
    const sent: string[] = []
    const send = (name: string, isBackground = false) =>
      budget.run(get({ isBackground }), () => {
        sent.push(name)
        return new Promise<{ headers: object }>((resolve) => ended.push(() => resolve({ headers: {} })))
      })
    const first = Array.from({ length: maxRunning }, (_, n) => send(`first ${n}`))
    const [background, other] = [send('background', true), send('other')]
    await vi.advanceTimersByTimeAsync(0)
    expect([sent.length, budget.running]).toEqual([maxRunning, maxRunning])
    ended[7]?.()
    await first[7]
    await vi.advanceTimersByTimeAsync(0)
    expect(sent.slice(maxRunning)).toEqual(['other'])
    for (const end of ended) end()
    await Promise.all([...first, other])
    await vi.advanceTimersByTimeAsync(0)
    for (const end of ended) end()
    await background
    expect([sent.at(-1), budget.running]).toEqual(['background', 0])
  })

  test('sends nothing while the limit is exhausted, and waits if it resets soon', async () => {
    const budget = new ApiBudget('token', maxWait)
    await budget.run(get(), answer(0, 30))
    const send = vi.fn(answer(99))
    const later = budget.run(get(), send)
    expect(await settledWithin(29_000, later)).toEqual([undefined])
    expect(send).not.toHaveBeenCalled()
    expect(await settledWithin(4000, later)).toEqual(['answered'])
  })

  test('sends the requests that wait for a limit at different times', async () => {
    const budget = new ApiBudget('token', maxWait)
    await budget.run(get(), answer(0, 30))
    const times: number[] = []
    const requests = Array.from({ length: 20 }, () =>
      budget.run(get(), async () => {
        times.push(performance.now())
        return { headers: {} }
      }),
    )
    await vi.advanceTimersByTimeAsync(32_000)
    await Promise.all(requests)
    expect(new Set(times).size).toBeGreaterThan(10)
  })

  test('rejects a request without sending it if the limit lasts longer', async () => {
    const budget = new ApiBudget('installation 7', maxWait)
    await budget.run(get(), answer(0, 600))
    const send = vi.fn(answer(99))
    const error = await budget.run(get(), send).catch((error: unknown) => error)
    expect(error).toMatchObject({
      ...{ name: 'HttpError', status: 429 },
      response: { status: 429, headers: { 'retry-after': expect.stringMatching(/^60[01]$/) } },
      message: expect.stringMatching(
        /^GET \/repos\/acme\/shop was not sent for installation 7: GitHub limits its requests for another 60[01] s$/,
      ),
    })
    expect(send).not.toHaveBeenCalled()
    expect(budget.running).toBe(0)
    await budget.run(get({ url: '/search/issues' }), answer(9)) // another resource
  })

  test.each([
    ['/search/issues', ['/search/users', 'https://api.github.com/search/issues?q=a']],
    ['/search/code', ['https://github.example/api/v3/search/code?q=a']],
    ['/graphql', ['https://github.example/api/graphql']],
    ['/repos/acme/shop', ['/repos/acme/search/issues', 'https://api.github.com/repos/acme/graphql', '/search-a/b']],
  ])('counts a request to %s together with those to %j, and with no others', async (first, same) => {
    const budget = new ApiBudget('token', maxWait)
    await budget.run(get({ url: first }), answer(0, 600))
    const urls = ['/search/issues', '/search/code', '/graphql', '/repos/acme/shop']
    for (const url of [...same, ...urls]) {
      const request = budget.run(get({ url }), async () => ({ headers: {} }))
      if (url === first || same.includes(url)) await expect(request).rejects.toThrow('was not sent')
      else await request
    }
  })

  describe('after a secondary limit without Retry-After', () => {
    const reject = async (): Promise<{ headers: object }> => {
      throw rejection(403, limitHeaders(90))
    }
    /** The seconds for which a new request has to wait. */
    const blockedFor = async (budget: ApiBudget) => {
      const refused = await budget.run(get(), answer(90)).catch((error: unknown) => error)
      return Number((refused as { response?: { headers: { 'retry-after': string } } }).response?.headers['retry-after'])
    }

    test('waits a minute, then longer and longer, until GitHub accepts a request', async () => {
      const budget = new ApiBudget('installation 7', 1000)
      const waits: number[] = []
      for (let round = 0; round < 6; round++) {
        await expect(budget.run(get(), reject)).rejects.toThrow('secondary')
        waits.push(await blockedFor(budget))
        await vi.advanceTimersByTimeAsync((waits.at(-1) ?? 0) * 1000)
      }
      expect(waits).toEqual([60, 120, 240, 480, 960, 960])
      await budget.run(get(), answer(90))
      await expect(budget.run(get(), reject)).rejects.toThrow('secondary')
      expect(await blockedFor(budget)).toBe(60)
    })

    test('waits a minute, even if GitHub rejects several requests that ran at the same time', async () => {
      const budget = new ApiBudget('installation 7', 1000)
      await Promise.allSettled([reject, reject, answer(90), reject].map((send) => budget.run(get(), send)))
      expect(await blockedFor(budget)).toBe(60)
    })

    test('is not idle for an hour, so that the next wait is longer', async () => {
      const budget = new ApiBudget('installation 7', 1000)
      await expect(budget.run(get(), reject)).rejects.toThrow('secondary')
      await vi.advanceTimersByTimeAsync(3_600_000)
      expect(budget.isIdle).toBe(false)
      await vi.advanceTimersByTimeAsync(60_000)
      expect(budget.isIdle).toBe(true)
    })
  })

  test('keeps the lowest number of one window, because responses may arrive in another order', async () => {
    const budget = new ApiBudget('token', maxWait)
    const late = Promise.withResolvers<{ headers: object }>()
    const headers = limitHeaders(1)
    const first = budget.run(get(), () => late.promise)
    await budget.run(get(), answer(0))
    late.resolve({ headers })
    await first
    const send = vi.fn(answer(99))
    const later = budget.run(get(), send)
    expect(await settledWithin(28_000, later)).toEqual([undefined])
    expect(await settledWithin(5000, later)).toEqual(['answered'])
    await budget.run(get(), answer(98)) // the number of another window
  })

  test('is idle when no request runs, and all limits have reset', async () => {
    const budget = new ApiBudget('token', maxWait)
    expect(budget.isIdle).toBe(true)
    const end = Promise.withResolvers<{ headers: object }>()
    const request = budget.run(get(), () => end.promise)
    await vi.advanceTimersByTimeAsync(0)
    expect(budget.isIdle).toBe(false)
    end.resolve({ headers: limitHeaders(99) })
    await request
    expect(budget.isIdle).toBe(false)
    await vi.advanceTimersByTimeAsync(31_000)
    expect(budget.isIdle).toBe(true)
    budget.block(1000)
    expect(budget.isIdle).toBe(false)
  })

  test('is shared by the Octokits of a caller, and deleted when it is idle', async () => {
    const budgets = new Budgets()
    const budgetOf = (id: number, apiUrl = 'https://api.github.com') => {
      return budgets.for({ apiUrl, caller: `installation ${id}` })
    }
    const first = budgetOf(1)
    await first.run(get(), answer(99))
    for (let id = 2; id < 100; id++) budgetOf(id)
    expect(budgetOf(1)).toBe(first)
    expect(budgets.size).toBe(2)
    await vi.advanceTimersByTimeAsync(31_000)
    budgetOf(100)
    expect(budgets.size).toBe(1)
  })

  test('is that of one caller, at one address of the API, with one token', () => {
    const budgets = new Budgets()
    const token = { apiUrl: 'https://github.example/api/v3', caller: 'token', token: 'one' }
    const first = budgets.for(token)
    void first.run(get(), () => new Promise<{ headers: object }>(() => {}))
    expect(budgets.for({ ...token, apiUrl: 'https://github.example/api/v3/' })).toBe(first)
    for (const other of [{ token: 'two' }, { apiUrl: 'https://api.github.com' }, { caller: 'app 1' }]) {
      expect(budgets.for({ ...token, ...other })).not.toBe(first)
    }
  })

  test('leaves a fifth of the limit to requests that are not in the background', async () => {
    const budget = new ApiBudget('token', maxWait)
    await budget.run(get({ isBackground: true }), answer(21))
    await budget.run(get({ isBackground: true }), answer(20, 600))
    await expect(budget.run(get({ isBackground: true }), answer(19))).rejects.toThrow(
      /: background requests leave the rest of the rate limit to others for another 60[01] s$/,
    )
    await budget.run(get(), answer(19))
  })

  test.each([
    ['names its end', rejection(403, { 'retry-after': '10' }), 10_000],
    ['does not say how long it lasts', rejection(429, {}), 60_000],
  ])('waits for a secondary limit that %s, with all its requests', async (_what, error, ms) => {
    const budget = new ApiBudget('token', maxWait)
    await expect(budget.run(get(), () => Promise.reject(error))).rejects.toBe(error)
    const requests = [budget.run(get(), answer(9)), budget.run(get({ url: '/graphql' }), answer(9))]
    expect(await settledWithin(ms - 100, ...requests)).toEqual([undefined, undefined])
    expect(await settledWithin(1200, ...requests)).toEqual(['answered', 'answered'])
  })

  test('keeps its promises in random orders of events', async () => {
    for (let seed = 0; seed < 100; seed++) await randomSchedule(seed)
  })
})

/** Sends requests that end, fail, are aborted and reach limits, as the seed decides. */
async function randomSchedule(seed: number): Promise<void> {
  const random = new Random(seed)
  const budget = new ApiBudget('token', maxWait)
  const settled: Promise<unknown>[] = []
  const violations: string[] = []
  let [running, blockedUntil] = [0, 0]
  let known = { remaining: 100, resetAt: 0 }
  const send = async (isBackground: boolean) => {
    running++
    const [now, left] = [performance.now(), performance.now() < known.resetAt ? known.remaining : 100]
    if (running > maxRunning) violations.push(`${running} running`)
    if (now < blockedUntil) violations.push('sent while blocked')
    if (left <= (isBackground ? 20 : 0)) violations.push(`sent with ${left} left`)
    await new Promise((resolve) => setTimeout(resolve, random.between(1, 400)))
    running--
    if (random.chance(0.02)) {
      const seconds = random.between(1, 90)
      blockedUntil = Math.max(blockedUntil, performance.now() + seconds * 1000)
      throw rejection(403, { 'retry-after': String(seconds) })
    }
    if (random.chance(0.1)) throw new Error('socket hang up')
    const remaining = random.chance(0.2) ? random.between(0, 40) : 100
    // Windows of 30 s: the responses of a window may arrive in any order, so the lowest number counts.
    const reset = 30 - (Math.ceil(Date.now() / 1000) % 30)
    const headers = limitHeaders(remaining, reset)
    const resetAt = performance.now() + Number(headers['x-ratelimit-reset']) * 1000 - Date.now()
    const isSame = Math.round(known.resetAt) === Math.round(resetAt)
    known = { remaining: isSame ? Math.min(known.remaining, remaining) : remaining, resetAt }
    return { headers }
  }
  for (let n = 0; n < 150; n++) {
    const abort = new AbortController()
    const isBackground = random.chance(0.3)
    const request = budget.run(get({ isBackground, signal: abort.signal }), () => send(isBackground))
    settled.push(request.catch(() => undefined))
    if (random.chance(0.2)) setTimeout(() => abort.abort(), random.between(0, 2000))
    if (random.chance(0.1)) await vi.advanceTimersByTimeAsync(random.between(0, 100))
  }
  let isOver = false
  void Promise.all(settled).then(() => void (isOver = true))
  while (!isOver) await vi.advanceTimersByTimeAsync(1000)
  expect([violations, running, budget.running], `seed ${seed}`).toEqual([[], 0, 0])
}
