import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import type { GoneTasks } from '../../src/inbox/inbox.ts'
import { postgres } from '../../src/postgres/index.ts'
import { recordMatches } from '../../src/testing/inbox-contract/matching.ts'
import { eventually, storeIn, taskIn } from '../inbox/stores.ts'
import { databases } from './databases.ts'

const { create } = databases()

test('sends heartbeats while the deliveries of a dead worker are locked', async () => {
  const url = await create()
  const [client, onlooker] = [1, 2].map(
    () => new pg.Client({ connectionString: url, options: '-c search_path=hookserver' }),
  ) as [pg.Client, pg.Client]
  const [dying, living] = [postgres(url, { heartbeat: 60_000 }), postgres(url, { heartbeat: '20ms' })]
  onTestFinished(async () => {
    await Promise.all([client.end(), onlooker.end()])
    await Promise.all([dying.close(), living.close()])
  })
  const handlers = [{ name: 'a', backoff: 1 }]
  const id = await storeIn(dying)
  const dead = await dying.registerWorker(handlers)
  await recordMatches(dying, dead, [{ id, summary: {}, tasks: [{ handler: 'a', claim: true }] }], Date.now())
  await Promise.all([client.connect(), onlooker.connect()])
  // `dying` sends a heartbeat every 60 s. This update makes `living` expect a heartbeat of `dying` every 20 ms. So
  // `living` soon counts the worker of `dying` as dead.
  await client.query('update workers set interval = 20')
  await client.query('begin')
  await client.query('select from deliveries for update')

  const worker = await living.registerWorker(handlers)
  const heartbeats = async () =>
    (await onlooker.query('select heartbeats from workers where id = $1', [worker])).rows[0]?.heartbeats
  await eventually(async () => {
    const { rows } = await onlooker.query(
      "select from pg_stat_activity where application_name = 'hookserver maintenance' and wait_event_type = 'Lock'",
    )
    expect(rows).not.toEqual([])
  })
  const before = Number(await heartbeats())
  await eventually(async () => expect(Number(await heartbeats())).toBeGreaterThan(before + 10))
  expect(await taskIn(living, id, 'a')).toMatchObject({ state: 'running' })
  await client.query('rollback')
  await eventually(async () => expect(await taskIn(living, id, 'a')).toMatchObject({ state: 'retrying' }))
})

test('reports work that fails until it succeeds', async () => {
  const url = await create()
  const inbox = postgres(url, { heartbeat: '20ms' })
  const client = new pg.Client({ connectionString: url, options: '-c search_path=hookserver' })
  onTestFinished(async () => {
    await Promise.all([client.end(), inbox.close()])
  })
  await Promise.all([client.connect(), inbox.registerWorker([{ name: 'a', backoff: 1 }])])
  expect((await inbox.overview()).failing).toBeUndefined()
  await client.query('alter table workers rename heartbeats to pulse')
  await eventually(async () => {
    const message = expect.stringMatching(/column .*heartbeats.* does not exist/)
    const failing = ['heartbeats', 'expired leases'].map((work) => ({ work, message }))
    expect((await inbox.overview()).failing).toEqual(expect.arrayContaining(failing))
    expect(await inbox.maintenanceFailures?.()).toEqual(expect.arrayContaining(failing))
  })
  await client.query('alter table workers rename pulse to heartbeats')
  await eventually(async () => expect((await inbox.overview()).failing).toBeUndefined())
})

test('releases a worker only after its last heartbeat, which would register the worker again', async () => {
  const url = await create()
  const inbox = postgres(url, { heartbeat: '20ms' })
  const [blocker, onlooker] = [1, 2].map(
    () => new pg.Client({ connectionString: url, options: '-c search_path=hookserver' }),
  ) as [pg.Client, pg.Client]
  onTestFinished(async () => {
    await Promise.all([blocker.end(), onlooker.end(), inbox.close()])
  })
  const worker = await inbox.registerWorker([{ name: 'a', backoff: 1 }])
  await Promise.all([blocker.connect(), onlooker.connect()])
  await blocker.query('select pg_advisory_lock(1)')
  await blocker.query(`
    create function wait() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock(1); return new; end';
    create trigger wait before insert on workers for each row execute function wait()`)
  await eventually(async () => {
    const { rows } = await onlooker.query("select from pg_stat_activity where wait_event = 'advisory'")
    expect(rows).not.toEqual([])
  })
  const order: string[] = []
  const released = inbox.releaseWorker(worker).then(() => order.push('released'))
  await onlooker.query('select pg_sleep(0.1)') // time for a release that does not wait
  order.push('heartbeat')
  await blocker.query('select pg_advisory_unlock(1)')
  await released
  expect(order).toEqual(['heartbeat', 'released'])
  expect((await onlooker.query('select from workers')).rows).toEqual([])
})

test('ends all tasks of a removed handler in one reconciliation, and reports them together', async () => {
  const url = await create()
  const client = new pg.Client({ connectionString: url, options: '-c search_path=hookserver' })
  const inbox = postgres(url, { heartbeat: '20ms', vanishAfter: 60_000 })
  onTestFinished(async () => {
    await Promise.all([client.end(), inbox.close()])
  })
  const gone = Promise.withResolvers<GoneTasks>()
  await inbox.registerWorker([{ name: 'a', backoff: 1 }], undefined, gone.resolve)
  await client.connect()
  const ids = await Promise.all(Array.from({ length: 2500 }, () => storeIn(inbox)))
  await client.query('begin')
  await client.query(
    `insert into tasks (delivery_id, handler, state, next_at) select id, 'removed', 'pending', 0 from deliveries`,
  )
  await client.query('update deliveries set matched = true')
  await client.query(`insert into handlers values ('removed', 0)`)
  await client.query('commit')
  expect(await gone.promise).toEqual({ handler: 'removed', count: ids.length })
  expect((await inbox.overview()).states).toMatchObject({ ignored: ids.length, pending: 0 })
})
