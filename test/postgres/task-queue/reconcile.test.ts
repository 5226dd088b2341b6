/** The tests create broken states by hand, since the inbox does not produce them. */
import { beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { MatchedTask, Store } from '../../../src/inbox/inbox.ts'
import { Database } from '../../../src/postgres/connection/database.ts'
import { postgres } from '../../../src/postgres/index.ts'
import { resolvePostgresOptions } from '../../../src/postgres/options.ts'
import { reclaimLeases } from '../../../src/postgres/task-queue/leases.ts'
import { correctClockSkew, unblockFirstTasks } from '../../../src/postgres/task-queue/reconcile.ts'
import { endUnhandledTasks } from '../../../src/postgres/task-queue/unhandled-tasks.ts'
import { type RegisteredWorker, workers } from '../../../src/postgres/task-queue/workers.ts'
import { recordMatches, unmatched } from '../../../src/testing/inbox-contract/matching.ts'
import { stateIn, storeIn, taskIn } from '../../inbox/stores.ts'
import { databases } from '../databases.ts'

const { create } = databases()
let url: string
let inbox: Store
let worker: number
let database: Database
let schema: string
let schemas = 0

beforeAll(async () => {
  url = await create()
})

beforeEach(async () => {
  schema = `reconcile_${++schemas}`
  const options = { schema, heartbeat: 60_000 } // only the test reconciles
  inbox = postgres(url, options)
  worker = await inbox.registerWorker([
    { name: 'a', backoff: 1000 },
    { name: 'b', backoff: 1000 },
  ])
  database = new Database({ connectionString: url }, resolvePostgresOptions(options), { max: 2, name: 'test' })
  return async () => {
    await inbox.close()
    await database.close()
  }
})

const match = (id: number, ...tasks: MatchedTask[]) =>
  recordMatches(inbox, worker, [{ id, summary: {}, tasks }], Date.now())

const claim = async (handler = 'a') =>
  (await inbox.claim(worker, { wanted: { [handler]: 9 }, bytes: 1e9, now: Date.now() })).map(({ id }) => id)

const handed = async (from = inbox) => (await unmatched(from, 100, 1e9)).map(({ id }) => id)

test('unblocks the first task of an idle queue', async () => {
  const ids = [await storeIn(inbox), await storeIn(inbox), await storeIn(inbox)]
  for (const id of ids) await match(id, { handler: 'a', key: id === ids[2] ? 'other' : 'key', claim: false })
  await database.run('update tasks set next_at = null')
  expect(await claim()).toEqual([])
  const free = () => database.transaction(unblockFirstTasks)
  await free()
  expect((await claim()).toSorted()).toEqual([ids[0], ids[2]])
  await free() // the second task waits while the first runs
  expect(await claim()).toEqual([])
})

test('makes tasks due that would wait for longer than their delay, and no others', async () => {
  const hour = 3_600_000
  const ids = [await storeIn(inbox), await storeIn(inbox)]
  for (const [index, id] of ids.entries()) {
    const [task] = await match(id, { handler: 'a', claim: true })
    const ahead = index === 0 ? 10 * hour : 0 // written by a worker with a wrong clock
    const failed = {
      outcome: 'failed',
      startedAt: Date.now() + ahead,
      duration: 0,
      nextAt: Date.now() + ahead + hour,
    } as const
    if (task) await inbox.finish(worker, [{ ...task, ...failed }])
  }
  await database.transaction((session) => correctClockSkew(session, Date.now()))
  expect(await claim()).toEqual([ids[0]])
  expect((await taskIn(inbox, ids[1] as number, 'a')).state).toBe('retrying')
})

test('gives the tasks that it makes due turns of their repository', async () => {
  for (const id of [await storeIn(inbox), await storeIn(inbox)]) {
    const [task] = await match(id, { handler: 'a', claim: true, fairKey: 'octo/site' })
    const startedAt = Date.now() + 36_000_000 // written by a worker with a wrong clock
    const failed = { outcome: 'failed', startedAt, duration: 0, nextAt: startedAt + 1000 } as const
    if (task) await inbox.finish(worker, [{ ...task, ...failed }])
  }
  await database.transaction((session) => correctClockSkew(session, Date.now()))
  expect(await database.all('select pass::int, delay from tasks order by delivery_id')).toEqual([
    { pass: 1, delay: null },
    { pass: 2, delay: null },
  ])
})

test('ends due tasks as gone only if no worker has registered their handler for a long time', async () => {
  const id = await storeIn(inbox)
  await match(id, { handler: 'nowhere', claim: false })
  const lose = (now: number) => database.transaction((session) => endUnhandledTasks(session, 1000, now))
  const now = Date.now()
  await lose(now)
  await lose(now + 999)
  expect((await taskIn(inbox, id, 'nowhere')).state).toBe('pending')
  expect(await lose(now + 1000)).toEqual([{ handler: 'nowhere', count: 1 }])
  expect((await taskIn(inbox, id, 'nowhere')).state).toBe('gone')
  expect((await inbox.get(id))?.reason).toContain('nowhere ended as gone')
})

test('keeps a task when its delivery runs again while the program with its handler restarts', async () => {
  const other = await inbox.registerWorker([{ name: 'other', backoff: 1000 }])
  const id = await storeIn(inbox)
  const [task] = await match(id, { handler: 'a', claim: true })
  if (task) await inbox.finish(worker, [{ ...task, outcome: 'dead', startedAt: Date.now(), duration: 1 }])
  await inbox.releaseWorker(worker)
  await inbox.retry({ ids: [id] })
  await recordMatches(inbox, other, [{ id, summary: {}, tasks: [] }], Date.now())
  await database.transaction((session) => endUnhandledTasks(session, 60_000, Date.now()))
  expect((await taskIn(inbox, id, 'a')).state).toBe('pending')
  worker = await inbox.registerWorker([{ name: 'a', backoff: 1000 }])
  expect(await claim()).toEqual([id])
})

test('ends no tasks as gone soon after the release of a worker that ran only briefly', async () => {
  const id = await storeIn(inbox)
  await match(id, { handler: 'brief', claim: false })
  const now = Date.now()
  const end = (at: number) => database.transaction((session) => endUnhandledTasks(session, 30_000, at))
  await end(now - 40_000)
  await inbox.releaseWorker(await inbox.registerWorker([{ name: 'brief', backoff: 1000 }]))
  await end(now)
  expect((await taskIn(inbox, id, 'brief')).state).toBe('pending')
  await end(now + 60_000)
  expect((await taskIn(inbox, id, 'brief')).state).toBe('gone')
})

test('does not count time without a worker before it ends tasks as gone', async () => {
  const id = await storeIn(inbox)
  await match(id, { handler: 'nowhere', claim: false })
  const [now, hour] = [Date.now(), 3_600_000]
  const lose = (at: number) => database.transaction((session) => endUnhandledTasks(session, 100_000, now + at))
  await lose(0)
  await lose(25 * hour)
  await lose(25 * hour + 99_999)
  expect((await taskIn(inbox, id, 'nowhere')).state).toBe('pending')
  await lose(25 * hour + 100_000)
  expect((await taskIn(inbox, id, 'nowhere')).state).toBe('gone')
})

test.each(['a killed worker is removed', 'the first worker runs only briefly'])(
  'does not count time without a worker if %s before the first check after an outage',
  async (name) => {
    const register = (handler: string) => inbox.registerWorker([{ name: handler, backoff: 1000 }])
    const [hour, vanishAfter] = [3_600_000, 100_000]
    const check = () => database.transaction((session) => endUnhandledTasks(session, vanishAfter, Date.now()))
    const id = await storeIn(inbox)
    await match(id, { handler: 'b', claim: false })
    await check()
    await inbox.releaseWorker(worker)
    const killed = await register('a')
    await database.run('update handlers set seen_at = seen_at - $1', 25 * hour)
    if (name.startsWith('a killed')) {
      const [dead] = (await workers(database)).filter((one) => one.id === killed)
      await database.transaction((session) => reclaimLeases(session, dead as RegisteredWorker, Date.now()))
    } else await inbox.releaseWorker(killed)
    await register('a')
    await check()
    expect((await taskIn(inbox, id, 'b')).state).toBe('pending')
  },
)

test('moves the recorded times only once if two workers end together after an outage', async () => {
  const both = [await inbox.registerWorker([{ name: 'c', backoff: 1000 }]), worker]
  await database.transaction((session) => endUnhandledTasks(session, 100_000, Date.now()))
  await database.run('update handlers set seen_at = seen_at - $1', 90_000_000)
  await Promise.all(both.map((one) => inbox.releaseWorker(one)))
  const { latest } = (await database.get<{ latest: number }>('select max(seen_at) as latest from handlers')) ?? {}
  expect(latest).toBeLessThanOrEqual(Date.now() + 1000)
})

test('ends ordered tasks without a handler together with the tasks that wait for them', async () => {
  const task = (startAt?: number) => ({ handler: 'nowhere', key: 'k', claim: false, startAt })
  const now = Date.now()
  const ids = [await storeIn(inbox), await storeIn(inbox), await storeIn(inbox)]
  for (const id of ids) await match(id, task(id === ids[2] ? now + 60_000 : undefined))
  for (const at of [now, now + 1000]) {
    await database.transaction((session) => endUnhandledTasks(session, 1000, at))
  }
  const states = await Promise.all(ids.map(async (id) => (await taskIn(inbox, id, 'nowhere')).state))
  expect(states).toEqual(['gone', 'gone', 'pending'])
  expect(await inbox.nextDueAt(['nowhere'])).toBe(now + 60_000)
})

test('does not offer a delivery to another process while a transaction matches it', async () => {
  const ids = [await storeIn(inbox), await storeIn(inbox)]
  const other = postgres(url, { schema })
  onTestFinished(() => other.close())
  const seen: number[][] = []
  const offer = { limit: 1, bytes: 1e9, ordered: false, now: Date.now() }
  await inbox.match(worker, offer, async () => {
    seen.push(await handed(other))
    return []
  })
  expect(seen).toEqual([[ids[1]]])
  await expect.poll(() => handed(other)).toEqual(ids)
})

test('offers nothing, without waiting, to a second process with ordered handlers', async () => {
  await storeIn(inbox)
  const later = await storeIn(inbox)
  const other = postgres(url, { schema })
  onTestFinished(() => other.close())
  const plan = vi.fn(() => [])
  const offer = { limit: 1, bytes: 1e9, ordered: true, now: Date.now() }
  const results: unknown[] = []
  await inbox.match(worker, offer, async () => {
    results.push(await other.match(worker, offer, plan))
    // A worker without ordered handlers continues with the next delivery. Only a delivery with an order key has to wait
    // until the older delivery is matched.
    results.push(await recordMatches(other, worker, [{ id: later, summary: {}, tasks: [] }], Date.now()))
    return []
  })
  expect(results).toEqual([{ matched: 0, claimed: [] }, []])
  expect(plan).not.toHaveBeenCalled()
  expect(await stateIn(inbox, later)).toBe('ignored')
})

test('unlocks deliveries within seconds if a process is suspended while it matches them', async () => {
  const id = await storeIn(inbox)
  const other = postgres(url, { schema, statementTimeout: 500 })
  onTestFinished(() => other.close())
  const [planning, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const offer = { limit: 1, bytes: 1e9, ordered: true, now: Date.now() }
  const matching = other.match(worker, offer, async () => {
    planning.resolve()
    await goOn.promise
    return [{ id, summary: {}, tasks: [] }]
  })
  const failed = expect(matching).rejects.toThrow()
  await planning.promise
  expect(await handed()).toEqual([])
  await expect.poll(() => handed()).toEqual([id])
  await match(id)
  goOn.resolve()
  await failed
  expect(await stateIn(inbox, id)).toBe('ignored')
})
