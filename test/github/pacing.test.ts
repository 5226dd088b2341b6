import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Pacing, type PacingGroup, pacingFor } from '../../src/github/pacing.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const { signal } = new AbortController()

/** The group for requests that nothing aborts. */
const groupOf = (pacing: Pacing, isBackground = false): PacingGroup => pacing.for({ signal, isBackground })

/** Schedules requests, and returns the seconds at which they were sent. */
function send(group: PacingGroup, id: string, count: number): number[] {
  const times: number[] = []
  for (let index = 0; index < count; index++) {
    void group.key(id).schedule({}, () => void times.push(performance.now() / 1000))
  }
  return times
}

test('sends some requests at once, and the others at the interval, for each id', async () => {
  const group = groupOf(new Pacing(1000, 3))
  const start = performance.now() / 1000
  const [one, other] = [send(group, 'one', 5), send(group, 'other', 2)]
  await vi.advanceTimersByTimeAsync(10_000)
  expect(one.map((time) => time - start)).toEqual([0, 0, 0, 1, 2])
  expect(other.map((time) => time - start)).toEqual([0, 0])
})

test('allows one more at once after each interval without requests, but not more than at first', async () => {
  const group = groupOf(new Pacing(1000, 3))
  send(group, 'one', 3)
  await vi.advanceTimersByTimeAsync(2000)
  let start = performance.now() / 1000
  const later = send(group, 'one', 3)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(later.map((time) => time - start)).toEqual([0, 0, 1])
  start = performance.now() / 1000
  const muchLater = send(group, 'one', 4)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(muchLater.map((time) => time - start)).toEqual([0, 0, 0, 1])
})

test('sends requests in the background when no other request waits', async () => {
  const pacing = new Pacing(1000, 2)
  const group = groupOf(pacing)
  const start = performance.now() / 1000
  const background = send(groupOf(pacing, true), 'one', 4)
  await vi.advanceTimersByTimeAsync(500)
  const others = send(group, 'one', 2)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(others.map((time) => time - start)).toEqual([1, 2])
  expect(background.map((time) => time - start)).toEqual([0, 0, 3, 4])
})

test('keeps the order while requests wait without a burst', async () => {
  const group = groupOf(new Pacing(1000, 1))
  const start = performance.now() / 1000
  const first = send(group, 'one', 3)
  await vi.advanceTimersByTimeAsync(1000)
  const [other, later] = [send(group, 'other', 1), send(group, 'one', 1)]
  await vi.advanceTimersByTimeAsync(10_000)
  expect([first, later].flat().map((time) => time - start)).toEqual([0, 1, 2, 3])
  expect(other.map((time) => time - start)).toEqual([1])
})

test('does not delay a request that is sent again', async () => {
  const group = groupOf(new Pacing(1000, 1))
  send(group, 'one', 2)
  expect(await group.key('one').schedule({ weight: 0 }, () => 'sent')).toBe('sent')
})

test('never delays a request if it is off', async () => {
  for (let sent = 0; sent < 100; sent++) {
    expect(
      await pacingFor(undefined)
        .notifications.key('one')
        .schedule({}, (text) => text, 'sent'),
    ).toBe('sent')
  }
})

test('gives the turn of an aborted request to the next one', async () => {
  const pacing = new Pacing(1000, 1)
  const start = performance.now() / 1000
  const ending = new AbortController()
  const aborted = pacing.for({ signal: ending.signal, isBackground: false }).key('one')
  const first = send(groupOf(pacing), 'one', 1)
  const ended = Promise.allSettled(Array.from({ length: 5 }, () => aborted.schedule({}, () => 'sent')))
  const others = send(groupOf(pacing), 'one', 2)
  ending.abort(new Error('the handler timed out'))
  await vi.advanceTimersByTimeAsync(5000)
  expect([first, others].flat().map((time) => time - start)).toEqual([0, 1, 2])
  expect((await ended).map(({ status }) => status)).toEqual(Array(5).fill('rejected'))
  await expect(aborted.schedule({}, () => 'sent')).rejects.toThrow('the handler timed out')
})

test('keeps the interval if all waiting requests were aborted', async () => {
  const pacing = new Pacing(1000, 1)
  const start = performance.now() / 1000
  const ending = new AbortController()
  send(groupOf(pacing), 'one', 1)
  const ended = pacing
    .for({ signal: ending.signal, isBackground: true })
    .key('one')
    .schedule({}, () => 'sent')
  ended.catch(() => {})
  ending.abort()
  const [later] = [send(groupOf(pacing), 'one', 2)]
  await vi.advanceTimersByTimeAsync(5000)
  expect(later.map((time) => time - start)).toEqual([1, 2])
})
