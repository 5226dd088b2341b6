import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { postgres } from '../../../src/postgres/index.ts'
import { counts, oldTransaction } from '../../../src/postgres/metadata/statistics.ts'
import { hour } from '../../../src/runtime/units.ts'
import { databaseServer } from '../databases.ts'
import { explaining, type Read } from '../explaining.ts'
import { createTables } from '../inbox.ts'

const server = databaseServer('fsync=off')

test('finds the oldest transaction that keeps deleted rows, and who has opened it', async () => {
  const url = await server.create()
  const database = await createTables(url)
  const [reader, report] = ['reader', 'report'].map((name) => {
    return new pg.Client({ connectionString: url, application_name: name })
  }) as [pg.Client, pg.Client]
  onTestFinished(async () => void (await Promise.all([reader.end(), report.end(), database.close()])))
  await Promise.all([reader.connect(), report.connect()])
  await reader.query('begin')
  await reader.query('select 1') // at the level "read committed", the snapshot ends with the statement
  expect(await oldTransaction(database, 0)).toBeUndefined()
  await report.query('begin isolation level repeatable read')
  const { pid } = (await report.query('select pg_backend_pid() as pid')).rows[0]
  expect(await oldTransaction(database, 0)).toEqual({
    ...{ pid, user: 'hookserver', application: 'report', age: expect.any(Number) },
  })
  expect(await oldTransaction(database)).toBeUndefined() // not open for a minute
})

test('an inbox looks for old transactions without reading its overview', async () => {
  const inbox = postgres(await server.create())
  onTestFinished(() => inbox.close())
  expect(inbox.oldTransaction).toBeDefined()
  expect(await inbox.oldTransaction?.()).toBeUndefined()
})

test.each(['custom', 'generic'] as const)(
  'the counts of one name read no rows of other names (%s plan)',
  async (mode) => {
    const database = await createTables(await server.create())
    onTestFinished(() => database.close())
    const now = Math.floor(Date.now() / hour) * hour
    await database.run(
      `insert into counts (step, at, measure, name, outcome, count)
     select $1, $2::bigint - hours * $1, 'durations', 'handler ' || names, outcomes::text, 1
     from generate_series(0, 23) as hours, generate_series(1, 100) as names, generate_series(1, 10) as outcomes`,
      ...[hour, now],
    )
    await database.run('analyze counts')
    const reads: Read[] = []
    const query = { since: now - 23 * hour, step: hour, names: ['', 'handler 7'], measures: ['durations'] } as const
    expect(await counts(explaining(database, reads, mode), query)).toHaveLength(240)
    expect(reads.filter(({ table }) => table === 'counts')).toEqual([
      { table: 'counts', index: 'counts_pkey', rows: 240 },
    ])
  },
)
