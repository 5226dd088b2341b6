import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { RoundLoop, WorkSignal } from '../../../src/inbox/worker/round-loop.ts'

const interval = 200

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** A loop whose rounds have these results in turn, then find no work. */
function loopOf(...results: (boolean | Error)[]) {
  const round = vi.fn(async () => {
    const result = results.shift() ?? false
    if (result instanceof Error) throw result
    return result
  })
  const failed = vi.fn()
  return { loop: new RoundLoop({ interval, round, failed }), round, failed }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('a loop that polls', () => {
  test('runs rounds until one finds no work, then one each interval', async () => {
    const { loop, round } = loopOf(true, true)
    loop.start()
    await pass(0)
    expect(round).toHaveBeenCalledTimes(3)
    await pass(interval - 1)
    expect(round).toHaveBeenCalledTimes(3)
    await pass(1)
    expect(round).toHaveBeenCalledTimes(4)
    await loop.stop()
  })

  test('starts a round when it is woken while it sleeps', async () => {
    const { loop, round } = loopOf()
    loop.start()
    await pass(1)
    loop.wake()
    await pass(0)
    expect(round).toHaveBeenCalledTimes(2)
    await loop.stop()
  })

  test('does not sleep if it was woken during the round', async () => {
    const { loop, round } = loopOf()
    loop.start()
    loop.wake()
    await pass(0)
    expect(round).toHaveBeenCalledTimes(2)
    await loop.stop()
  })

  test('pauses for a second after a round that failed, even though it is woken', async () => {
    const error = new Error('down')
    const { loop, round, failed } = loopOf(error)
    loop.start()
    await pass(1)
    loop.wake()
    await pass(998)
    expect([round.mock.calls.length, failed.mock.calls]).toEqual([1, [[error]]])
    await pass(1)
    expect(round).toHaveBeenCalledTimes(2)
    await loop.stop()
  })

  test.each([
    ['a sleep', false],
    ['a pause', new Error('down')],
  ])('is stopped at once during %s', async (_name, result) => {
    const { loop, round } = loopOf(result)
    loop.start()
    await pass(1)
    await loop.stop()
    loop.start()
    await pass(10_000)
    expect([loop.isStopped, round.mock.calls.length]).toEqual([true, 1])
  })

  test('ends the round that it is stopped in', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const loop = new RoundLoop({ interval, round: () => promise, failed: () => {} })
    loop.start()
    let hasEnded = false
    const stopped = loop.stop().then(() => {
      hasEnded = true
    })
    await pass(10_000)
    expect(hasEnded).toBe(false)
    resolve(true)
    await stopped
  })

  test('never starts after a stop', async () => {
    const { loop, round } = loopOf()
    await loop.stop()
    loop.start()
    await pass(10_000)
    expect(round).not.toHaveBeenCalled()
  })
})

describe('a loop that runs until it is done', () => {
  const answers = (...results: boolean[]) => vi.fn(async () => results.shift() ?? true)

  test('asks whether it is done only after a round that found no work', async () => {
    const { loop, round } = loopOf(true, true)
    const isDone = answers()
    await loop.runUntil(isDone)
    expect([round.mock.calls.length, isDone.mock.calls.length]).toEqual([3, 1])
  })

  test('sleeps before the next round while it is not done', async () => {
    const { loop, round } = loopOf()
    const running = loop.runUntil(answers(false, false))
    await pass(interval)
    expect(round).toHaveBeenCalledTimes(2)
    loop.wake()
    await running
    expect(round).toHaveBeenCalledTimes(3)
  })

  test('rejects with the error of a round', async () => {
    const error = new Error('down')
    const { loop, failed } = loopOf(true, error)
    await expect(loop.runUntil(answers())).rejects.toBe(error)
    await loop.stop()
    expect(failed).not.toHaveBeenCalled()
  })

  test('does not wait for a round when it is stopped', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const loop = new RoundLoop({ interval, round: () => promise, failed: () => {} })
    const running = loop.runUntil(answers())
    const stopped = loop.stop()
    await running
    resolve(true)
    await stopped
  })

  test('runs no round after a stop', async () => {
    const { loop, round } = loopOf()
    await loop.stop()
    await loop.runUntil(answers(false))
    expect(round).not.toHaveBeenCalled()
  })
})

describe('a work signal', () => {
  test('is raised at first, and cleared when it is taken', () => {
    const signal = new WorkSignal()
    expect([signal.take(interval), signal.take(interval)]).toEqual([true, false])
    signal.raise()
    expect([signal.take(interval), signal.take(interval)]).toEqual([true, false])
  })

  test('that is not raised is due once per interval', async () => {
    const signal = new WorkSignal()
    signal.take(interval)
    await pass(interval - 1)
    expect(signal.take(interval)).toBe(false)
    await pass(1)
    expect([signal.take(interval), signal.take(interval)]).toEqual([true, false])
  })
})
