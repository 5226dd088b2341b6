import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { ResolvedHandlerOptions } from '../../../src/handler.ts'
import { Slots } from '../../../src/inbox/worker/slots.ts'

const registrationOf = (name: string, options: ResolvedHandlerOptions = {}) => {
  return { name, events: [], replies: true, handler: () => {}, options }
}

test('a handler has as many slots as its concurrency, 25 by default', () => {
  const slots = new Slots()
  expect(slots.free(registrationOf('a'))).toBe(25)
  expect(slots.free(registrationOf('a', { concurrency: 2 }))).toBe(2)
})

test('slots are taken and released for each handler on its own', () => {
  const slots = new Slots()
  const [a, b] = [registrationOf('a', { concurrency: 2 }), registrationOf('b', { concurrency: 2 })]
  const first = slots.take(a)
  slots.take(a)
  expect([slots.free(a), slots.free(b)]).toEqual([0, 2])
  first?.release()
  slots.take(b)
  expect([slots.free(a), slots.free(b)]).toEqual([1, 1])
})

test('a slot that is released twice is free once, and none is given out beyond the concurrency', () => {
  const slots = new Slots()
  const one = registrationOf('one', { concurrency: 1 })
  const slot = slots.take(one)
  expect(slots.take(one)).toBeUndefined()
  slot?.release()
  slot?.release()
  expect(slots.takeAll(one)).toHaveLength(1)
  expect(slots.free(one)).toBe(0)
})

describe('tasks that are claimed ahead', () => {
  const one = registrationOf('one', { concurrency: 1 })

  /** Slots of `one` after a round in which this number of tasks has ended. */
  function slotsAfter(ended: number): Slots {
    const slots = new Slots()
    for (let i = 0; i < ended; i++) slots.take(one)?.release()
    slots.startRound()
    return slots
  }

  test('are as many as have ended since the round before, and 200 at most', () => {
    const counts = [0, 3, 1000].map((ended) => slotsAfter(ended).claimable(one))
    expect(counts).toEqual([1, 4, 201])
    const slots = slotsAfter(3)
    for (let i = 0; i < 3; i++) slots.takeAhead(one)
    expect([slots.claimable(one), slots.taken]).toEqual([1, 3])
    slots.startRound()
    expect(slots.claimable(one)).toBe(0)
  })

  test('are none for a handler with one attempt', () => {
    const once = registrationOf('one', { concurrency: 1, attempts: 1 })
    const slots = slotsAfter(3)
    expect(slots.claimable(once)).toBe(1)
    slots.take(once)
    expect(slots.takeNext(once)).toBeUndefined()
  })

  test('may have order keys', () => {
    const ordered = registrationOf('one', { concurrency: 1, order: 'repository' })
    expect(slotsAfter(9).claimable(ordered)).toBe(10)
  })

  test('may be the next task of a chain, although the round has no room', async () => {
    const slots = slotsAfter(0)
    const [running, next] = [slots.takeNext(one), slots.takeNext(one)]
    expect([running?.turn, next?.turn, slots.takeAhead(one)]).toEqual([undefined, expect.any(Promise), undefined])
    expect([slots.claimable(one), slots.takeAll(one)]).toEqual([0, expect.objectContaining({ length: 0, ahead: 0 })])
    running?.release()
    expect(await next?.turn).toBe(true)
  })

  test('get slots in their order when earlier tasks end', async () => {
    const slots = slotsAfter(2)
    const [first, second, third] = [slots.takeAhead(one), slots.takeAhead(one), slots.takeAhead(one)]
    expect([first?.turn, slots.takeAhead(one)]).toEqual([undefined, undefined])
    const turns: string[] = []
    void second?.turn?.then((mayRun) => turns.push(`second ${mayRun}`))
    void third?.turn?.then((mayRun) => turns.push(`third ${mayRun}`))
    first?.release()
    await setImmediate()
    expect([turns, slots.free(one)]).toEqual([['second true'], 0])
    second?.release()
    third?.release()
    await setImmediate()
    expect([turns, slots.free(one), slots.taken]).toEqual([['second true', 'third true'], 1, 0])
  })

  test('get no slot after they were released', async () => {
    const slots = slotsAfter(2)
    const running = slots.take(one)
    const [timedOut, stopped] = [slots.takeAhead(one), slots.takeAhead(one)]
    timedOut?.release()
    slots.releaseWaiting()
    expect([await timedOut?.turn, await stopped?.turn]).toEqual([false, false])
    stopped?.release()
    expect([slots.taken, slots.free(one)]).toEqual([1, 0])
    running?.release()
    expect(slots.free(one)).toBe(1)
  })

  test('may be due tasks, which get free slots first', () => {
    const slots = slotsAfter(1)
    const claim = slots.takeAll(one)
    expect(claim).toHaveLength(2)
    const [first, second] = [claim.pop(), claim.pop()]
    expect([first?.turn, second?.turn, claim.pop()]).toEqual([undefined, expect.any(Promise), undefined])
    claim.release()
    expect(slots.taken).toBe(2)
  })

  test('get no slot while more tasks run than a lowered concurrency allows', async () => {
    const slots = slotsAfter(5)
    const running = Array.from({ length: 3 }, () => slots.take(registrationOf('one', { concurrency: 3 })))
    const waiting = slots.takeAll(one).pop()
    const turns: boolean[] = []
    void waiting?.turn?.then((mayRun) => turns.push(mayRun))
    for (const slot of running) {
      await setImmediate()
      expect(turns).toEqual([])
      slot?.release()
    }
    await setImmediate()
    expect([turns, slots.free(one)]).toEqual([[true], 0])
  })

  test('get the slots that a higher concurrency adds, before other tasks', async () => {
    const slots = slotsAfter(5)
    slots.take(one)
    const waiting = slots.takeAhead(one)
    const two = registrationOf('one', { concurrency: 2 })
    expect(slots.takeAll(two).pop()?.turn).toBeInstanceOf(Promise)
    expect(await waiting?.turn).toBe(true)
  })
})
