import { expect, test } from 'vitest'
import type { HandlerOptions } from '../../../src/handler.ts'
import { Slots } from '../../../src/inbox/worker/concurrency.ts'

const registrationOf = (name: string, options: HandlerOptions = {}) => {
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
