/** How PostgreSQL finds what is asked for, so that it takes no longer when there are very many deliveries. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Query } from '../../src/inbox/query.ts'
import type { Sql } from '../../src/postgres/connection.ts'
import type { Database } from '../../src/postgres/database.ts'
import { list } from '../../src/postgres/listing.ts'
import { createTables, fill } from './inbox.ts'
import { type PostgresServer, startPostgres } from './server.ts'

const count = 200_000

let server: PostgresServer
let database: Database

beforeAll(async () => {
  server = await startPostgres('autovacuum=off', 'fsync=off')
  database = await createTables(server.url)
  await fill(database, {
    count,
    // What is rare came first, where a walk from the newest on comes last.
    state: `case when i <= 300 then 'dead' else 'done' end`,
    event: `case when i % 2 = 0 then 'push' when i <= 3000 then 'star' else 'issues' end`,
    repository: `case when i % 1000 = 0 then 'octo/rare' when i % 3 = 0 then null else 'octo/app' end`,
  })
}, 120_000)

afterAll(async () => {
  await database.close()
  await server.stop()
}, 60_000)

interface Node {
  'Index Name'?: string
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: Node[]
}

/** What was read of a table: by which index, and how many rows. */
interface Read {
  table: string
  index: string | undefined
  rows: number
}

function* readsIn(node: Node): Generator<Read> {
  const { 'Relation Name': table, Plans: plans = [] } = node
  const looked =
    node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
  const index = node['Index Name'] ?? plans[0]?.['Index Name'] // of the bitmap that tells which rows to fetch
  if (table !== undefined) yield { table, index, rows: Math.round(looked * node['Actual Loops']) }
  for (const one of plans) yield* readsIn(one)
}

/** Explains each statement as it is carried out. @param mode As whose plan: that of these values, or that of any. */
function explaining(mode: 'custom' | 'generic', reads: Read[]): Sql {
  const explain = async (sql: string, values: unknown[]): Promise<void> => {
    await database.transaction(async (session) => {
      await session.script(`set local plan_cache_mode = force_${mode}_plan`)
      const [row] = await session.all<{ 'QUERY PLAN': { Plan: Node }[] }>(
        `explain (analyze, format json) ${sql}`,
        ...values,
      )
      for (const { Plan } of row?.['QUERY PLAN'] ?? []) reads.push(...readsIn(Plan))
    })
  }
  return {
    async all<T>(sql: string, ...values: unknown[]) {
      await explain(sql, values)
      return database.all<T>(sql, ...values)
    },
    async get<T>(sql: string, ...values: unknown[]) {
      await explain(sql, values)
      return database.get<T>(sql, ...values)
    },
    run: (sql, ...values) => database.run(sql, ...values),
  }
}

/** What a page may look at: a step and one more, and what comes with each. */
const most = 2001

const queries: [name: string, query: Query, index: string][] = [
  ['all', {}, 'deliveries_pkey'],
  ['further on', { before: count / 2 }, 'deliveries_pkey'],
  ['a rare state', { state: 'dead' }, 'deliveries_state'],
  ['a common state', { state: 'done' }, 'deliveries_state'],
  ['a state that none is in', { state: 'waiting' }, 'deliveries_state'],
  ['a rare event', { event: 'star' }, 'deliveries_event'],
  ['a common event', { event: 'push', before: 1000 }, 'deliveries_event'],
  ['a rare repository', { repository: 'octo/rare' }, 'deliveries_repository'],
  ['a repository that is not there', { repository: 'nobody/none' }, 'deliveries_repository'],
  ['a GUID', { guid: 'guid-77' }, 'deliveries_identity'],
  ['a GUID in a state', { guid: 'guid-77', state: 'dead' }, 'deliveries_identity'],
  ['words', { words: ['octo', 'rare'] }, 'deliveries_pkey'],
  ['words of a state', { state: 'dead', words: ['push', 'nothing'] }, 'deliveries_state'],
  ['a handler', { state: 'dead', handler: 'a' }, 'deliveries_state'],
  ['a payload', { event: 'star', paths: [{ path: ['a'], value: 'b' }] }, 'deliveries_event'],
  ['a time', { repository: 'octo/app', since: 5, until: 10 }, 'deliveries_repository'],
]

for (const [analyzed, mode] of [
  ['unknown', 'custom'],
  ['known', 'custom'],
  ['known', 'generic'],
] as const) {
  test.each(queries)(
    `a page of %s, by an index: what is in the tables is ${analyzed}, the plan is ${mode}`,
    async (...row) => {
      const [, query, index] = row
      if (analyzed === 'known') await database.run('analyze deliveries, contents, tasks')
      const reads: Read[] = []
      await list(explaining(mode, reads), { ...query, budget: 1 })
      const [first] = reads
      expect(first).toMatchObject({ index })
      for (const read of reads) {
        expect(read.index, JSON.stringify(read)).toBeDefined()
        expect(read.rows, JSON.stringify(read)).toBeLessThanOrEqual(most)
      }
    },
  )
}

test('a page of what all fits looks at no more than it shows', async () => {
  const reads: Read[] = []
  const { deliveries, scanned } = await list(explaining('custom', reads), { limit: 20, state: 'done' })
  expect([deliveries.length, scanned]).toEqual([20, 20])
  expect(reads[0]?.rows).toBeLessThanOrEqual(21)
})
