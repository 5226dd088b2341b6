import { describe, expect, test } from 'vitest'
import {
  type ExistingTask,
  findReplays,
  lacksHandlers,
  type MatchInput,
  matchTasks,
  withOtherPrograms,
} from '../../src/inbox/match-tasks.ts'
import type { TaskState } from '../../src/inbox/records.ts'
import type { MatchedTask } from '../../src/inbox/task-queue.ts'

const task = (handler: string, rest: Partial<MatchedTask> = {}): MatchedTask => ({ handler, claim: true, ...rest })

function decide(tasks: readonly MatchedTask[], rest: Partial<MatchInput<ExistingTask>> = {}) {
  const match = { id: 7, summary: {}, tasks }
  return matchTasks({
    match,
    existing: [],
    rerun: false,
    replayed: false,
    paused: new Set(),
    now: 1000,
    isFirst: () => true,
    ...rest,
  })
}

const states = (existing: Readonly<Record<string, TaskState>>, suspect = false): ExistingTask[] => {
  return Object.entries(existing).map(([handler, state]) => ({ handler, state, suspect }))
}

describe('a delivery that is matched for the first time', () => {
  test.each([
    ['claims a task if the worker has a free slot', task('a'), {}, 'running', 'running'],
    ['makes a task due if the worker has no free slot', task('a', { claim: false }), {}, 'due', 'pending'],
    ['makes a task of a paused handler due', task('a'), { paused: new Set(['a']) }, 'due', 'pending'],
    ['makes a task due while all handlers are paused', task('a'), { paused: new Set(['*']) }, 'due', 'pending'],
    ['claims a task while another handler is paused', task('a'), { paused: new Set(['b']) }, 'running', 'running'],
    ['blocks a task that is not first', task('a', { key: 'k' }), { isFirst: () => false }, 'blocked', 'pending'],
  ] as const)('%s', (_name, matched, rest, start, state) => {
    expect(decide([matched], rest)).toEqual({ state, tasks: [{ ...matched, start }], gone: [] })
  })

  test('claims no task before its start time, and tells isFirst so', () => {
    const asked: boolean[] = []
    const isFirst = (_task: MatchedTask, claims: boolean) => asked.push(claims) > 0
    const later = task('a', { startAt: 1001 })
    expect(decide([later], { isFirst })).toEqual({
      ...{ state: 'pending', nextAt: 1001, tasks: [{ ...later, start: 'due' }], gone: [] },
    })
    expect(asked).toEqual([false])
  })

  test('claims a task whose start time has come, and drops the time', () => {
    const due = { state: 'running', tasks: [{ ...task('a'), start: 'running' }], gone: [] }
    expect(decide([task('a', { startAt: 1000 })])).toEqual(due)
  })

  test('shows when it starts only if all of its tasks start later', () => {
    const [soon, later] = [task('a', { startAt: 2000 }), task('b', { startAt: 3000 })]
    expect(decide([later, soon]).nextAt).toBe(2000)
    expect(decide([later, task('c', { claim: false })]).nextAt).toBeUndefined()
    expect(decide([later, task('c')]).nextAt).toBeUndefined()
  })

  test('is ignored if no handler matches', () => {
    expect(decide([])).toEqual({ state: 'ignored', tasks: [], gone: [] })
  })

  test('is running if one of its tasks is, and pending otherwise', () => {
    expect(decide([task('a', { claim: false }), task('b')]).state).toBe('running')
    expect(decide([task('a', { claim: false }), task('b', { claim: false })]).state).toBe('pending')
  })

  test('calls isFirst once for each task, and tells it whether the task would be claimed', () => {
    const asked: unknown[] = []
    const isFirst = ({ handler }: MatchedTask, claims: boolean) => asked.push([handler, claims]) > 0
    decide([task('a'), task('b', { claim: false }), task('c')], { isFirst, paused: new Set(['c']) })
    expect(asked).toEqual([
      ['a', true],
      ['b', false],
      ['c', false],
    ])
  })
})

describe('an invalid or replayed delivery', () => {
  const match = { id: 7, summary: {}, tasks: [task('a')] }

  test.each([
    ['is dead if its payload is invalid', { invalid: 'no JSON' }, false, 'dead', 'no JSON'],
    ['is dead if it is also a replay', { invalid: 'no JSON', discardReplay: true }, true, 'dead', 'no JSON'],
    [
      'is discarded',
      { discardReplay: true },
      true,
      'discarded',
      'A delivery with the same body arrived before, with another GUID or event',
    ],
    ['is handled if replays are not discarded', { discardReplay: false }, true, 'running', undefined],
    ['is handled if it is not a replay', { discardReplay: true }, false, 'running', undefined],
  ] as const)('%s', (_name, rest, replayed, state, reason) => {
    const decision = decide([], { match: { ...match, ...rest }, replayed })
    expect([decision.state, decision.reason, decision.tasks.length]).toEqual([state, reason, reason ? 0 : 1])
  })

  test('does not change existing tasks', () => {
    const existing = states({ a: 'dead', b: 'dead' })
    expect(decide([], { match: { ...match, invalid: 'no JSON' }, existing })).toMatchObject({ tasks: [], gone: [] })
  })
})

describe('a delivery that is matched again', () => {
  test.each([
    ['pending', false, 1],
    ['retrying', false, 1],
    ['dead', false, 1],
    ['discarded', false, 1],
    ['gone', false, 1],
    ['running', false, 0],
    ['running', true, 0],
    ['done', false, 0],
    ['done', true, 1],
  ] as const)('starts a task that is %s (rerun: %s) again: %i', (state, rerun, count) => {
    expect(decide([task('a')], { existing: states({ a: state }), rerun }).tasks).toHaveLength(count)
  })

  test.each([
    [false, 'running'],
    [true, 'due'], // another suspect may be running
  ] as const)('starts a task again that is a suspect: %s, as %s', (suspect, start) => {
    const { tasks } = decide([task('a')], { existing: states({ a: 'discarded' }, suspect) })
    expect(tasks.map((one) => one.start)).toEqual([start])
  })

  test.each([
    ['pending', 1, 'ignored'],
    ['retrying', 1, 'ignored'],
    ['dead', 1, 'ignored'],
    ['discarded', 1, 'ignored'],
    ['gone', 0, 'ignored'],
    ['running', 0, 'running'],
    ['done', 0, 'done'],
  ] as const)('ends a %s task without a handler as gone: %i, and is %s', (state, count, expected) => {
    const decision = decide([], { existing: states({ a: state }), rerun: true })
    expect([decision.gone.length, decision.state]).toEqual([count, expected])
  })

  test.each(['dead', 'gone'] as const)('shows why a task that was %s has ended as gone', (state) => {
    const existing = states({ a: 'done', b: state })
    expect(decide([task('a')], { existing }).reason).toContain(
      'b ended as gone, because this handler no longer matches',
    )
    expect(decide([task('a'), task('b')], { existing }).reason).toBeUndefined()
  })

  test('keeps the state of the tasks that stay', () => {
    const existing = states({ a: 'done', b: 'running', c: 'dead' })
    expect(decide([task('a'), task('b')], { existing })).toMatchObject({
      state: 'running',
      tasks: [],
      gone: [{ handler: 'c' }],
    })
    expect(decide([task('a')], { existing: states({ a: 'done' }) }).state).toBe('done')
  })
})

describe('replays among deliveries', () => {
  const delivery = (id: number, guid: string, event = 'push', byte = 1) => ({
    ...{ id, guid, event },
    sha256: new Uint8Array(32).fill(byte),
  })

  test.each([
    ['the later of two with the same bytes', [delivery(1, 'a'), delivery(2, 'b')], [2]],
    ['the later of two, even if it is first in the list', [delivery(2, 'b'), delivery(1, 'a')], [2]],
    ['the later of two with the same GUID and different events', [delivery(1, 'a'), delivery(2, 'a', 'ping')], [2]],
    ['none with the same GUID and event', [delivery(1, 'a'), delivery(2, 'a')], []],
    ['none with other bytes', [delivery(1, 'a'), delivery(2, 'b', 'push', 2)], []],
    ['none of a single delivery', [delivery(1, 'a')], []],
  ])('are %s', (_name, deliveries, expected) => {
    expect(findReplays(deliveries)).toEqual(expected)
  })
})

describe('a delivery that another program has matched before', () => {
  const workers = [worker(1, 'a', 'removed'), worker(2, 'a', 'renamed')]
  const match = (...tasks: MatchedTask[]) => ({ id: 7, summary: {}, tasks })

  test('keeps the handlers that the worker does not know, with their order keys and fair keys', () => {
    const existing: ExistingTask[] = [
      { handler: 'a', state: 'done', suspect: false, key: null },
      { handler: 'removed', state: 'dead', suspect: false, key: 'k', fairKey: 'octo/site' },
    ]
    const { tasks } = withOtherPrograms(match(task('renamed')), existing, 2, workers)
    expect(tasks).toEqual([task('renamed'), { handler: 'removed', key: 'k', fairKey: 'octo/site', claim: false }])
  })

  test('keeps the handlers that no worker has', () => {
    const { tasks } = withOtherPrograms(match(), states({ vanished: 'dead' }), 2, workers)
    expect(tasks).toEqual([{ handler: 'vanished', claim: false }])
  })

  test.each([
    ['stays as it is if no worker has its handler', 'vanished', 0],
    ['may run again if another worker has its handler', 'removed', 1],
  ])('a task that has succeeded %s', (_name, handler, count) => {
    expect(withOtherPrograms(match(), states({ [handler]: 'done' }), 2, workers).tasks).toHaveLength(count)
  })

  test('does not keep the handlers that the worker has, and that no longer match', () => {
    expect(withOtherPrograms(match(), states({ renamed: 'dead' }), 2, workers).tasks).toEqual([])
  })

  test('does not add a handler twice that the worker has added and not registered yet', () => {
    const own = match(task('removed'))
    expect(withOtherPrograms(own, states({ removed: 'dead' }), 2, workers)).toEqual(own)
  })

  test.each([
    ['has no other tasks', match(task('a')), { a: 'dead' }, false],
    ['has a task of another handler', match(task('a')), { a: 'dead', removed: 'dead' }, true],
    ['is invalid', { ...match(), invalid: 'no JSON' }, { a: 'dead' }, false],
  ] as const)('reads the workers only if the match lacks a handler: it %s', (_name, own, existing, lacks) => {
    expect(lacksHandlers(own, states(existing))).toBe(lacks)
  })

  function worker(id: number, ...handlers: string[]) {
    return { id, handlers: handlers.map((name) => ({ name })) }
  }
})
