import { describe, expect, test, vi } from 'vitest'
import { Deadline, SharedTimer } from '../../src/runtime/deadline.ts'
import { pass, stopTheClock } from '../receiver/fixtures.ts'

stopTheClock('setTimeout', 'clearTimeout')

const late = () => new Error('late')

describe('a deadline', () => {
  test('expires after its time, and not before', () => {
    const deadline = new Deadline(9000)
    pass(8999)
    expect(deadline.expired).toBe(false)
    pass(1)
    expect(deadline.expired).toBe(true)
  })

  test('calls each listener once', () => {
    const deadline = new Deadline(9000)
    const listeners = [vi.fn(), vi.fn()]
    for (const listener of listeners) deadline.onExpire(listener)
    pass(8999)
    expect(listeners.map(({ mock }) => mock.calls.length)).toEqual([0, 0])
    pass(60_000)
    expect(listeners.map(({ mock }) => mock.calls.length)).toEqual([1, 1])
  })

  test('calls at once a listener that is added after the expiry', () => {
    const deadline = new Deadline(9000)
    pass(9000)
    const listener = vi.fn()
    deadline.onExpire(listener)
    expect(listener).toHaveBeenCalledTimes(1)
  })

  test('does not call a removed listener', () => {
    const deadline = new Deadline(9000)
    const [taken, kept] = [vi.fn(), vi.fn()]
    const takeBack = deadline.onExpire(taken)
    deadline.onExpire(kept)
    takeBack()
    takeBack()
    pass(9000)
    expect([taken.mock.calls.length, kept.mock.calls.length]).toEqual([0, 1])
  })

  test('stops when it is cleared', () => {
    const deadline = new Deadline(9000)
    const listener = vi.fn()
    deadline.onExpire(listener)
    deadline.clear()
    pass(60_000)
    expect([deadline.expired, listener.mock.calls.length, vi.getTimerCount()]).toEqual([false, 0, 0])
  })

  test('does not keep the process alive', () => {
    vi.useRealTimers()
    const timers = vi.spyOn(globalThis, 'setTimeout')
    try {
      const deadline = new Deadline(60_000)
      const timer = timers.mock.results[0]?.value as NodeJS.Timeout
      expect(timer.hasRef()).toBe(false)
      deadline.clear()
    } finally {
      timers.mockRestore()
    }
  })
})

describe('a race with a deadline', () => {
  test('settles like a promise that settles in time', async () => {
    const deadline = new Deadline(9000)
    expect(await deadline.race(Promise.resolve('value'), late)).toBe('value')
    const failure = new Error('failure')
    await expect(deadline.race(Promise.reject(failure), late)).rejects.toBe(failure)
    await expect(deadline.race(Promise.reject(null), late)).rejects.toBe(null)
  })

  test('rejects when the deadline expires', async () => {
    const deadline = new Deadline(9000)
    const race = deadline.race(new Promise(() => {}), late)
    pass(9000)
    await expect(race).rejects.toThrow('late')
  })

  test('rejects at once after the deadline', async () => {
    const deadline = new Deadline(9000)
    pass(9000)
    await expect(deadline.race(new Promise(() => {}), late)).rejects.toThrow('late')
  })

  test('creates its error only if the deadline expires, and leaves no listener', async () => {
    const deadline = new Deadline(9000)
    const never = vi.fn(late)
    await deadline.race(Promise.resolve(), never)
    await deadline.race(Promise.reject(new Error('failure')), never).catch(() => {})
    pass(9000)
    expect([deadline.expired, never.mock.calls.length]).toEqual([true, 0])
  })

  test('ignores a later failure of the promise', async () => {
    const deadline = new Deadline(9000)
    const { promise, reject } = Promise.withResolvers()
    const race = deadline.race(promise, late)
    pass(9000)
    reject(new Error('afterwards'))
    await expect(race).rejects.toThrow('late')
  })

  test('accepts any thenable', async () => {
    // biome-ignore lint/suspicious/noThenProperty: the test needs a thenable
    const thenable = { then: (resolve: (value: string) => void) => resolve('value') } as PromiseLike<string>
    expect(await new Deadline(9000).race(thenable, late)).toBe('value')
  })
})

describe('deadlines that share a timer', () => {
  stopTheClock('performance', 'setTimeout', 'clearTimeout')

  test('each expire after their own time, and not before', () => {
    const timer = new SharedTimer(9000)
    const deadlines: Deadline[] = []
    for (let i = 0; i < 4; i++) {
      deadlines.push(timer.start(performance.now()))
      pass(1000)
    }
    const expired = () => deadlines.map((deadline) => deadline.expired)
    pass(4999)
    expect(expired()).toEqual([false, false, false, false])
    pass(1)
    expect(expired()).toEqual([true, false, false, false])
    pass(1999)
    expect(expired()).toEqual([true, true, false, false])
    pass(60_000)
    expect(expired()).toEqual([true, true, true, true])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('need one timer at a time, and none once all have ended', () => {
    const timer = new SharedTimer(9000)
    const deadlines = Array.from({ length: 100 }, () => timer.start(performance.now()))
    expect(vi.getTimerCount()).toBe(1)
    for (const deadline of deadlines) deadline.clear()
    pass(9000)
    expect([deadlines.some(({ expired }) => expired), vi.getTimerCount()]).toEqual([false, 0])
    const next = timer.start(performance.now())
    pass(9000)
    expect(next.expired).toBe(true)
  })

  test('call their own listeners', () => {
    const timer = new SharedTimer(9000)
    const [first, second, cleared] = [vi.fn(), vi.fn(), vi.fn()]
    timer.start(performance.now()).onExpire(first)
    const abandoned = timer.start(performance.now())
    abandoned.onExpire(cleared)
    abandoned.clear()
    pass(1)
    timer.start(performance.now()).onExpire(second)
    pass(8999)
    expect([first, second, cleared].map(({ mock }) => mock.calls.length)).toEqual([1, 0, 0])
    pass(1)
    expect([first, second, cleared].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 0])
  })
})
