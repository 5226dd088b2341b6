import { describe, expect, test, vi } from 'vitest'
import { Drain } from '../../src/runtime/drain.ts'
import { pass, stopTheClock, turnOfTheLoop } from '../receiver/fixtures.ts'

stopTheClock('setTimeout', 'clearTimeout')

/** Shows whether a promise has resolved. */
function watch(work: Promise<void>) {
  const seen = { over: false }
  void work.then(() => {
    seen.over = true
  })
  return seen
}

/** Runs timers with a delay of 0. */
async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    pass(0)
    await turnOfTheLoop()
  }
}

describe('whenIdle', () => {
  test('resolves at once without a request', async () => {
    await new Drain().whenIdle(100)
    const drain = new Drain()
    drain.enter()
    drain.leave()
    await drain.whenIdle(100)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('resolves when the last request has left, and its reply is written', async () => {
    const drain = new Drain()
    drain.enter()
    drain.enter()
    const quiet = watch(drain.whenIdle(100))
    drain.leave()
    await turn()
    expect(quiet.over).toBe(false)
    drain.leave()
    await turnOfTheLoop()
    expect(quiet.over).toBe(false)
    await turn()
    expect(quiet.over).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('resolves after the timeout', async () => {
    const drain = new Drain()
    drain.enter()
    const quiet = watch(drain.whenIdle(100))
    pass(99)
    await turn()
    expect(quiet.over).toBe(false)
    pass(1)
    await turn()
    expect(quiet.over).toBe(true)
  })

  test('waits again after an earlier timeout', async () => {
    const drain = new Drain()
    drain.enter()
    const first = watch(drain.whenIdle(100))
    pass(100)
    await turn()
    expect(first.over).toBe(true)
    const second = watch(drain.whenIdle(100))
    await turn()
    expect(second.over).toBe(false)
    drain.leave()
    await turn()
    expect(second.over).toBe(true)
  })

  test('waits again after it was idle', async () => {
    const drain = new Drain()
    drain.enter()
    const first = watch(drain.whenIdle(100))
    drain.leave()
    await turn()
    expect(first.over).toBe(true)
    drain.enter()
    const second = watch(drain.whenIdle(100))
    await turn()
    expect(second.over).toBe(false)
  })

  test('has a timeout for each call', async () => {
    const drain = new Drain()
    drain.enter()
    const [short, long] = [watch(drain.whenIdle(10)), watch(drain.whenIdle(100))]
    pass(10)
    await turn()
    expect([short.over, long.over]).toEqual([true, false])
    drain.leave()
    await turn()
    expect(long.over).toBe(true)
  })
})

describe('close', () => {
  test('rejects new requests, and resolves when the last one has left', async () => {
    const drain = new Drain()
    drain.enter()
    const closed = watch(drain.close(1000))
    expect(drain.enter()).toBe(false)
    await turn()
    expect(closed.over).toBe(false)
    drain.leave()
    await turn()
    expect(closed.over).toBe(true)
  })

  test('aborts running handlers after the grace, and keeps waiting', async () => {
    const drain = new Drain()
    const one = { abort: vi.fn() }
    drain.enter()
    drain.running.add({ delivery: one, previous: undefined, next: undefined })
    const closed = watch(drain.close(1000))
    pass(999)
    expect(one.abort).not.toHaveBeenCalled()
    pass(1)
    expect(one.abort).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ name: 'AbortError' }))
    await turn()
    expect(closed.over).toBe(false)
    drain.leave()
    await turn()
    expect(closed.over).toBe(true)
  })

  test('resolves at once without a request, and may be repeated', async () => {
    const drain = new Drain()
    const closed = [watch(drain.close(1000)), watch(drain.close(1000))]
    await turn()
    expect(closed.map(({ over }) => over)).toEqual([true, true])
  })
})
