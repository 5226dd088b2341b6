import { afterAll, beforeEach, expect, test, vi } from 'vitest'
import type { Database } from '../../../src/postgres/connection/database.ts'
import { UnmatchedSearch } from '../../../src/postgres/task-queue/match.ts'
import { databases } from '../databases.ts'
import { createTables, fill } from '../inbox.ts'

const server = databases()
let database: Database
let search: UnmatchedSearch

beforeEach(async () => {
  database = await createTables(await server.create())
  await fill(database, { count: 5 })
  await setUnmatched(2, 3, 4)
  search = new UnmatchedSearch()
  vi.useFakeTimers({ toFake: ['performance'] })
  return async () => {
    vi.useRealTimers()
    await database.close()
  }
})
afterAll(() => vi.useRealTimers())

const setUnmatched = (...ids: number[]) =>
  database.run('update deliveries set matched = not (id = any($1::bigint[])) where id <= 5', ids)

async function found(ordered = false): Promise<number[]> {
  const offer = { limit: 2, bytes: 1e9, ordered, now: 0 }
  return (await database.transaction((transaction) => search.lock(transaction, offer))).map(({ id }) => id)
}

/** Searches while a search of the whole index takes 500 ms. */
async function findSlowly(): Promise<number[]> {
  const transact = database.transaction.bind(database)
  const spy = vi.spyOn(database, 'transaction').mockImplementation((work) =>
    transact((transaction) => {
      const all = transaction.all.bind(transaction)
      transaction.all = async (...args) => {
        vi.advanceTimersByTime(500)
        return (await all(...args)) as never
      }
      return work(transaction)
    }),
  )
  const ids = await found()
  spy.mockRestore()
  return ids
}

test('each search finds the oldest deliveries', async () => {
  expect(await found()).toEqual([2, 3])
  await setUnmatched(1, 3, 4)
  expect(await found()).toEqual([1, 3])
})

test('after a slow search, the next ones begin where it has found deliveries, for twenty times its duration', async () => {
  expect(await findSlowly()).toEqual([2, 3])
  await setUnmatched(1, 3, 4)
  expect(await found()).toEqual([3, 4])
  vi.advanceTimersByTime(9999)
  expect(await found()).toEqual([3, 4])
  vi.advanceTimersByTime(1)
  expect(await found()).toEqual([1, 3])
})

test('a search that finds nothing looks for earlier deliveries at once', async () => {
  await findSlowly()
  await setUnmatched(1)
  expect(await found()).toEqual([1])
})

test('with an order, each search finds the oldest deliveries', async () => {
  await findSlowly()
  await setUnmatched(1, 3, 4)
  expect(await found(true)).toEqual([1, 3])
})
