import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DeliveryState, deliveryStates, type TaskState } from '../../src/inbox/records.ts'
import { deliveryStateOf, isRearmed, transitionOf } from '../../src/inbox/states.ts'

const attempt = { id: 1, handler: 'deploy', attempt: 2, startedAt: 1000, duration: 50 }

test.each([
  ['succeeded', undefined, { state: 'done', attemptsUsedChange: 0 }],
  ['failed', 6050, { state: 'retrying', nextAt: 6050, delay: 5000, attemptsUsedChange: 0 }],
  ['failed', 1050, { state: 'retrying', nextAt: 1050, delay: 0, attemptsUsedChange: 0 }],
  ['failed', undefined, { state: 'retrying', nextAt: 0, attemptsUsedChange: 0 }],
  ['dead', undefined, { state: 'dead', attemptsUsedChange: 0 }],
  ['discarded', undefined, { state: 'discarded', attemptsUsedChange: 0 }],
  ['released', undefined, { state: 'pending', nextAt: 0, attemptsUsedChange: -1 }],
] as const)('an attempt with the outcome %s and the retry time %s leads to %j', (outcome, nextAt, transition) => {
  expect(transitionOf({ ...attempt, outcome, nextAt })).toEqual(transition)
})

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
