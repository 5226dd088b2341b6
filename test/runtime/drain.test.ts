import { describe, expect, test, vi } from 'vitest'
import { Drain } from '../../src/runtime/drain.ts'
import { pass, stopTheClock, turnOfTheLoop } from '../receiver/fixtures.ts'

stopTheClock('setTimeout', 'clearTimeout')

/** Whether it has come to its end. */
function watch(work: Promise<void>) {
  const seen = { over: false }
  void work.then(() => {
    seen.over = true
  })
  return seen
}

/** Lets go on what waits for a timer of no time. */
async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    pass(0)
    await turnOfTheLoop()
  }
}

describe('quiet', () => {
  test('is at once where nobody is inside', async () => {
    await new Drain().whenIdle(100)
    const drain = new Drain()
    drain.enter()
    drain.leave()
    await drain.whenIdle(100)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is when the last one has left, and its reply is written', async () => {
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

  test('is given up for when patience is at its end', async () => {
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

  test('is waited for anew each time, though patience has been at its end before', async () => {
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

  test('is waited for anew each time, though it has been quiet before', async () => {
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

  test('may be waited for by several, each with a patience of its own', async () => {
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

describe('closing', () => {
  test('refuses who comes, waits for who is inside, and is over once the last has left', async () => {
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

  test('interrupts what runs after the grace, and waits on', async () => {
    const drain = new Drain()
    const one = { abort: vi.fn() }
    drain.enter()
    drain.running.add(one)
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

  test('is at once where nobody is inside, and may be asked for again', async () => {
    const drain = new Drain()
    const closed = [watch(drain.close(1000)), watch(drain.close(1000))]
    await turn()
    expect(closed.map(({ over }) => over)).toEqual([true, true])
  })
})
