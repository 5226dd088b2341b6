/** Query plans: operations and pages use indexes, so that they stay fast with many deliveries. */
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { parseQuery } from '../../src/inbox/query/parse-query.ts'
import type { Query } from '../../src/inbox/query/query.ts'
import type { NodeSqlite } from '../../src/sqlite/connection/node-sqlite.ts'
import { Engine, policy } from './engine.ts'

let engine: Engine
beforeEach(() => {
  engine = new Engine()
})

/** The plan of a statement, line by line. */
function planOf(sql: string): string[] {
  const lines = engine.writing.db.prepare(`explain query plan ${sql}`).all()
  return lines.map(({ detail }) => detail as string)
}

/** The statements that `work` prepares, without superfluous white space. */
function statementsOf(work: () => void): string[] {
  const spies = [engine.writing, engine.keeping].map(({ db }: NodeSqlite) => vi.spyOn(db, 'prepare'))
  work()
  const statements = spies.flatMap((spy) => spy.mock.calls.map(([sql]) => sql.trim().replace(/\s+/g, ' ')))
  for (const spy of spies) spy.mockRestore()
  return [...new Set(statements)].filter((sql) => !sql.startsWith('pragma'))
}

/** Lets an attempt of a new delivery fail. @returns the id of its failure group. */
function failOnce(): number {
  const worker = engine.registerWorker('a')
  const { id } = engine.store()
  const [task] = engine.dispatch(worker, id, 'a')
  if (task) engine.finish(worker, task, 'dead', { error: 'Error: timeout' })
  return engine.detail(id).tasks[0]?.failureGroup as number
}

/** All operations on deliveries, from storing to pruning. */
function everything(): void {
  const now = 1e12
  const worker = engine.registerWorker('a', 'b')
  const one = { guid: 'g', receivedAt: 1 }
  const { id } = engine.store(one)
  engine.store(one)
  engine.read('readUnmatched', 10, 1e6, 0)
  engine.read('load', [id])
  const [a, b] = engine.dispatch(worker, id, { handler: 'a', key: 'k', claim: true }, 'b')
  if (!a || !b) throw new Error('No task was claimed')
  engine.finish(worker, a, 'failed', { startedAt: now, duration: 0, nextAt: now + 100 })
  engine.read('nextDueAt', ['a', 'b'])
  engine.maintenance.renewLeases(now / 2)
  engine.write('retry', { ids: [id] })
  for (const claimed of engine.claim(worker, 'a', now)) engine.finish(worker, claimed, 'dead')
  engine.finish(worker, b, 'dead')
  engine.store(one)
  engine.dispatch(worker, id, 'a')
  engine.write('discard', { ids: [id] }, 'no more')
  engine.begin(worker, 'a', 'k')
  engine.write('releaseWorker', worker)
  const other = engine.registerWorker('a')
  engine.claim(other, 'a', now)
  const fair = { handler: 'a', fairKey: 'f', claim: false }
  engine.dispatch(other, engine.store().id, { ...fair, startAt: 2000 })
  engine.dispatch(other, engine.store().id, fair)
  engine.claim(other, 'a', now, 1)
  engine.write('updateWorker', other, [policy('c')])
  engine.read('removeWorker', other)
  for (let i = 0; i < 7; i++) engine.maintenance.renewLeases(now)
  engine.write('pause', 'a')
  engine.write('resume', 'a')
  engine.read('get', id)
  engine.read('body', id)
  engine.maintenance.prune(now * 2)
  engine.store(one)
}

/** Operations of a worker that handles the deliveries of some sources. */
function everythingOfSources(): void {
  const sources = ['/hooks']
  const worker = engine.registerWorker('a')
  engine.dispatch(worker, engine.store().id, { handler: 'a', claim: false })
  engine.read('readUnmatched', 10, 1e6, 0, sources)
  engine.read('nextDueAt', ['a'], sources)
  engine.read('dueHandlers', 1, sources)
  engine.write('claim', worker, { wanted: { a: 1 }, bytes: 1, sources, now: 1 })
}

/** Scans and sorts of few rows: the parameters of a statement (`input`), workers, handlers, pauses, counts of failures, measures, the attempts of one delivery, and SQLite's own tables. */
const small =
  /^SCAN (CONSTANT ROW|input|workers|handlers|pauses|failure_counts|json_each|sqlite_sequence|pragma_\w+)\b|^select \* from attempts where delivery_id = \?/

describe('every operation on a delivery', () => {
  test.each([
    ['of all sources', everything, 40],
    ['of some sources', everythingOfSources, 10],
  ])('%s uses an index and sorts nothing', (_sources, work, least) => {
    const statements = statementsOf(work)
    expect(statements.length).toBeGreaterThan(least)
    const slow = statements.flatMap((sql) =>
      planOf(sql)
        .filter((line) => /\bSCAN\b|TEMP B-TREE/.test(line) && !small.test(line) && !small.test(sql))
        .map((line) => `${line}: ${sql}`),
    )
    expect(slow).toEqual([])
  })

  test('has parameters without numbers, for which older versions of Node.js and other APIs take no values', () => {
    expect(statementsOf(everything).filter((sql) => /\?\d/.test(sql))).toEqual([])
  })

  test.each([
    [['select id, variant', 'matched = 0'], /USING INDEX deliveries_unmatched/],
    [['select 1 from deliveries where matched = 0 and id < ?'], /INDEX deliveries_unmatched \(id<\?\)/],
    [['from tasks join deliveries', 'tasks.next_at = 0'], /INDEX tasks_due \(handler=\? AND next_at=\?\)/],
    [
      ['select iif(input.fair_key is null', 'as pass'],
      /tasks_due \(handler=\? AND next_at=\? AND pass>\?\)(.*\n)*.*tasks_fair \(handler=\? AND fair_key=\? AND state=\?\)/,
    ],
    [
      ['update tasks set next_at = 0, delay = null, pass =', 'returning pass'],
      /tasks_due \(handler=\? AND next_at=\? AND pass>\?\)(.*\n)*.*tasks_fair \(handler=\? AND fair_key=\? AND state=\?\)/,
    ],
    [['from tasks join deliveries', 'between 1 and ?'], /INDEX tasks_due \(handler=\? AND next_at>\? AND next_at<\?\)/],
    [['select tasks.next_at from tasks', 'where handler = ?'], /INDEX tasks_due \(handler=\? AND next_at>\?\)/],
    [
      ['select min(id) as id from deliveries where matched = 0'],
      /SEARCH deliveries USING COVERING INDEX deliveries_unmatched/,
    ],
    [['select delivery_id as id', 'next_at - delay'], /INDEX tasks_due \(handler=\? AND next_at>\?\)/],
    [['select id, received_at', 'where state = ?'], /INDEX deliveries_state \(state=\? AND rowid>\?\)/],
    [['where replay_key = ?'], /INDEX deliveries_replay \(replay_key=\? AND rowid<\?\)/],
    [['union all', 'from tombstones where identity'], /INDEX deliveries_identity \(identity=\?\)/],
    [['from tasks where worker = ?'], /INDEX tasks_running \(worker=\?\)/],
    [['select min(delivery_id)', 'order_key = ?'], /INDEX tasks_order \(handler=\? AND order_key=\?\)/],
    [['delete from packs'], /CORRELATED.*\n.*SEARCH deliveries USING INTEGER PRIMARY KEY \(rowid>\? AND rowid<\?\)/],
    [['select 1 from tasks', 'order_key = ?'], /INDEX tasks_order_running \(handler=\? AND order_key=\?\)/],
    [['worker not in'], /INDEX tasks_running\b/],
    [
      ['update tasks set next_at = coalesce(start_at, 0)', 'order_key = ?'],
      /INDEX tasks_order \(handler=\? AND order_key=\?\)/,
    ],
  ] as [string[], RegExp][])('that runs a statement with %j uses the index for it', (parts, index) => {
    const found = statementsOf(everything).filter((sql) => parts.every((part) => sql.includes(part)))
    expect(found).toHaveLength(1)
    expect(planOf(found[0] as string).join('\n')).toMatch(index)
  })
})

test('a query of counts, and their deletion, read only rows of their measures', () => {
  const statements = statementsOf(() => {
    engine.read('counts', { since: 0, step: 60_000, measures: ['received'] })
    engine.maintenance.prune(1e12)
  })
  const plans = statements.filter((sql) => sql.includes('from counts')).map((sql) => planOf(sql).join('\n'))
  expect(plans).toHaveLength(2)
  for (const plan of plans) expect(plan).toMatch(/PRIMARY KEY \(step=\? AND measure=\? AND at[<>]\?\)/)
})

test('a query of the counts of some names reads no rows of other names', () => {
  const query = { since: Date.now() - 3_600_000, step: 60_000, measures: ['received'], names: ['push'] } as const
  const [sql = ''] = statementsOf(() => engine.read('counts', query))
  expect(planOf(sql).join('\n')).toMatch(/PRIMARY KEY \(step=\? AND measure=\? AND at=\? AND name=\?\)/)
})

test('the latest failure of each handler is found by one seek in the index of failed attempts', () => {
  const [sql = ''] = statementsOf(() => engine.read('failures'))
  const reads = planOf(sql).filter((line) => line.includes('attempts'))
  expect(reads).toHaveLength(4)
  for (const read of reads)
    expect(read).toMatch(/INDEX attempts_failed\b|PRIMARY KEY \(delivery_id=\? AND handler=\? AND number=\?\)/)
})

describe('a page', () => {
  test.each([
    [{}, /INTEGER PRIMARY KEY \(rowid<\?\)/],
    [{ state: 'dead' }, /INDEX deliveries_state \(state=\? AND rowid<\?\)/],
    [{ event: 'push' }, /INDEX deliveries_event \(event=\? AND rowid<\?\)/],
    [{ repository: 'acme/site' }, /INDEX deliveries_repository \(repository=\? AND rowid<\?\)/],
    [{ guid: 'g' }, /INDEX deliveries_identity \(identity>\? AND identity<\?\)/],
    [{ number: 7 }, /COVERING INDEX deliveries_number \(number=\? AND rowid<\?\)/],
    [{ sha: 'c0ffee1' }, /COVERING INDEX deliveries_sha \(sha=\? AND rowid<\?\)/],
    [{ ref: 'main' }, /COVERING INDEX deliveries_ref \(ref=\? AND rowid<\?\)/],
    [parseQuery('-state:done'), /COVERING INDEX deliveries_state \(state=\? AND rowid<\?\)/],
    [
      { state: 'dead', event: 'push', words: ['x'], handler: 'a' },
      /INDEX deliveries_(state|event) \(\w+=\? AND rowid<\?\)/,
    ],
  ] as [Query, RegExp][])('for %j uses an index, and needs no sorting', (query, index) => {
    const statements = statementsOf(() => engine.read('list', query))
    const plan = planOf(statements.find((sql) => /^select id (as id )?from deliveries/.test(sql)) as string)
    expect(plan.join('\n')).toMatch(index)
    if (!query.guid) expect(plan.join('\n')).not.toMatch(/TEMP B-TREE/)
  })
})

test('the deliveries with an error are read by the indexes of their failures', () => {
  failOnce()
  const statements = statementsOf(() => engine.read('list', parseQuery('error:timeout')))
  const plan = (begin: string) => planOf(statements.find((sql) => sql.startsWith(begin)) as string)
  expect(plan('select delivery_id as id from tasks')).toEqual([
    'SEARCH tasks USING COVERING INDEX tasks_failed_delivery (failure_group=? AND delivery_id<?)',
  ])
  expect(plan('select id as value').join('\n')).toMatch(
    /SEARCH tasks (EXISTS )?USING COVERING INDEX tasks_fail\w+ \(failure_group=\?\)$/,
  )
})

test('the latest failure of a delivery in a list is found by the key of its attempts', () => {
  failOnce()
  const statements = statementsOf(() => engine.read('list', {}))
  const plan = planOf(statements.find((sql) => sql.includes('max_attempts')) as string)
  const reads = plan.filter((line) => line.startsWith('SEARCH attempts'))
  expect(reads).toEqual(Array(2).fill('SEARCH attempts USING PRIMARY KEY (delivery_id=?)'))
})

test.each([
  ['a list of failure groups', () => engine.read('failureGroups', {}, 1e12)],
  ['a failure group', () => engine.read('failureGroup', failOnce(), 1e12)],
  ['the tasks of a failure group', () => engine.read('deliveriesOfFailure', failOnce())],
])('%s reads tasks by the index of failures, and no attempts of other deliveries', (_name, work) => {
  failOnce()
  const plans = statementsOf(work)
    .filter((sql) => sql.startsWith('select'))
    .flatMap(planOf)
  const reads = plans.filter((line) => /\b(tasks|attempts|deliveries)\b/.test(line))
  expect(reads.length).toBeGreaterThan(0)
  for (const read of reads) {
    expect(read).toMatch(
      /INDEX tasks_fail\w+ \(failure_group=\?\)|PRIMARY KEY \((rowid=\?|delivery_id=\? AND handler=\?)\)/,
    )
  }
})

/** A word may also be in an error. */
const wordInError = [
  expect.stringContaining('CORRELATED SCALAR SUBQUERY'),
  'SEARCH tasks USING PRIMARY KEY (delivery_id=?)',
  'SEARCH failure_groups USING INTEGER PRIMARY KEY (rowid=?)',
]

test('the rows of a page are read by their ids, in order, whatever the conditions', () => {
  engine.store({ guid: 'g' })
  const query = { ...parseQuery('state:pending event:pu* -repo:a #1 or word'), since: 1 }
  for (const one of [query, { guid: 'g' }]) {
    const statements = statementsOf(() => engine.read('list', one))
    const plan = planOf(statements.find((sql) => sql.startsWith('select deliveries.*')) as string)
    expect(plan.slice(0, 2)).toEqual([
      'SCAN json_each VIRTUAL TABLE INDEX 1:',
      'SEARCH deliveries USING INTEGER PRIMARY KEY (rowid=?)',
    ])
    expect(plan.slice(2)).toEqual(one === query ? wordInError : [])
  }
})

test('the values of a wildcard are found by one seek each', () => {
  engine.store({ event: 'push' })
  const statements = statementsOf(() => engine.read('list', parseQuery('repo:acme/*')))
  const plan = planOf(statements.find((sql) => sql.startsWith('with recursive')) as string)
  const reads = plan.filter((line) => line.includes('deliveries'))
  expect(reads).toHaveLength(2)
  for (const read of reads) expect(read).toMatch(/SEARCH .* COVERING INDEX deliveries_repository \(repository>\?\)/)
})

test.each(['repository', 'event'] as const)('each %s is found by one seek', (column) => {
  const [select] = statementsOf(() => engine.read('values', { column }))
  const plan = planOf(select as string).filter((line) => line.includes('deliveries'))
  expect(plan).toHaveLength(2)
  for (const line of plan) expect(line).toMatch(new RegExp(`COVERING INDEX deliveries_${column}`))
})

test('deliveries by state are counted from an index alone', () => {
  const [count] = statementsOf(() => engine.read('overview')).filter((sql) => sql.includes('count(*)'))
  expect(planOf(count as string)).toEqual(['SCAN deliveries USING COVERING INDEX deliveries_state'])
})
