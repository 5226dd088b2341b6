import { expect, test } from 'vitest'
import { GoneListeners } from '../../src/inbox/unhandled-tasks.ts'

test('the first worker that listens gets the tasks that have ended as gone before', () => {
  const listeners = new GoneListeners()
  for (const handler of ['removed', 'renamed', 'removed']) listeners.report({ handler, count: 2 })
  const [first, second]: unknown[][] = [[], []]
  listeners.add(1, (tasks) => first?.push(tasks))
  listeners.add(2, (tasks) => second?.push(tasks))
  listeners.report({ handler: 'late', count: 1 })
  expect(first).toEqual([
    { handler: 'removed', count: 4 },
    { handler: 'renamed', count: 2 },
    { handler: 'late', count: 1 },
  ])
  expect(second).toEqual([])
})
