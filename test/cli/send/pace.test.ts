import { expect, test } from 'vitest'
import { Pace } from '../../../src/cli/send/pace.ts'

/** Asks for `count` turns, each as soon as the last one came, at a clock that is `late` behind each turn. */
function turns(pace: Pace, count: number, late: (index: number) => number): number[] {
  const found: number[] = []
  let now = 0
  for (let index = 0; index < count; index++) {
    found.push(pace.next(now))
    now = (found.at(-1) ?? 0) + late(index)
  }
  return found
}

test('turns are evenly spread, from the first moment on', () => {
  expect(turns(new Pace(100, 0), 4, () => 0)).toEqual([0, 10, 20, 30])
})

test('turns that are booked ahead are as far apart', () => {
  const pace = new Pace(100, 0)
  expect([pace.next(0), pace.next(0), pace.next(0)]).toEqual([0, 10, 20])
})

test('late timers do not add up', () => {
  const found = turns(new Pace(100, 0), 100, () => 3)
  expect(found.at(-1)).toBe(990)
})

test('what is made up for comes at twice the rate, and in no burst', () => {
  const found = turns(new Pace(100, 0), 12, (index) => (index === 0 ? 50 : 0))
  expect(found).toEqual([0, 50, 55, 60, 65, 70, 75, 80, 85, 90, 100, 110])
})

test('who stood still for longer begins anew', () => {
  expect(turns(new Pace(100, 0), 4, (index) => (index === 0 ? 5000 : 0))).toEqual([0, 5000, 5010, 5020])
})
