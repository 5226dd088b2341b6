import pg from 'pg'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { Transaction } from '../../../src/postgres/connection/database.ts'
import { postgres } from '../../../src/postgres/index.ts'
import {
  claimNextTasks,
  lockCount,
  lockOrderKeys,
  OrderQueues,
  orderHash,
} from '../../../src/postgres/task-queue/order.ts'
import { unblockFirstTasks } from '../../../src/postgres/task-queue/reconcile.ts'
import { recordMatches } from '../../../src/testing/inbox-contract/matching.ts'
import { stateIn, storeIn } from '../../inbox/stores.ts'
import { databases } from '../databases.ts'
import { createTables, fill } from '../inbox.ts'

const { create } = databases()
let url: string

beforeAll(async () => {
  url = await create()
})

test('stops waiting for a locked order key before PostgreSQL ends the idle transaction', async () => {
  const inbox = postgres(url)
  const suspended = new pg.Client({ connectionString: url, options: '-c search_path=hookserver' })
  onTestFinished(async () => {
    await suspended.end()
    await inbox.close()
  })
  const worker = await inbox.registerWorker([{ name: 'a', backoff: 1000 }])
  const id = await storeIn(inbox)
  const plan = { id, summary: {}, tasks: [{ handler: 'a', key: 'octo/hello', claim: true }] }
  const [task] = await recordMatches(inbox, worker, [plan], Date.now())
  await suspended.connect()
  const { transaction } = Transaction.begin(suspended)
  await lockOrderKeys(transaction, [orderHash('a', 'octo/hello') as number])

  const outcome = {
    id,
    handler: 'a',
    attempt: task?.attempt ?? 0,
    outcome: 'succeeded',
    startedAt: 0,
    duration: 1,
  } as const
  await expect(inbox.finish(worker, [outcome])).rejects.toThrow(/lock timeout/)
  await transaction.rollback()
  expect(await inbox.finish(worker, [outcome])).toMatchObject([{ id, state: 'done' }])
  expect(await stateIn(inbox, id)).toBe('done')
})

test('locks the same order key of two inboxes in one database independently', async () => {
  const inboxes = [await createTables(url), await createTables(url)] as const
  onTestFinished(async () => void (await Promise.all(inboxes.map((inbox) => inbox.close()))))
  await inboxes[0].transaction(async (holding) => {
    await lockOrderKeys(holding, [7])
    await inboxes[1].transaction((other) => lockOrderKeys(other, [7]))
  })
})

test('takes a bounded number of locks for any number of order keys', async () => {
  const database = await createTables(url)
  onTestFinished(() => database.close())
  const hashes = Array.from({ length: 20_000 }, (_, index) => orderHash('a', String(index)) as number)
  const locks = await database.transaction(async (transaction) => {
    await lockOrderKeys(transaction, hashes)
    return transaction.all(`select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()`)
  })
  expect(locks).toHaveLength(lockCount)
})

test('claims the next task of a queue without reading all of its tasks', async () => {
  const database = await createTables(url)
  onTestFinished(() => database.close())
  await fill(database, { count: 500 })
  await database.run(
    `update tasks set order_hash = 7, state = case when delivery_id = 1 then 'done' else 'pending' end`,
  )
  const { id: worker } = (await database.get<{ id: number }>(
    `insert into workers (handlers, interval) values ('[]', 1000) returning id`,
  )) as { id: number }
  await database.transaction(async (transaction) => {
    const readTasks = async () => (await transaction.get<{ rows: number }>(selectReadTasks))?.rows ?? 0
    await transaction.run(`insert into attempts values (1, 'a', 1, 1, 1, 'succeeded')`)
    const before = await readTasks()
    const place = { id: 1, handler: 'a', ended: 1, worker, bytes: 1000, ahead: false, now: 0, place: 0 }
    expect(await claimNextTasks(transaction, [place])).toMatchObject([{ id: 2, place: 0 }])
    expect((await readTasks()) - before).toBeLessThan(10)
  })
})

test('looks at a queue without a running task, and does not read all of its tasks', async () => {
  const database = await createTables(url)
  onTestFinished(() => database.close())
  await fill(database, { count: 500 })
  await database.run(`update tasks set order_hash = 7, state = 'pending', next_at = 99`)
  await database.transaction(async (transaction) => {
    const readTasks = async () => (await transaction.get<{ rows: number }>(selectReadTasks))?.rows ?? 0
    const before = await readTasks()
    const queues = await OrderQueues.of(transaction, [7])
    expect([1, 2].map((id) => queues.takeTurn(7, id, false))).toEqual([true, false])
    await unblockFirstTasks(transaction)
    expect((await readTasks()) - before).toBeLessThan(10)
  })
})

/** The rows of `tasks` that the transaction has read so far. */
const selectReadTasks = `
  select (seq_tup_read + idx_tup_fetch)::int as rows from pg_stat_xact_user_tables where relid = 'tasks'::regclass`
