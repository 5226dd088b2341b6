import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Transaction } from '../../../src/postgres/connection/database.ts'
import { postgres } from '../../../src/postgres/index.ts'
import { lockCount, lockOrderKeys, orderHash } from '../../../src/postgres/task-queue/order.ts'
import { recordMatches } from '../../../src/testing/inbox-contract/matching.ts'
import { stateIn, storeIn } from '../../inbox/stores.ts'
import { createTables } from '../inbox.ts'
import { type PostgresServer, startPostgres } from '../server.ts'

let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres('fsync=off')
}, 60_000)

afterAll(() => server.stop(), 60_000)

test('stops waiting for a locked order key before PostgreSQL ends the idle transaction', async () => {
  const inbox = postgres(server.url)
  const suspended = new pg.Client({ connectionString: server.url, options: '-c search_path=hookserver' })
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
  const inboxes = [await createTables(server.url), await createTables(server.url)] as const
  onTestFinished(async () => void (await Promise.all(inboxes.map((inbox) => inbox.close()))))
  await inboxes[0].transaction(async (holding) => {
    await lockOrderKeys(holding, [7])
    await inboxes[1].transaction((other) => lockOrderKeys(other, [7]))
  })
})

test('takes a bounded number of locks for any number of order keys', async () => {
  const database = await createTables(server.url)
  onTestFinished(() => database.close())
  const hashes = Array.from({ length: 20_000 }, (_, index) => orderHash('a', String(index)) as number)
  const locks = await database.transaction(async (transaction) => {
    await lockOrderKeys(transaction, hashes)
    return transaction.all(`select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()`)
  })
  expect(locks).toHaveLength(lockCount)
})
