import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Sql } from '../../../src/postgres/connection/connection.ts'
import type { Database } from '../../../src/postgres/connection/database.ts'
import { failures } from '../../../src/postgres/delivery-reader/attempt-stats.ts'
import { changes } from '../../../src/postgres/delivery-reader/changes.ts'
import { body, get, load, lockUnmatched, overview } from '../../../src/postgres/delivery-reader/read.ts'
import { pack } from '../../../src/postgres/delivery-store/contents.ts'
import { knownGuids } from '../../../src/postgres/metadata/missed-deliveries.ts'
import { handlersWithDueTasks, lockDueTasks, nextDueAt } from '../../../src/postgres/task-queue/claim.ts'
import { explaining, type Read } from '../explaining.ts'
import { createTables, fill } from '../inbox.ts'
import { type PostgresServer, startPostgres } from '../server.ts'

const count = 10_000

let server: PostgresServer
let database: Database

beforeAll(async () => {
  server = await startPostgres('autovacuum=off', 'fsync=off')
  database = await createTables(server.url)
  await fill(database, { count, state: `case when i = 77 then 'pending' else 'done' end` })
  await database.run(`insert into attempts select id, 'a', 1, 1, 1, 'succeeded' from deliveries`)
  await database.run(
    `insert into tasks (delivery_id, handler, state, next_at) select id, 'due', 'pending', 0 from deliveries where id > 8000`,
  )
  await database.run('analyze')
  await put(1, {}, 'body of 1')
  await put(2, { a: 'b' }, 'body of 2')
}, 120_000)

afterAll(async () => {
  await database.close()
  await server.stop()
}, 60_000)

async function put(id: number, headers: object, text: string): Promise<void> {
  const [head, bytes] = [JSON.stringify(headers), new TextEncoder().encode(text)]
  await database.run('update contents set bytes = $2 where delivery_id = $1', id, await pack(Buffer.from(head), bytes))
  await database.run('update deliveries set headers_size = $2, size = $3 where id = $1', id, head.length, bytes.length)
}

const textOf = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes)

test('reports a damaged delivery, and reads the other deliveries', async () => {
  await database.run('delete from contents where delivery_id = 4')
  const loaded = await load(database, [2, 3, 1, 4])
  expect(loaded.map((one) => [one.id, textOf(one.body), one.damaged !== undefined])).toEqual([
    [1, 'body of 1', false],
    [2, 'body of 2', false],
    [3, '', true],
    [4, '', true],
  ])
  expect(await get(database, 2)).toMatchObject({ headers: { a: 'b' }, tasks: [{ handler: 'a', state: 'done' }] })
  for (const id of [3, 4]) {
    expect(await get(database, id)).toMatchObject({ id, headers: {} })
    await expect(body(database, id)).rejects.toThrow()
  }
})

test('treats a delivery whose bytes end too early as damaged', async () => {
  await put(5, {}, 'body of 5')
  await database.run('update deliveries set size = size + 1 where id = 5')
  expect(await load(database, [5])).toMatchObject([{ damaged: "The pack is too short for the delivery's contents" }])
})

test('finds the latest failure of a handler however many attempts of others are newer', async () => {
  await database.run(`
    insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error) values
      (1, 'broken', 1, 100, 50, 'dead', e'Error: first\\n    at a'),
      (2, 'broken', 1, 110, 10, 'failed', 'Error: ended earlier'),
      (3, 'broken', 1, 900, 10, 'succeeded', null)`)
  const reads: Read[] = []
  expect(await failures(explaining(database, reads))).toEqual([
    { handler: 'broken', id: 1, at: 150, error: 'Error: first' },
  ])
  for (const read of reads.filter(({ table }) => table === 'attempts')) {
    expect(read.index, JSON.stringify(read)).toBeDefined()
    expect(read.rows, JSON.stringify(read)).toBeLessThanOrEqual(2)
  }
})

test.each([0, 1.5, -1, Number.NaN, 1e300, count + 1])('finds no delivery %d', async (id) => {
  expect([await get(database, id), await body(database, id)]).toEqual([undefined, undefined])
})

test('reads only as many unmatched deliveries as fit into the given bytes', async () => {
  const ids = [11, 12, 13]
  for (const id of ids) {
    await put(id, {}, 'x'.repeat(100))
    await database.run('update deliveries set matched = false where id = $1', id)
  }
  for (const [bytes, expected] of [
    [1, [11]],
    [199, [11]],
    [200, [11, 12]],
    [1000, [11, 12, 13]],
  ] as const) {
    const found = await lockUnmatched(database, { limit: 10, bytes, ordered: true })
    expect(found.map(({ id, size, bytes }) => [id, size, bytes !== null])).toEqual(
      expected.map((id) => [id, 100, true]),
    )
  }
  await database.run('update deliveries set matched = true where id = any($1::bigint[])', ids)
})

/** Queries, each with the maximum number of rows that it may read from one large table. */
const reads: [name: string, work: (sql: Sql) => Promise<unknown>, most: number][] = [
  ['get', (sql) => get(sql, 1000), 1],
  ['body', (sql) => body(sql, 1), 1],
  ['load', (sql) => load(sql, [1, 2, 3]), 3],
  ['lockUnmatched', (sql) => lockUnmatched(sql, { limit: 10, bytes: 1e9, ordered: true }), 1],
  ['overview', (sql) => overview(sql), 2],
  ['nextDueAt', (sql) => nextDueAt(sql, ['a', 'b']), 1],
  ['nextDueAt of sources', (sql) => nextDueAt(sql, ['a', 'b'], ['/hooks']), 1],
  ['handlersWithDueTasks', (sql) => handlersWithDueTasks(sql, 1), 1],
  ['handlersWithDueTasks of sources', (sql) => handlersWithDueTasks(sql, 1, ['/hooks']), 1],
  ['lockDueTasks', (sql) => lockDueTasks(sql, { wanted: { due: 10 }, bytes: 1e9, now: 1 }), 10],
  [
    'lockDueTasks of sources',
    (sql) => lockDueTasks(sql, { wanted: { due: 10 }, bytes: 1e9, sources: ['/hooks'], now: 1 }),
    10,
  ],
  ['changes', (sql) => changes(sql, undefined), 1],
  ['knownGuids', (sql) => knownGuids(sql, { hookId: '1', guids: ['guid-7', 'guid-8', 'none'] }), 2],
]

test.each(reads)('%s reads no more rows than needed', async (_name, work, most) => {
  for (const mode of ['custom', 'generic'] as const) {
    const found: Read[] = []
    await work(explaining(database, found, mode))
    const large = found.filter(({ table }) => ['deliveries', 'contents', 'tasks', 'attempts'].includes(table))
    for (const read of large) {
      expect(read.index, JSON.stringify(read)).toBeDefined()
      expect(read.rows, JSON.stringify(read)).toBeLessThanOrEqual(most)
    }
  }
})

test('reads the packs of the offered deliveries only, even if there are few packs', async () => {
  const small = await createTables(server.url)
  onTestFinished(() => small.close())
  await fill(small, { count: 5000 })
  await small.run(`update deliveries set matched = false, state = 'pending', pack = id - (id - 1) % 10`)
  await small.run('delete from contents where delivery_id % 10 <> 1')
  await small.run('vacuum analyze')
  const found: Read[] = []
  await lockUnmatched(explaining(small, found, 'generic'), { limit: 100, bytes: 1e9, ordered: false })
  const [contents] = found.filter(({ table }) => table === 'contents')
  expect(contents?.rows).toBe(10)
})
