import { expect, test } from 'vitest'
import { transitionOf } from '../../src/inbox/task-state.ts'

const attempt = { id: 1, handler: 'deploy', attempt: 2, startedAt: 1000, duration: 50 }

test.each([
  ['succeeded', undefined, { state: 'done', attemptsUsedChange: 0 }],
  ['failed', 6050, { state: 'retrying', nextAt: 6050, delay: 5000, attemptsUsedChange: 0 }],
  ['failed', 1050, { state: 'retrying', nextAt: 1050, delay: 0, attemptsUsedChange: 0 }],
  ['failed', undefined, { state: 'retrying', nextAt: 0, attemptsUsedChange: 0 }],
  ['dead', undefined, { state: 'dead', attemptsUsedChange: 0 }],
  ['discarded', undefined, { state: 'discarded', attemptsUsedChange: 0 }],
  ['released', undefined, { state: 'pending', nextAt: 0, attemptsUsedChange: -1 }],
] as const)('an attempt that %s and is due again at %s makes its task %j', (outcome, nextAt, transition) => {
  expect(transitionOf({ ...attempt, outcome, nextAt })).toEqual(transition)
})
