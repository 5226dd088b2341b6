import { describe, expect, test } from 'vitest'
import { ownIdentity } from '../../../src/runtime/process-identity.ts'
import { LeaseMonitor } from '../../../src/sqlite/task-queue/leases.ts'
import { renewLeases, updateWorker } from '../../../src/sqlite/task-queue/workers.ts'
import { Engine, policy } from '../engine.ts'

const own = ownIdentity()
/** A process on another machine, so that this machine cannot tell whether it has ended. */
const stranger = { host: 'elsewhere', pid: 1 }

/** Makes a worker belong to another process. */
function disown(engine: Engine, worker: number, identity: object = stranger): void {
  engine.writing.run('update workers set process = ? where id = ?', JSON.stringify(identity), worker)
}

const workersOf = (engine: Engine) => engine.writing.all<{ id: number }>('select id from workers').map(({ id }) => id)

/** A worker of another process, with one running task. */
function foreignWorker(handler = 'a') {
  const engine = new Engine()
  const worker = engine.registerWorker(handler)
  const claimed = engine.begin(worker, handler)
  disown(engine, worker)
  const monitor = new LeaseMonitor()
  const check = (times = 1, now = 5000) => {
    for (let i = 0; i < times; i++)
      engine.writing.transaction(() => monitor.check(engine.writing, new Map(), 5000, now))
    return engine.tasks(claimed.id).a
  }
  const beat = () => void engine.writing.run('update workers set heartbeats = heartbeats + 1 where id = ?', worker)
  return { engine, worker, claimed, check, beat }
}

describe('a worker without new heartbeats', () => {
  test('is dead after five checks without a new heartbeat', () => {
    const { engine, check } = foreignWorker()
    expect(check()).toBe('running') // the first check
    expect(check(4)).toBe('running')
    expect(check()).toBe('retrying')
    expect(workersOf(engine)).toEqual([])
  })

  test('is alive if one of five checks has found a heartbeat', () => {
    const { check, beat } = foreignWorker()
    check(5)
    beat()
    expect(check(5)).toBe('running')
    expect(check()).toBe('retrying')
  })

  test('does not depend on the clock', () => {
    const { check } = foreignWorker()
    expect(check(5, 1e15)).toBe('running')
    expect(check(1, -1e15)).toBe('retrying')
  })

  test('has its tasks due again after their backoff, and the attempts count', () => {
    const { engine, claimed, check } = foreignWorker()
    check(6)
    const [task] = engine.detail(claimed.id).tasks
    expect(task).toMatchObject({
      state: 'retrying',
      attempts: [{ number: 1, outcome: 'cut off', duration: undefined }],
    })
    expect(task?.nextAttemptAt).toBeGreaterThanOrEqual(5050) // the delay is random, from 50 to 100 ms
    expect(task?.nextAttemptAt).toBeLessThanOrEqual(5100)
    expect(engine.detail(claimed.id).state).toBe('retrying')
    const other = engine.registerWorker('a')
    expect(engine.claim(other, 'a', 5100)).toMatchObject([{ attempt: 2, attemptsUsed: 2 }])
  })

  test('uses the default backoff for a handler without a policy', () => {
    const { engine, worker, claimed, check } = foreignWorker()
    updateWorker(engine.writing, worker, [])
    check(6)
    const { nextAttemptAt } = engine.detail(claimed.id)
    expect(nextAttemptAt).toBeGreaterThanOrEqual(7500)
    expect(nextAttemptAt).toBeLessThanOrEqual(10_000)
  })

  test('cannot record results any more', () => {
    const { engine, worker, claimed, check } = foreignWorker()
    check(6)
    expect(engine.finish(worker, claimed, 'succeeded')).toEqual([])
    expect(engine.tasks(claimed.id)).toEqual({ a: 'retrying' })
  })

  test('is checked from the beginning if it is registered again', () => {
    const { engine, worker, check } = foreignWorker()
    check(5)
    engine.writing.run('delete from workers where id = ?', worker)
    check()
    engine.writing.run(
      "insert into workers (id, process, handlers, heartbeats, interval) values (?, ?, '[]', 0, 5000)",
      worker,
      JSON.stringify(stranger),
    )
    check(5)
    expect(workersOf(engine)).toEqual([worker])
    check()
    expect(workersOf(engine)).toEqual([])
  })
})

describe('a worker whose process has ended', () => {
  test.runIf(process.platform === 'linux')('is dead at the first check', () => {
    const { engine, worker, check } = foreignWorker()
    disown(engine, worker, { ...own, started: '1' })
    expect(check()).toBe('retrying')
  })

  test.runIf(process.platform === 'linux')('is dead when another worker is registered', () => {
    const { engine, worker, claimed } = foreignWorker()
    disown(engine, worker, { ...own, started: '1' })
    const other = engine.registerWorker('a')
    expect(engine.tasks(claimed.id)).toEqual({ a: 'retrying' })
    expect(workersOf(engine)).toEqual([other])
  })

  test('stays when another worker is registered, if it is unknown whether the process has ended', () => {
    const { engine, worker, claimed } = foreignWorker()
    const own = engine.registerWorker('a')
    expect(engine.tasks(claimed.id)).toEqual({ a: 'running' })
    expect(workersOf(engine)).toEqual([worker, own])
  })
})

describe('a heartbeat', () => {
  test('registers a dead worker again, without its leases', () => {
    const { engine, worker, claimed, check } = foreignWorker()
    check(6)
    renewLeases(engine.writing, new Map([[worker, [policy('a')]]]), 5000, 0)
    expect(workersOf(engine)).toEqual([worker])
    expect(engine.tasks(claimed.id)).toEqual({ a: 'retrying' })
    renewLeases(engine.writing, new Map([[worker, []]]), 5000, 1)
    expect(engine.writing.get('select heartbeats from workers where id = ?', worker)).toEqual({ heartbeats: 1 })
  })
})

describe('a dead worker', () => {
  test('cannot claim tasks until its next heartbeat', () => {
    const { engine, worker, claimed, check } = foreignWorker()
    check(6)
    expect(() => engine.claim(worker, 'a', 1e6)).toThrow(/The leases of worker \d+ have expired/)
    expect(() => engine.dispatch(worker, engine.store().id, 'a')).toThrow(/The leases of worker \d+ have expired/)
    renewLeases(engine.writing, new Map([[worker, [policy('a')]]]), 5000, 0)
    expect(engine.claim(worker, 'a', 1e6)).toMatchObject([{ id: claimed.id, attempt: 2 }])
  })

  test('is never a worker of this process', () => {
    const engine = new Engine()
    const worker = engine.registerWorker('a')
    const claimed = engine.begin(worker, 'a')
    const monitor = new LeaseMonitor()
    for (let i = 0; i < 20; i++) monitor.check(engine.writing, new Map([[worker, [policy('a')]]]), 5000, 5000)
    expect(engine.tasks(claimed.id)).toEqual({ a: 'running' })
  })

  test('has more time if its interval is longer', () => {
    const { engine, worker, check } = foreignWorker()
    engine.writing.run('update workers set interval = 15000 where id = ?', worker)
    expect(check(15)).toBe('running')
    expect(check()).toBe('retrying')
  })

  test('leaves no task running without a worker', () => {
    const { engine, worker, claimed, check } = foreignWorker()
    engine.writing.run('delete from workers where id = ?', worker)
    expect(check()).toBe('retrying')
    expect(engine.detail(claimed.id).tasks[0]?.attempts).toMatchObject([{ outcome: 'cut off' }])
  })
})

describe('a released worker', () => {
  test('releases its leases at once, without counting an attempt', () => {
    const engine = new Engine()
    const worker = engine.registerWorker('a')
    const claimed = engine.begin(worker, 'a')
    engine.write('releaseWorker', worker)
    expect(workersOf(engine)).toEqual([])
    expect(engine.detail(claimed.id)).toMatchObject({
      state: 'pending',
      tasks: [{ state: 'pending', attempts: [{ number: 1, outcome: 'released' }] }],
    })
    const other = engine.registerWorker('a')
    expect(engine.claim(other, 'a', 0)).toMatchObject([{ id: claimed.id, attempt: 2, attemptsUsed: 1 }])
  })
})
