import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type DeliveryState,
  deliveryStateOf,
  deliveryStates,
  isRearmed,
  type TaskState,
} from '../../src/inbox/records.ts'

const cases: [TaskState[], DeliveryState][] = [
  [[], 'ignored'],
  [['gone', 'gone'], 'ignored'],
  [['done'], 'done'],
  [['done', 'gone'], 'done'],
  [['done', 'discarded'], 'done'],
  [['discarded', 'discarded'], 'discarded'],
  [['discarded', 'gone'], 'discarded'],
  [['dead', 'done', 'discarded', 'gone'], 'dead'],
  [['pending', 'dead', 'done'], 'pending'],
  [['retrying', 'pending', 'dead'], 'retrying'],
  [['running', 'retrying', 'pending', 'dead', 'done'], 'running'],
]

describe('the state of a delivery', () => {
  test.each(cases)('with tasks %j is %s', (tasks, state) => {
    expect(deliveryStateOf(tasks)).toBe(state)
    expect(deliveryStateOf(tasks.toReversed())).toBe(state)
  })

  test('is a known state for any tasks, and ended only if all tasks have ended', () => {
    const taskStates: TaskState[] = ['pending', 'running', 'retrying', 'done', 'dead', 'discarded', 'gone']
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...taskStates)), (tasks) => {
        const state = deliveryStateOf(tasks)
        const open = ['pending', 'running', 'retrying']
        expect(deliveryStates).toContain(state)
        expect(open.includes(state)).toBe(tasks.some((one) => open.includes(one)))
      }),
    )
  })
})

test.each([
  ['pending', false],
  ['running', false],
  ['retrying', false],
  ['done', false],
  ['dead', true],
  ['discarded', true],
  ['ignored', true],
] as const)('another copy of a delivery that is %s rearms it: %s', (state, expected) => {
  expect(isRearmed(state)).toBe(expected)
})
