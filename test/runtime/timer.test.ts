import { describe, expect, test, vi } from 'vitest'
import { within } from '../../src/runtime/timer.ts'
import { pass, stopTheClock, turnOfTheLoop } from '../receiver/fixtures.ts'

stopTheClock('setTimeout', 'clearTimeout')

/** Whether the promise has settled. */
function watch(work: Promise<void>) {
  const seen = { over: false }
  void work
    .finally(() => {
      seen.over = true
    })
    .catch(() => {})
  return seen
}

describe('within', () => {
  test('resolves when the work is done', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const seen = watch(within(1000, promise))
    await turnOfTheLoop()
    expect(seen.over).toBe(false)
    resolve()
    await turnOfTheLoop()
    expect(seen.over).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('ends after its time', async () => {
    const seen = watch(within(1000, new Promise(() => {})))
    pass(999)
    await turnOfTheLoop()
    expect(seen.over).toBe(false)
    pass(1)
    await turnOfTheLoop()
    expect(seen.over).toBe(true)
  })

  test('accepts any time limit', async () => {
    const seen = watch(within(Number.POSITIVE_INFINITY, new Promise(() => {})))
    pass(2 ** 31 - 2)
    await turnOfTheLoop()
    expect(seen.over).toBe(false)
  })

  test('leaves no timer if the work fails', async () => {
    await expect(within(1000, Promise.reject(new Error('failed')))).rejects.toThrow('failed')
    expect(vi.getTimerCount()).toBe(0)
  })
})
