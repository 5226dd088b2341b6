import { describe, expect, test } from 'vitest'
import type { ClaimRequest } from '../../../src/inbox/task-queue.ts'
import { type DueTask, decideClaims } from '../../../src/postgres/task-queue/claim.ts'

const task = (id: number, rest: Partial<DueTask> = {}): DueTask => ({
  delivery_id: id,
  handler: 'a',
  attempt: 0,
  attempts_used: 0,
  uncounted: 0,
  order_hash: null,
  pass: 0,
  ready: true,
  size: 10,
  replayed: false,
  suspect: false,
  ...rest,
})

const limits = { wanted: { a: 10, b: 10 }, bytes: 100 }

function decide(
  tasks: readonly DueTask[],
  options: Partial<Pick<ClaimRequest, 'wanted' | 'bytes'>> = {},
  isFirst = (_id: number) => true,
) {
  const decision = decideClaims(tasks, { ...limits, ...options }, ({ delivery_id }) => isFirst(delivery_id))
  const ids = Object.entries(decision).map(([name, found]: [string, DueTask[]]) => {
    return [name, found.map(({ delivery_id }) => delivery_id)] as const
  })
  return Object.fromEntries(ids.filter(([, found]) => found.length > 0))
}

describe('the decision about due tasks', () => {
  test.each([
    ['claims due tasks', [task(1), task(2)], {}, { claimed: [1, 2] }],
    [
      'claims at most the wanted number of each handler',
      [task(1), task(2), task(3, { handler: 'b' }), task(4, { handler: 'unknown' })],
      { wanted: { a: 1, b: 1 } },
      { claimed: [1, 3] },
    ],
    [
      'skips tasks that exceed the remaining bytes',
      [task(1), task(2, { size: 11 }), task(3)],
      { bytes: 20 },
      { claimed: [1, 3] },
    ],
    ['claims the first task even if it exceeds the bytes', [task(1), task(2)], { bytes: 1 }, { claimed: [1] }],
    ['accepts an empty list', [], {}, {}],
  ] as const)('%s', (_name, tasks, options, expected) => {
    expect(decide(tasks, options)).toEqual(expected)
  })

  test('blocks tasks that are not first in their queue, and uses no bytes for them', () => {
    const decision = decide([task(1), task(2), task(3)], { bytes: 20 }, (id) => id !== 2)
    expect(decision).toEqual({ claimed: [1, 3], blocked: [2] })
  })

  test('checks the order only of tasks that it would claim', () => {
    const asked: number[] = []
    decide([task(1), task(2, { size: 101 }), task(3)], { bytes: 100 }, (id) => asked.push(id) > 0)
    expect(asked).toEqual([1, 3])
  })
})
