/** The query plans of lists: the number of rows they read must not depend on the number of deliveries. */
import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { parseQuery } from '../../../src/inbox/query/parse-query.ts'
import type { Query } from '../../../src/inbox/query/query.ts'
import type { Database } from '../../../src/postgres/connection/database.ts'
import { failureGroup } from '../../../src/postgres/delivery-reader/failure-groups.ts'
import { values } from '../../../src/postgres/delivery-reader/read.ts'
import { list } from '../../../src/postgres/delivery-reader/search.ts'
import { type Contents, pack } from '../../../src/postgres/delivery-store/contents.ts'
import { PayloadSearch } from '../../../src/postgres/threads.ts'
import { explaining, type Read } from '../explaining.ts'
import { createTables, fill } from '../inbox.ts'
import { type PostgresServer, startPostgres } from '../server.ts'

/** In a table of this size, PostgreSQL prefers bitmap scans, which read all entries, unless the session disables them. */
const count = 20_000

let server: PostgresServer
let database: Database
const searching = new PayloadSearch()

beforeAll(async () => {
  server = await startPostgres('autovacuum=off', 'fsync=off')
  database = await createTables(server.url)
  await fill(database, {
    count,
    // Rare values are in the oldest deliveries, which a scan from the newest reaches last.
    state: `case when i <= 300 then 'dead' else 'done' end`,
    event: `case when i % 2 = 0 then 'push' when i <= 3000 then 'star' else 'issues' end`,
    repository: `case when i % 1000 = 0 then 'octo/rare' when i % 3 = 0 then null else 'octo/app' end`,
    number: 'case when i % 2 = 0 then i / 20 end',
    sha: `encode(sha256((i / 10)::text::bytea), 'hex')`,
    ref: `case when i <= 100 then 'refs/heads/feature/' || i else 'refs/heads/main' end`,
  })
}, 120_000)

afterAll(async () => {
  await searching.close()
  await database.close()
  await server.stop()
}, 60_000)

/** The SHA of ten deliveries. */
const sha = (n: number) => createHash('sha256').update(`${n}`).digest('hex')

/**
 * The maximum number of rows that one query may read from a table. A query of `list` examines at most `scanStep` (2000)
 * deliveries. The maximum allows one row more.
 */
const most = 2001

const queries: [name: string, query: Query, index: string][] = [
  ['all', {}, 'deliveries_pkey'],
  ['older deliveries', { before: count / 2 }, 'deliveries_pkey'],
  ['a rare state', { state: 'dead' }, 'deliveries_state'],
  ['a common state', { state: 'done' }, 'deliveries_state'],
  ['running deliveries', { state: 'running' }, 'tasks_running'],
  ['a state without deliveries', { state: 'retrying' }, 'deliveries_state'],
  ['a rare event', { event: 'star' }, 'deliveries_event'],
  ['a common event', { event: 'push', before: 1000 }, 'deliveries_event'],
  ['a rare repository', { repository: 'octo/rare' }, 'deliveries_repository'],
  ['a repository without deliveries', { repository: 'unknown/none' }, 'deliveries_repository'],
  ['a GUID', { guid: 'guid-77' }, 'deliveries_identity'],
  ['a GUID in a state', { guid: 'guid-77', state: 'dead' }, 'deliveries_identity'],
  ['a number', { number: 77 }, 'deliveries_number'],
  ['a SHA', { sha: sha(77) }, 'deliveries_sha'],
  ['a short SHA', parseQuery(sha(77).slice(0, 7)), 'deliveries_sha'],
  ['a short SHA without deliveries', parseQuery('sha:0000000'), 'deliveries_sha'],
  ['a branch', parseQuery('branch:main'), 'deliveries_ref'],
  ['rare branches', parseQuery('branch:feature/*'), 'deliveries_ref'],
  ['an organization', parseQuery('org:octo'), 'deliveries_repository'],
  ['an organization without deliveries', parseQuery('org:none'), 'deliveries_repository'],
  ['a pull request', parseQuery('https://github.com/octo/rare/pull/77'), 'deliveries_number'],
  ['rare states', parseQuery('state:dead,retrying'), 'deliveries_state'],
  ['all states but one', parseQuery('-state:done'), 'deliveries_state'],
  ['running deliveries of an event', { state: 'running', event: 'push' }, 'tasks_running'],
  ['rare events', parseQuery('event:s*'), 'deliveries_event'],
  ['a rare state or a rare event', parseQuery('state:dead or event:star'), 'deliveries_state'],
  ['a common state in a rare repository', { state: 'done', repository: 'octo/rare' }, 'deliveries_repository'],
  ['words', { words: ['octo', 'rare'] }, 'deliveries_pkey'],
  ['words of a state', { state: 'dead', words: ['push', 'nothing'] }, 'deliveries_state'],
  ['a handler', { state: 'dead', handler: 'a' }, 'deliveries_state'],
  ['a payload', { event: 'star', paths: [{ path: ['a'], value: 'b' }] }, 'deliveries_event'],
  ['a time', { repository: 'octo/app', since: 5, until: 10 }, 'deliveries_repository'],
]

describe('a search by error', () => {
  let failed: Database

  /** Of 5,000 failed deliveries, the oldest 100 have an error that the others do not have. */
  beforeAll(async () => {
    failed = await createTables(server.url)
    await fill(failed, { count: 10_000, state: `case when i <= 5000 then 'dead' else 'done' end` })
    await failed.run(`
      insert into failure_groups (id, handler, error, first_at)
      select i, 'b', case when i = 1 then 'Error: rare' else 'Error: ' || i || ' <n>' end, 1
      from generate_series(1, 10) as i`)
    await failed.run(`
      insert into tasks (delivery_id, handler, state, failure_group, failed_at)
      select i, 'b', 'dead', case when i <= 100 then 1 else 2 + i % 9 end, i from generate_series(1, 5000) as i`)
    await failed.run(`
      insert into attempts (delivery_id, handler, number, started_at, outcome, error)
      select i, 'b', 1, 1, 'dead', 'Error: 7' from generate_series(1, 5000) as i`)
  }, 60_000)

  afterAll(() => failed.close())

  test.each([
    ['error:rare', 101],
    ['error:RARE state:done,dead', 101],
    ['error:7', 2500],
    ['-error:rare', 2001],
  ])('%s reads few tasks and attempts', async (text, rows) => {
    const reads: Read[] = []
    const page = await list(explaining(failed, reads), { ...parseQuery(text), budget: 1 }, searching)
    expect(page.deliveries.length).toBeGreaterThan(0)
    for (const read of reads.filter(({ table }) => table === 'tasks' || table === 'attempts')) {
      expect(read.index, JSON.stringify(read)).toBeDefined()
      expect(read.rows, JSON.stringify(read)).toBeLessThanOrEqual(rows)
    }
    if (!text.startsWith('-')) expect(reads.map(({ index }) => index)).toContain('tasks_failed_delivery')
  })

  test('a failure group reads its newest tasks only', async () => {
    const reads: Read[] = []
    const group = await failureGroup(explaining(failed, reads), 2, 0)
    expect(group?.tasks.dead).toBeGreaterThan(400)
    const found = reads.filter(({ table }) => table === 'tasks' || table === 'attempts' || table === 'deliveries')
    for (const read of found) {
      expect(read.index, JSON.stringify(read)).toBeDefined()
      expect(read.rows, JSON.stringify(read)).toBeLessThanOrEqual(50)
    }
  })
})

describe.each([
  ['unknown', 'custom'],
  ['known', 'custom'],
  ['known', 'generic'],
] as const)('with table statistics that are %s, and a %s plan', (statistics, mode) => {
  beforeAll(async () => {
    if (statistics === 'known') await database.run('analyze deliveries, contents, tasks')
  })

  test.each(queries)('a page of %s uses an index', async (_name, query, index) => {
    const reads: Read[] = []
    await list(explaining(database, reads, mode), { ...query, budget: 1 }, searching)
    const [first] = reads
    expect(first).toMatchObject({ index })
    for (const read of reads) {
      expect(read.index, JSON.stringify(read)).toBeDefined()
      expect(read.rows, JSON.stringify(read)).toBeLessThanOrEqual(most)
    }
  })
})

test.each([
  ['repository', ['octo/app', 'octo/rare'], 5],
  ['event', ['issues', 'push', 'star'], 5],
  ['source', ['/hooks'], 5000],
] as const)('the values of %s are found without a scan of all deliveries', async (column, expected, mostRows) => {
  const reads: Read[] = []
  expect(await values(explaining(database, reads), { column })).toEqual(expected)
  expect(reads.length).toBeGreaterThan(0)
  for (const read of reads) {
    expect(read.index, JSON.stringify(read)).toBeDefined()
    expect(read.rows, JSON.stringify(read)).toBeLessThanOrEqual(mostRows)
  }
})

test('a page reads at most one row more than it shows if all deliveries match', async () => {
  const reads: Read[] = []
  const { deliveries, scanned } = await list(explaining(database, reads), { limit: 20, state: 'done' }, searching)
  expect([deliveries.length, scanned]).toEqual([20, 20])
  expect(reads[0]?.rows).toBeLessThanOrEqual(21)
})

const encoder = new TextEncoder()

async function contentsOf(text: string, form: Contents['form'] = 'json'): Promise<Contents> {
  const [headers, body] = [encoder.encode('{}'), encoder.encode(text)]
  return { bytes: await pack(headers, body), headers_size: headers.length, size: body.length, form }
}

function open(): PayloadSearch {
  const searching = new PayloadSearch()
  onTestFinished(() => searching.close())
  return searching
}

const paths = [{ path: ['a', 'b'], value: 'x' }]

test('finds payloads in JSON and in form bodies', async () => {
  const contents = await Promise.all([
    contentsOf('{"a":{"b":"X"}}'),
    contentsOf('{"a":{"b":"y"}}'),
    contentsOf('no JSON'),
    contentsOf(`payload=${encodeURIComponent('{"a":{"b":"x"}}')}`, 'form'),
    contentsOf(`{"a":{"b":["x"]},"filling":"${'x'.repeat(1_000_000)}"}`),
  ])
  expect(await open().matches(contents, paths)).toEqual(['yes', 'no', 'no', 'yes', 'yes'])
})

test('returns the results of each of several concurrent searches', async () => {
  const searching = open()
  const values = Array.from({ length: 20 }, (_, index) => `v${index}`)
  const contents = await Promise.all(values.map((value) => contentsOf(JSON.stringify({ a: value }))))
  const found = values.map((value) => searching.matches(contents, [{ path: ['a'], value }]))
  expect(await Promise.all(found)).toEqual(values.map((value) => values.map((one) => (one === value ? 'yes' : 'no'))))
})

test('rejects a search whose thread ends, and starts another thread for the next', async () => {
  const post = vi.spyOn(Worker.prototype, 'postMessage')
  onTestFinished(() => post.mockRestore())
  const searching = open()
  const broken = { ...(await contentsOf('{}')), form: 'json', bytes: undefined } as unknown as Contents
  expect(await searching.matches([broken], paths)).toEqual(['no']) // damaged contents match nothing
  const contents = await contentsOf(JSON.stringify({ text: 'x'.repeat(10_000_000) }))
  const lost = searching.matches(
    Array.from({ length: 100 }, () => contents),
    paths,
  )
  await vi.waitFor(() => expect(post).toHaveBeenCalledTimes(2))
  void (post.mock.contexts.at(-1) as Worker).terminate()
  await expect(lost).rejects.toThrow('The thread "hookserver search" ended')
  expect(await searching.matches([await contentsOf('{"a":{"b":"x"}}')], paths)).toEqual(['yes'])
})
