import { describe, expect, test, vi } from 'vitest'
import type { ReceivedDelivery } from '../../../src/delivery.ts'
import type { Handler, ResolvedHandlerOptions } from '../../../src/handler.ts'
import { defaultAttempts, defaultTimeout } from '../../../src/inbox/retry.ts'
import { type AttemptOptions, runAttempt } from '../../../src/inbox/worker/attempt.ts'
import { Discard, Retry } from '../../../src/thrown.ts'
import { minute, pass, stopTheClock, turnOfTheLoop } from '../../receiver/fixtures.ts'
import { deliveryOf, registrationOf } from '../fixtures.ts'

stopTheClock('setTimeout', 'clearTimeout')

const now = 1_000_000

/** Starts an attempt of `handler`. */
function start(handler: Handler, options: ResolvedHandlerOptions & Partial<AttemptOptions> = {}) {
  const { delivery = deliveryOf(), isAborted = () => false, now: clock = () => now, ...more } = options
  const { attemptsUsed = 1, uncounted, ...own } = more
  const registration = registrationOf(handler, own)
  return runAttempt({ registration, delivery, attemptsUsed, uncounted, now: clock, isAborted })
}

const resultOf = (handler: Handler, options?: Parameters<typeof start>[1]) => start(handler, options).result
const returning = (value: unknown) => resultOf(() => value)
const throwing = (thrown: unknown, options?: Parameters<typeof start>[1]) =>
  resultOf(() => {
    throw thrown
  }, options)

/** An object that cannot be described. */
const unnamed: object = Object.defineProperty({ toJSON: fail }, Symbol.toStringTag, { get: fail })
/** An object whose members all throw. */
const hostile: object = new Proxy({}, { get: fail, has: fail, getPrototypeOf: fail, ownKeys: fail })
function fail(): never {
  throw new Error('hostile')
}

describe('a handler', () => {
  test('gets the delivery', async () => {
    const handler = vi.fn()
    const delivery = deliveryOf({ a: 1 })
    await resultOf(handler, { delivery })
    expect(handler.mock.calls).toEqual([[delivery]])
  })

  test.each([
    ['text', 'pong', 'pong'],
    ['an empty text', '', ''],
    ['an object', { a: [1, null] }, '{"a":[1,null]}'],
    ['a number', 5, '5'],
    ['false', false, 'false'],
    ['nothing', undefined, undefined],
    ['null', null, undefined],
    ['a BigInt', 5n, '5'],
    ['a symbol', Symbol('a'), 'Symbol(a)'],
    ['an object that JSON leaves out', { toJSON: () => undefined }, '[object Object]'],
    ['an object with a BigInt', { a: 5n }, '[object Object]'],
    ['an object that cannot be written', { toJSON: fail }, '[object Object]'],
    ['an object that has no name', unnamed, '[cannot be shown]'],
    ['a Response', new Response('text'), '{}'],
  ])('that returns %s has succeeded, with the value as text', async (_name, value, result) => {
    expect(await returning(value)).toEqual({ outcome: 'succeeded', result })
  })

  test('that returns a function has succeeded', async () => {
    expect(await returning(() => 5)).toMatchObject({ outcome: 'succeeded', result: expect.stringContaining('=> 5') })
  })

  test('that returns an object with itself in it has succeeded', async () => {
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    expect(await returning(cyclic)).toEqual({ outcome: 'succeeded', result: '[object Object]' })
  })

  test('may return a promise or a thenable', async () => {
    expect(await returning(Promise.resolve('pong'))).toEqual({ outcome: 'succeeded', result: 'pong' })
    // biome-ignore lint/suspicious/noThenProperty: the test needs a thenable
    const thenable = { then: (resolve: (value: string) => void) => resolve('pong') }
    expect(await returning(thenable)).toEqual({ outcome: 'succeeded', result: 'pong' })
  })

  test('has the first 16 KiB of its result stored', async () => {
    const { result } = await returning('x'.repeat(20_000))
    expect(result).toBe(`${'x'.repeat(16_384)}…`)
  })
})

describe('a handler that throws', () => {
  test('has failed, and is retried after its backoff', async () => {
    const error = new Error('the reason')
    const result = await throwing(error, { backoff: 100, attemptsUsed: 2 })
    expect(result).toMatchObject({ outcome: 'failed', error: error.stack, thrown: error })
    expect(result.nextAt).toBeGreaterThanOrEqual(now + 150)
    expect(result.nextAt).toBeLessThanOrEqual(now + 300)
    expect(Number.isInteger(result.nextAt)).toBe(true)
  })

  test('may also reject', async () => {
    const error = new Error('the reason')
    expect(await resultOf(() => Promise.reject(error))).toMatchObject({ outcome: 'failed', error: error.stack })
  })

  test('has the causes of its error stored', async () => {
    const root = new Error('the root')
    const middle = new Error('the middle', { cause: root })
    const { error } = await throwing(new Error('the end', { cause: middle }))
    expect(error).toMatch(
      /^Error: the end\n {4}at [\s\S]*\nCaused by: Error: the middle\n[\s\S]*\nCaused by: Error: the root\n/,
    )
    expect((await throwing(new Error('the end', { cause: 'a text' }))).error).toMatch(/\nCaused by: Thrown: a text$/)
  })

  test('may throw an error that is its own cause', async () => {
    const error: Error = new Error('again')
    error.cause = error
    const result = await throwing(error)
    expect(result.outcome).toBe('failed')
    expect(result.error).toMatch(/^Error: again\n[\s\S]*\nCaused by: Error: again\n/)
  })

  test.each([
    ['null', null, 'Thrown: null'],
    ['undefined', undefined, 'Thrown: undefined'],
    ['text', 'the reason', 'Thrown: the reason'],
    ['a BigInt', 5n, 'Thrown: 5'],
    ['a symbol', Symbol('a'), 'Thrown: Symbol(a)'],
    ['a frozen object', Object.freeze({ status: 500 }), 'Thrown: {"status":500}'],
    ['an object without a prototype', Object.create(null), 'Thrown: {}'],
    ['an object whose members throw', hostile, 'Thrown: [cannot be shown]'],
  ])('may throw %s', async (_name, thrown, error) => {
    const result = await throwing(thrown)
    expect(result).toMatchObject({ outcome: 'failed', error, nextAt: expect.any(Number) })
    expect(result.thrown).toBe(thrown)
  })

  test.each(['name', 'message', 'stack', 'cause', 'headers', 'response'])(
    'may throw an error whose %s throws',
    async (name) => {
      const thrown = Object.defineProperty(new Error('hostile'), name, { get: fail })
      expect(await throwing(thrown)).toMatchObject({ outcome: 'failed', error: expect.any(String) })
      expect(await throwing(thrown, { attempts: 1 })).toMatchObject({ outcome: 'dead', error: expect.any(String) })
    },
  )

  test('may throw an error that has lost its stack', async () => {
    const thrown = Object.assign(new TypeError('the reason'), { stack: undefined })
    expect(await throwing(thrown)).toMatchObject({ error: 'TypeError: the reason' })
  })

  test('has the first 16 KiB of its error stored', async () => {
    const { error } = await throwing(new Error('x'.repeat(20_000)))
    expect(error).toHaveLength(16_385)
  })

  test('is dead after its last attempt, and not before', async () => {
    const error = new Error('the reason')
    expect(await throwing(error, { attemptsUsed: defaultAttempts - 1 })).toMatchObject({ outcome: 'failed' })
    expect(await throwing(error, { attemptsUsed: defaultAttempts })).toEqual({
      outcome: 'dead',
      error: error.stack,
      thrown: error,
    })
    expect(await throwing(error, { attemptsUsed: 1, attempts: 1 })).toMatchObject({ outcome: 'dead' })
  })

  test('has more attempts if some do not count', async () => {
    const error = new Error('the reason')
    const options = { attempts: 2, uncounted: 1 }
    expect(await throwing(error, { ...options, attemptsUsed: 2 })).toMatchObject({ outcome: 'failed' })
    expect(await throwing(error, { ...options, attemptsUsed: 3 })).toMatchObject({ outcome: 'dead', thrown: error })
    expect(await throwing(error, { ...options, attemptsUsed: 4 })).not.toHaveProperty('thrown', error)
  })

  test('is released if the worker has aborted it, but a success counts', async () => {
    const thrown = new Error('aborted')
    for (const attemptsUsed of [1, defaultAttempts])
      expect(await throwing(thrown, { attemptsUsed, isAborted: () => true })).toEqual({ outcome: 'released', thrown })
    expect(await resultOf(() => 'pong', { isAborted: () => true })).toEqual({ outcome: 'succeeded', result: 'pong' })
  })
})

describe('a handler that throws Retry or Discard', () => {
  test('sets the delay of the retry', async () => {
    expect(await throwing(new Retry({ after: minute }))).toMatchObject({ outcome: 'failed', nextAt: now + minute })
    expect(await throwing(new Retry({ after: 0.4 }))).toMatchObject({ nextAt: now })
    expect(await throwing({ response: { headers: { 'retry-after': '0' } } })).toMatchObject({ nextAt: now })
  })

  test('gets no further attempts through Retry', async () => {
    expect(await throwing(new Retry({ after: 5 }), { attempts: 3, attemptsUsed: 3 })).toMatchObject({ outcome: 'dead' })
  })

  test.each([9e15, Number.MAX_VALUE])('gets the latest time of a Date for a retry after %d ms', async (after) => {
    const { nextAt = 0 } = await throwing(new Retry({ after }))
    expect(new Date(nextAt).toISOString()).toBe('+275760-09-13T00:00:00.000Z')
  })

  test('is not retried after Discard, and its reason is stored', async () => {
    const thrown = new Discard('a fork')
    for (const attemptsUsed of [1, defaultAttempts])
      expect(await throwing(thrown, { attemptsUsed })).toEqual({ outcome: 'discarded', error: 'a fork', thrown })
  })

  test('may use the Discard of another copy of the package, with any reason', async () => {
    expect(await throwing({ name: 'Discard', message: { a: 1 } })).toMatchObject({ error: '[object Object]' })
    expect(await throwing({ name: 'Discard' })).toMatchObject({ outcome: 'discarded', error: expect.any(String) })
    const { error } = await throwing(new Discard('x'.repeat(20_000)))
    expect(error).toHaveLength(16_385)
  })
})

describe('a handler that exceeds its timeout', () => {
  /** Starts a handler that runs until the test calls `resolve` or `reject`. */
  function endless(options: ResolvedHandlerOptions = {}) {
    const delivery: ReceivedDelivery = deliveryOf()
    const { promise, reject, resolve } = Promise.withResolvers<string>()
    const running = start(() => promise, { delivery, ...options })
    let settled = false
    void running.settled.then(() => {
      settled = true
    })
    return { delivery, running, resolve, reject, isSettled: () => settled }
  }

  test('has failed and is aborted, and settles when its code has ended', async () => {
    const { delivery, running, resolve, isSettled } = endless({ timeout: 500 })
    pass(499)
    expect(delivery.signal.aborted).toBe(false)
    pass(1)
    expect(delivery.signal.aborted).toBe(true)
    const result = await running.result
    expect(result).toMatchObject({ outcome: 'failed', error: expect.stringContaining('did not finish within 500 ms') })
    expect(result.thrown).toMatchObject({ name: 'TimeoutError' })
    expect(delivery.signal.reason).toBe(result.thrown)
    await turnOfTheLoop()
    expect(isSettled()).toBe(false)
    resolve('too late')
    await running.settled
  })

  test('also settles when it rejects afterwards', async () => {
    const { running, reject } = endless({ timeout: 500 })
    pass(500)
    await running.result
    reject(new Error('too late'))
    await running.settled
  })

  test('has failed after 15 minutes by default', async () => {
    expect(defaultTimeout).toBe(15 * minute)
    const { delivery, running } = endless()
    pass(15 * minute - 1)
    expect(delivery.signal.aborted).toBe(false)
    pass(1)
    expect(await running.result).toMatchObject({ outcome: 'failed' })
  })

  test('is dead if that was its last attempt', async () => {
    const { running } = endless({ timeout: 500, attempts: 1 })
    pass(500)
    expect(await running.result).toMatchObject({ outcome: 'dead' })
  })

  test('leaves no timer behind when it ends in time', async () => {
    await resultOf(() => 'pong')
    await throwing(new Error('failed'))
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('an attempt beyond the limit', () => {
  test('does not run the handler: the lease of the last attempt expired', async () => {
    const handler = vi.fn()
    const { result, settled } = start(handler, { attemptsUsed: 4, attempts: 3 })
    expect(await result).toMatchObject({
      outcome: 'dead',
      error: expect.stringContaining('All 3 attempts are used up'),
    })
    expect((await result).thrown).toBeInstanceOf(Error)
    await settled
    await resultOf(handler, { attemptsUsed: defaultAttempts + 1 })
    expect(handler).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })
})
