import { describe, expect, test } from 'vitest'
import type { ClaimRequest } from '../../../src/inbox/task-queue.ts'
import { decideClaims, type FetchedTask } from '../../../src/postgres/task-queue/claim.ts'

const task = (id: number, rest: Partial<FetchedTask> = {}): FetchedTask => ({
  delivery_id: id,
  handler: 'a',
  job: `job ${id}`,
  next_at: 0,
  attempt: 0,
  attempts_used: 0,
  order_hash: null,
  size: 10,
  replayed: false,
  suspect: false,
  ...rest,
})

const limits = { bytes: 100, largest: 50, now: 1000 }

function decide(
  tasks: readonly FetchedTask[],
  options: Partial<Omit<ClaimRequest, 'wanted'>> = {},
  isFirst = (_id: number) => true,
) {
  const decision = decideClaims(tasks, { ...limits, ...options }, ({ delivery_id }) => isFirst(delivery_id))
  const ids = Object.entries(decision).map(([name, found]: [string, FetchedTask[]]) => {
    return [name, found.map(({ delivery_id }) => delivery_id)] as const
  })
  return Object.fromEntries(ids.filter(([, found]) => found.length > 0))
}

describe('the decision about fetched tasks', () => {
  test.each([
    ['claims due tasks', [task(1), task(2, { next_at: 1000 })], {}, { claimed: [1, 2] }],
    ['leaves tasks that are not due', [task(1, { next_at: 1001 }), task(2)], {}, { claimed: [2], notDue: [1] }],
    [
      'skips tasks that exceed the remaining bytes',
      [task(1), task(2, { size: 11 }), task(3)],
      { bytes: 20 },
      { claimed: [1, 3], notDue: [2] },
    ],
    [
      'claims the first task even if it exceeds the bytes',
      [task(1), task(2)],
      { bytes: 1 },
      { claimed: [1], notDue: [2] },
    ],
    ['skips large bodies', [task(1, { size: 51 }), task(2)], {}, { claimed: [2], postponed: [1] }],
    [
      'claims one suspect at most, beside other tasks',
      [task(1, { suspect: true }), task(2, { suspect: true }), task(3)],
      { suspect: true },
      { claimed: [1, 3], postponed: [2] },
    ],
    [
      'claims no suspect while another one runs',
      [task(1, { suspect: true }), task(2)],
      { suspect: false },
      { claimed: [2], postponed: [1] },
    ],
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
    decide([task(1, { size: 51 }), task(2, { next_at: 1001 }), task(3)], {}, (id) => asked.push(id) > 0)
    expect(asked).toEqual([3])
  })
})
