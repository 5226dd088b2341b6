import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { encodeDelivery } from '../../src/sqlite/delivery-store/store.ts'
import { MiB } from '../receiver/fixtures.ts'
import { Engine, newDelivery, policy } from './engine.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] }))
afterEach(() => void vi.useRealTimers())

const pass = (ms: number) => void vi.advanceTimersByTime(ms)
const beatOf = (engine: Engine, worker: number) =>
  engine.writing.get<{ heartbeats: number }>('select heartbeats from workers where id = ?', worker)?.heartbeats

describe('the maintenance', () => {
  test('fails only the call that failed', () => {
    const engine = new Engine()
    const { id } = engine.store()
    const answers = engine.maintenance.execute([
      { method: 'get', args: [id] },
      { method: 'nothing' as never, args: [] },
      { method: 'body', args: [id + 1] },
    ])
    expect(answers).toMatchObject([{ value: { id } }, { error: { message: expect.any(String) } }, { value: undefined }])
  })

  test('sends the heartbeats of its workers until they are removed', () => {
    const engine = new Engine(undefined, { heartbeat: 1000 })
    const [one, two] = [engine.registerWorker('a'), engine.registerWorker('b')]
    pass(3000)
    expect([beatOf(engine, one), beatOf(engine, two)]).toEqual([3, 3])
    engine.read('removeWorker', two)
    pass(1000)
    expect([beatOf(engine, one), beatOf(engine, two)]).toEqual([4, 3])
  })

  test('sends heartbeats between two calls of a slow batch', () => {
    const engine = new Engine(undefined, { heartbeat: 1000 })
    const worker = engine.registerWorker('a')
    let now = performance.now()
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 400))
    engine.maintenance.execute(Array.from({ length: 9 }, () => ({ method: 'overview', args: [] })))
    vi.mocked(performance.now).mockRestore()
    expect(beatOf(engine, worker)).toBeGreaterThan(0)
    expect(beatOf(engine, worker)).toBeLessThan(4)
  })

  test.each([
    ['heartbeats', 'handlers', 1000],
    ['pruning', 'audit_log', 60_000],
  ])('reports that %s fail until they succeed again', (work, table, interval) => {
    const engine = new Engine(undefined, { heartbeat: 1000 })
    engine.registerWorker('a')
    engine.writing.run(`alter table ${table} rename to renamed`)
    pass(interval)
    const failing = [{ work, message: expect.stringContaining(table) }]
    expect([engine.read('overview').failing, engine.read('maintenanceFailures')]).toEqual([failing, failing])
    engine.writing.run(`alter table renamed rename to ${table}`)
    pass(interval)
    expect([engine.read('overview').failing, engine.read('maintenanceFailures')]).toEqual([undefined, []])
  })

  test('expires the leases of a worker without heartbeats, but not of its own', () => {
    const engine = new Engine(undefined, { heartbeat: 1000 })
    const [dead, alive] = [engine.registerWorker('a'), engine.registerWorker('b')]
    const [lost, kept] = [engine.begin(dead, 'a'), engine.begin(alive, 'b')]
    engine.read('removeWorker', dead)
    pass(5000)
    expect(engine.tasks(lost.id)).toEqual({ a: 'running' })
    pass(1000)
    expect([engine.tasks(lost.id), engine.tasks(kept.id)]).toEqual([{ a: 'retrying' }, { b: 'running' }])
  })

  test('ends all tasks of a removed handler soon after a heartbeat, and reports them together', async () => {
    const engine = new Engine(undefined, { heartbeat: 1000, vanishAfter: '1ms' })
    const worker = engine.registerWorker('a')
    const ids = Array.from({ length: 2500 }, () => engine.store().id)
    const tasks = [{ handler: 'removed', claim: false }]
    const matches = ids.map((id) => ({ id, summary: {}, tasks }))
    engine.write('recordMatches', worker, matches, 1000)
    const reported = vi.fn()
    engine.maintenance.sendEvents(reported)
    pass(2000)
    await expect.poll(() => engine.read('overview').states.ignored).toBe(2500)
    expect(reported.mock.calls).toEqual([[{ handler: 'removed', count: 2500 }]])
  })

  test('ends tasks as gone and corrects clock skew with each heartbeat', () => {
    const engine = new Engine(undefined, { heartbeat: 1000, vanishAfter: '1s' })
    const worker = engine.registerWorker('a', 'b')
    const [gone, waiting] = [engine.begin(worker, 'a'), engine.begin(worker, 'b')]
    engine.finish(worker, gone, 'failed', { nextAt: 1 })
    const now = Date.now()
    const far = { startedAt: now + 1e9, duration: 0, nextAt: now + 1e9 + 100 } // the clock was set back afterwards
    engine.finish(worker, waiting, 'failed', far)
    engine.write('updateWorker', worker, [policy('b')])
    engine.read('addWorker', worker, [policy('b')])
    pass(1000)
    expect(engine.detail(waiting.id).nextAttemptAt).toBe(now + 1000)
    expect(engine.tasks(gone.id)).toEqual({ a: 'retrying' })
    pass(1000)
    expect(engine.tasks(gone.id)).toEqual({ a: 'gone' })
  })

  test('ends tasks as gone only when `vanishAfter` has passed since the release of the last worker with their handler', () => {
    const engine = new Engine(undefined, { heartbeat: 1000, vanishAfter: '20s' })
    const release = (worker: number) => {
      engine.read('removeWorker', worker)
      engine.write('releaseWorker', worker)
    }
    engine.registerWorker('another')
    const worker = engine.registerWorker('a')
    const task = engine.begin(worker, 'a')
    engine.finish(worker, task, 'failed', { nextAt: 1 })
    pass(40_000)
    release(worker)
    pass(19_000)
    release(engine.registerWorker('a')) // between two heartbeats
    pass(19_000)
    expect(engine.tasks(task.id)).toEqual({ a: 'retrying' })
    pass(3000)
    expect(engine.tasks(task.id)).toEqual({ a: 'gone' })
  })

  test('prunes every minute', () => {
    const engine = new Engine(undefined, { retention: '1s' })
    const { id } = engine.store({ receivedAt: Date.now() })
    engine.dispatch(engine.registerWorker('a'), id)
    pass(59_999)
    expect(engine.count('deliveries')).toBe(1)
    pass(1)
    expect([engine.count('deliveries'), engine.count('tombstones')]).toEqual([0, 1])
  })

  test('sends no heartbeats while its caller is blocked for longer than the longest timeout of a handler', () => {
    const engine = new Engine(undefined, { heartbeat: 1000 })
    const worker = engine.write('registerWorker', [policy('a')])
    engine.read('addWorker', worker, [{ ...policy('a'), timeout: 90_000 }])
    engine.dispatch(worker, engine.store().id, 'a')
    // The test simulates a caller with a blocked event loop. A call to the maintenance would show that the event loop
    // is not blocked. So this function reads the table directly.
    const state = () => engine.writing.get('select state from tasks')
    const real = performance.now()
    const clock = vi.spyOn(performance, 'now')
    onTestFinished(() => clock.mockRestore())
    clock.mockReturnValue(real + 80_000)
    pass(1000)
    expect(beatOf(engine, worker)).toBe(1)
    clock.mockReturnValue(real + 100_000)
    pass(5000)
    expect(state()).toEqual({ state: 'running' })
    pass(1000)
    expect(state()).toEqual({ state: 'retrying' })
  })

  test('prunes at once if the file is nearly full', () => {
    const engine = new Engine(undefined, { maxSize: 2 * MiB })
    const worker = engine.registerWorker('a')
    for (let i = 0; i < 17; i++) engine.dispatch(worker, engine.store({ body: randomBytes(100_000) }).id)
    expect(engine.count('deliveries')).toBe(17)
    pass(200)
    expect(engine.count('deliveries')).toBe(0)
  })

  test('stops all of its work when it is closed', () => {
    const engine = new Engine()
    expect(vi.getTimerCount()).toBe(3)
    engine.maintenance.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('continues after a failure', () => {
    const engine = new Engine(undefined, { heartbeat: 1000, lockTimeout: '1ms' })
    const worker = engine.registerWorker('a')
    const other = new DatabaseSync(engine.path)
    onTestFinished(() => other.close())
    other.exec('begin immediate')
    pass(1000)
    other.exec('rollback')
    expect(beatOf(engine, worker)).toBe(0)
    pass(1000)
    expect(beatOf(engine, worker)).toBe(1)
    expect(engine.keeping.db.isTransaction).toBe(false)
  })
})

describe('the write-ahead log', () => {
  test('is checkpointed soon, and not again while nothing changes', () => {
    const engine = new Engine()
    const { id } = engine.store()
    const before = statSync(engine.path).size
    const get = vi.spyOn(engine.keeping, 'get')
    const checkpoints = () => get.mock.calls.filter(([sql]) => sql.includes('wal_checkpoint(passive)')).length
    pass(200)
    expect(checkpoints()).toBe(1)
    expect(statSync(engine.path).size).toBeGreaterThanOrEqual(before)
    const copy = new DatabaseSync(engine.path, { readOnly: true })
    onTestFinished(() => copy.close())
    expect(copy.prepare('select id from deliveries').all()).toEqual([{ id }])
    pass(2000)
    expect(checkpoints()).toBe(1)
    engine.store()
    pass(200)
    expect(checkpoints()).toBe(2)
  })

  test('shrinks to 32 MiB after the end of a long reader', async () => {
    const engine = new Engine()
    const log = () => statSync(`${engine.path}-wal`).size
    engine.store()
    const reader = new DatabaseSync(engine.path, { readOnly: true })
    onTestFinished(() => {
      if (reader.isOpen) reader.close()
    })
    reader.exec('begin; select * from deliveries')
    for (let i = 0; i < 5; i++) {
      engine.write('store', await encodeDelivery(newDelivery({ body: randomBytes(8 * MiB) })))
      pass(200)
    }
    expect(log()).toBeGreaterThan(40 * MiB)
    reader.close()
    engine.store()
    pass(200)
    engine.store()
    expect(log()).toBeLessThanOrEqual(32 * MiB)
  })

  test('does not grow without limit under steady load', async () => {
    const engine = new Engine()
    const log = () => statSync(`${engine.path}-wal`).size
    for (let i = 0; i < 12; i++) {
      engine.write('store', await encodeDelivery(newDelivery({ body: randomBytes(8 * MiB) })))
      pass(200)
    }
    expect(statSync(engine.path).size + log()).toBeGreaterThan(96 * MiB)
    expect(log()).toBeLessThan(64 * MiB)
  })
})
