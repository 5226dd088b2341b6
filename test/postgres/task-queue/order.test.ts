import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { postgres } from '../../../src/postgres/index.ts'
import { orderHash } from '../../../src/postgres/task-queue/order.ts'
import { recordMatches } from '../../../src/testing/inbox-contract/matching.ts'
import { stateIn, storeIn } from '../../inbox/stores.ts'
import { type PostgresServer, startPostgres } from '../server.ts'

let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres('fsync=off')
}, 60_000)

afterAll(() => server.stop(), 60_000)

test('stops waiting for a locked order key before PostgreSQL ends the idle transaction', async () => {
  const inbox = postgres(server.url)
  const suspended = new pg.Client(server.url)
  onTestFinished(async () => {
    await suspended.end()
    await inbox.close()
  })
  const worker = await inbox.registerWorker([{ name: 'a', backoff: 1000 }])
  const id = await storeIn(inbox)
  const plan = { id, summary: {}, tasks: [{ handler: 'a', key: 'octo/hello', claim: true }] }
  const [task] = await recordMatches(inbox, worker, [plan], Date.now())
  await suspended.connect()
  await suspended.query('begin')
  await suspended.query('select pg_advisory_xact_lock($1)', [orderHash('a', 'octo/hello')])

  const outcome = {
    id,
    handler: 'a',
    attempt: task?.attempt ?? 0,
    outcome: 'succeeded',
    startedAt: 0,
    duration: 1,
  } as const
  await expect(inbox.finish(worker, [outcome])).rejects.toThrow(/lock timeout/)
  await suspended.query('rollback')
  expect(await inbox.finish(worker, [outcome])).toMatchObject([{ id, state: 'done' }])
  expect(await stateIn(inbox, id)).toBe('done')
})
