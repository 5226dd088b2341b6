import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { Database } from '../../../src/postgres/connection/database.ts'
import { countStates } from '../../../src/postgres/delivery-reader/states.ts'
import { type PruneCursor, pruneBatch } from '../../../src/postgres/operations/retention.ts'
import { databases } from '../databases.ts'
import { createTables, fill } from '../inbox.ts'

const { create } = databases()
let url: string
let database: Database

beforeAll(async () => {
  url = await create()
})

beforeEach(async () => {
  database = await createTables(url)
  return () => database.close()
})

const day = 24 * 60 * 60 * 1000

/** Prunes one batch of deliveries that were received before the time `before`. @param now The current time. */
const prune = (before: number, now = 1e6): Promise<number> => {
  return database.transaction((session) => pruneBatch(session, now - before, now))
}

/** The number of remaining rows. */
async function left(): Promise<Record<string, number>> {
  const tables = ['deliveries', 'contents', 'tasks', 'attempts', 'tombstones', 'acks']
  const counts = tables.map((table) => `(select count(*) from ${table}) as ${table}`)
  return (await database.get<Record<string, number>>(`select ${counts.join(', ')}`)) ?? {}
}

test('deletes old deliveries with their rows, and writes tombstones', async () => {
  await fill(database, { count: 50, state: `(array['done', 'dead', 'ignored', 'discarded', 'retrying'])[1 + i % 5]` })
  await database.run(`insert into attempts select id, 'a', 1, 1, 1, 'succeeded' from deliveries`)
  await database.run('insert into acks select id, id from deliveries')
  expect(await prune(26)).toBe(20)
  expect(await left()).toEqual({ deliveries: 30, contents: 30, tasks: 30, attempts: 30, tombstones: 20, acks: 25 })
  expect(await prune(26)).toBe(0)
  expect(await database.all('select id from deliveries where id <= 25 order by id')).toEqual(
    [4, 9, 14, 19, 24].map((id) => ({ id })),
  )
})

test('keeps an old delivery while one of its tasks runs', async () => {
  await fill(database, { count: 3 })
  await database.run(`update tasks set state = 'running', worker = 1 where delivery_id = 2`)
  expect(await countStates(database)).toMatchObject({ done: 2, running: 1 })
  expect(await prune(26)).toBe(2)
  expect(await database.all('select id from deliveries')).toEqual([{ id: 2 }])
  expect(await countStates(database)).toMatchObject({ done: 0, running: 1 })
})

test('deletes in batches', async () => {
  await fill(database, { count: 2500 })
  const batches = [await prune(2301), await prune(2301), await prune(2301), await prune(2301)]
  expect(batches).toEqual([1000, 1000, 300, 0])
})

test('skips locked deliveries and deletes them later', async () => {
  await fill(database, { count: 10 })
  await database.transaction(async (session) => {
    await session.run('select id from deliveries where id = 3 for update')
    expect(await prune(11)).toBe(9)
    expect(await database.all('select id from deliveries')).toEqual([{ id: 3 }])
  })
  expect(await prune(11)).toBe(1)
})

test('keeps deliveries that were retried', async () => {
  await fill(database, { count: 10 })
  await database.run(`update deliveries set state = 'pending' where id = 5`)
  expect(await prune(11)).toBe(9)
  expect(await database.all('select id from deliveries')).toEqual([{ id: 5 }])
})

test('deletes old deliveries behind a delivery that a wrong clock has dated in the future', async () => {
  await fill(database, { count: 1200, receivedAt: `case when i <= 1100 then ${1e9} else i end` })
  expect(await prune(1201)).toBe(100)
})

test('deletes old deliveries behind younger ones, such as imported deliveries, within a few rounds', async () => {
  await fill(database, { count: 1500, receivedAt: `case when i <= 1400 then 1000 else 1 end` })
  const cursor: PruneCursor = new Map()
  const round = () => database.transaction((session) => pruneBatch(session, 1e6 - 500, 1e6, cursor))
  const rounds: number[] = []
  for (let i = 0; i < 8; i++) rounds.push(await round())
  expect(rounds).toEqual([0, 0, 0, 0, 0, 100, 0, 0]) // 250 deliveries of each state in a round
})

test('deletes old acks of received and of imported deliveries', async () => {
  await database.run('insert into acks (batch, at) select i, i from generate_series(1, 6000) as i')
  await database.run('insert into acks (batch, at) select -i, i from generate_series(1, 6000) as i')
  const acks = () => database.all('select min(at) as oldest, count(*) as count from acks group by batch < 0')
  await prune(100)
  expect(await acks()).toEqual(Array(2).fill({ oldest: 100, count: 5901 }))
  await prune(5900)
  expect(await acks()).toEqual(Array(2).fill({ oldest: 5100, count: 901 })) // 5,000 at a time
})

test('deletes old tombstones, many at a time', async () => {
  await database.run(`
    insert into tombstones (identity, hook_id, variant, sha256, state, pulled, pruned_at)
    select i::text::bytea, '1', 0, '', 'done', false, i from generate_series(1, 6000) as i`)
  await prune(0, 8 * day + 5501)
  expect(await left()).toMatchObject({ tombstones: 1000 })
  await prune(0, 8 * day + 5501)
  expect(await left()).toMatchObject({ tombstones: 500 })
})
