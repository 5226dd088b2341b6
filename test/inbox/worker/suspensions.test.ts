import os from 'node:os'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Suspensions } from '../../../src/inbox/worker/suspensions.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }))
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Lets time pass without timers, as while a process is stopped. */
const stopFor = (ms: number) => void vi.setSystemTime(Date.now() + ms)

test('a process that runs is never suspended, however seldom its count is read', () => {
  const suspensions = new Suspensions(1000, Date)
  suspensions.start()
  vi.advanceTimersByTime(60_000)
  expect(suspensions.count).toBe(0)
  suspensions.stop()
  expect(vi.getTimerCount()).toBe(0)
})

test('has one timer until it is stopped, and none afterwards', () => {
  const suspensions = new Suspensions(1000, Date)
  suspensions.start()
  suspensions.start()
  expect(vi.getTimerCount()).toBe(1)
  suspensions.stop()
  suspensions.start()
  expect(vi.getTimerCount()).toBe(0)
})

test('each time without timers that is longer than the leases last is a suspension', () => {
  const suspensions = new Suspensions(1000, Date)
  stopFor(1000)
  expect(suspensions.count).toBe(0)
  stopFor(1001)
  expect([suspensions.count, suspensions.count]).toEqual([1, 1])
  stopFor(60_000)
  expect(suspensions.count).toBe(2)
})

test('a clock that is set back is no suspension', () => {
  const suspensions = new Suspensions(1000, Date)
  stopFor(-60_000)
  expect(suspensions.count).toBe(0)
})

test('a clock that is set back while the machine is suspended does not hide the suspension', () => {
  const suspensions = new Suspensions(10_000, Date)
  const awake = os.uptime()
  stopFor(-30_000) // set back by a minute during a suspension of half a minute
  vi.spyOn(os, 'uptime').mockReturnValue(awake + 30)
  expect([suspensions.count, suspensions.count]).toEqual([1, 1])
  stopFor(-5000)
  expect(suspensions.count).toBe(1)
})

test('an answer that takes longer than the leases last is late, although the process runs', () => {
  const suspensions = new Suspensions(2000, Date)
  suspensions.start()
  const call = suspensions.callTime()
  vi.advanceTimersByTime(2000)
  expect(suspensions.isLate(call)).toBe(false)
  vi.advanceTimersByTime(1)
  expect(suspensions.isLate(call)).toBe(true)
  expect(suspensions.callTime()).toEqual({ at: performance.now(), suspensions: call.suspensions })
  suspensions.stop()
})

test('an answer within a second is never late, however short the leases are', () => {
  const suspensions = new Suspensions(10, Date)
  const call = suspensions.callTime()
  vi.advanceTimersByTime(1000)
  expect(suspensions.isLate(call)).toBe(false)
})
