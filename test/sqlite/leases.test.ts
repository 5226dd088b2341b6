import { describe, expect, test } from 'vitest'
import { endUnhandledTasks, LeaseMonitor, renewLeases, updateWorker } from '../../src/sqlite/leases.ts'
import { ownIdentity } from '../../src/sqlite/process-identity.ts'
import { day } from '../receiver/fixtures.ts'
import { Engine, policy } from './engine.ts'

const own = ownIdentity()
/** A process of which nobody here can say whether it has ended. */
const stranger = { host: 'elsewhere', pid: 1 }

/** Has a worker belong to another process. */
function disown(engine: Engine, worker: number, identity: object = stranger): void {
  engine.writing.run('update workers set process = ? where id = ?', JSON.stringify(identity), worker)
}

const workersOf = (engine: Engine) => engine.writing.all<{ id: number }>('select id from workers').map(({ id }) => id)

/** A worker of another process, with one task that runs. */
function withStranger(handler = 'a') {
  const engine = new Engine()
  const worker = engine.enlist(handler)
  const claimed = engine.begin(worker, handler)
  disown(engine, worker)
  const watch = new LeaseMonitor()
  const look = (times = 1, now = 5000) => {
    for (let i = 0; i < times; i++) engine.writing.transaction(() => watch.check(engine.writing, new Map(), 5000, now))
    return engine.tasks(claimed.id).a
  }
  const beats = () => void engine.writing.run('update workers set heartbeats = heartbeats + 1 where id = ?', worker)
  return { engine, worker, claimed, look, beats }
}

describe('a worker without a new beat', () => {
  test('is given up once others have looked five times in vain', () => {
    const { engine, look } = withStranger()
    expect(look()).toBe('running') // which sees it for the first time
    expect(look(4)).toBe('running')
    expect(look()).toBe('retrying')
    expect(workersOf(engine)).toEqual([])
  })

  test('is not given up if one beat came in between', () => {
    const { look, beats } = withStranger()
    look(5)
    beats()
    expect(look(5)).toBe('running')
    expect(look()).toBe('retrying')
  })

  test('is not given up whatever the clock says', () => {
    const { look } = withStranger()
    expect(look(5, 1e15)).toBe('running')
    expect(look(1, -1e15)).toBe('retrying')
  })

  test('has its tasks due again after the wait of their backoff, and the attempt counts as cut off', () => {
    const { engine, claimed, look } = withStranger()
    look(6)
    const [task] = engine.detail(claimed.id).tasks
    expect(task).toMatchObject({
      state: 'retrying',
      attempts: [{ number: 1, outcome: 'cut off', duration: undefined }],
    })
    expect(task?.nextAttemptAt).toBeGreaterThanOrEqual(5050) // from half of the 100 ms
    expect(task?.nextAttemptAt).toBeLessThanOrEqual(5100)
    expect(engine.detail(claimed.id).state).toBe('retrying')
    const other = engine.enlist('a')
    expect(engine.claim(other, 'a', 5100)).toMatchObject([{ attempt: 2, attemptsUsed: 2 }])
  })

  test('waits as long as any other handler if its own is not known', () => {
    const { engine, worker, claimed, look } = withStranger()
    updateWorker(engine.writing, worker, [])
    look(6)
    const { nextAttemptAt } = engine.detail(claimed.id)
    expect(nextAttemptAt).toBeGreaterThanOrEqual(7500)
    expect(nextAttemptAt).toBeLessThanOrEqual(10_000)
  })

  test('that finishes late is not heard', () => {
    const { engine, worker, claimed, look } = withStranger()
    look(6)
    expect(engine.finish(worker, claimed, 'succeeded')).toEqual([])
    expect(engine.tasks(claimed.id)).toEqual({ a: 'retrying' })
  })

  test('is forgotten once it is gone, so that another look begins anew', () => {
    const { engine, worker, look } = withStranger()
    look(5)
    engine.writing.run('delete from workers where id = ?', worker)
    look()
    engine.writing.run(
      "insert into workers (id, process, handlers, heartbeats, interval) values (?, ?, '[]', 0, 5000)",
      worker,
      JSON.stringify(stranger),
    )
    look(5)
    expect(workersOf(engine)).toEqual([worker])
    look()
    expect(workersOf(engine)).toEqual([])
  })
})

describe('a worker whose process has ended', () => {
  test.runIf(process.platform === 'linux')('is given up at the first look', () => {
    const { engine, worker, look } = withStranger()
    disown(engine, worker, { ...own, started: '1' })
    expect(look()).toBe('retrying')
  })

  test.runIf(process.platform === 'linux')('is given up when another is enlisted', () => {
    const { engine, worker, claimed } = withStranger()
    disown(engine, worker, { ...own, started: '1' })
    const other = engine.enlist('a')
    expect(engine.tasks(claimed.id)).toEqual({ a: 'retrying' })
    expect(workersOf(engine)).toEqual([other])
  })

  test('is not looked for where one is enlisted beside others that live', () => {
    const { engine, worker, claimed } = withStranger()
    const own = engine.enlist('a')
    expect(engine.tasks(claimed.id)).toEqual({ a: 'running' })
    expect(workersOf(engine)).toEqual([worker, own])
  })
})

describe('a beat', () => {
  test('is seen, and brings back a worker that was given up, without its leases', () => {
    const { engine, worker, claimed, look } = withStranger()
    look(6)
    renewLeases(engine.writing, new Map([[worker, [policy('a')]]]), 5000)
    expect(workersOf(engine)).toEqual([worker])
    expect(engine.tasks(claimed.id)).toEqual({ a: 'retrying' })
    renewLeases(engine.writing, new Map([[worker, []]]), 5000)
    expect(engine.writing.get('select heartbeats from workers where id = ?', worker)).toEqual({ heartbeats: 1 })
  })
})

describe('a task whose handler has vanished', () => {
  const lose = (engine: Engine, now = 5000) =>
    engine.writing.transaction(() => endUnhandledTasks(engine.writing, day, now))

  test('is gone once it is due and no worker has had the handler for so long', () => {
    const engine = new Engine()
    const worker = engine.enlist('a', 'b')
    const { id } = engine.store()
    const [a, b] = engine.dispatch(worker, id, 'a', 'b')
    for (const claimed of [a, b]) if (claimed) engine.finish(worker, claimed, 'failed', { nextAt: 6000 })
    lose(engine, 5000)
    engine.write('updateWorker', worker, [policy('b')])
    lose(engine, 5000 + day - 1)
    expect(engine.tasks(id)).toEqual({ a: 'retrying', b: 'retrying' })
    lose(engine, 5000 + day)
    expect(engine.tasks(id)).toEqual({ a: 'gone', b: 'retrying' })
    expect(engine.detail(id).state).toBe('retrying')
  })

  test('is not gone before it is due', () => {
    const engine = new Engine()
    const worker = engine.enlist('a')
    const claimed = engine.begin(worker, 'a')
    engine.finish(worker, claimed, 'failed', { nextAt: 5000 + 3 * day })
    engine.write('updateWorker', worker, [])
    for (const now of [5000, 5000 + 2 * day]) lose(engine, now)
    expect(engine.tasks(claimed.id)).toEqual({ a: 'retrying' })
    lose(engine, 5000 + 3 * day)
    expect(engine.tasks(claimed.id)).toEqual({ a: 'gone' })
  })

  test('is waited for from the first look on, where nobody knows when the handler was there last', () => {
    const { engine, id } = unhandled('a')
    lose(engine, 5000)
    lose(engine, 5000 + day - 1)
    expect(engine.tasks(id)).toEqual({ a: 'pending' })
    lose(engine, 5000 + day)
    expect(engine.tasks(id)).toEqual({ a: 'gone' })
  })

  test('stays if the handler comes back in time, and is waited for anew', () => {
    const { engine, worker, id } = unhandled('a')
    lose(engine, 5000)
    engine.write('updateWorker', worker, [policy('a')])
    lose(engine, 5000 + day)
    engine.write('updateWorker', worker, [])
    lose(engine, 5000 + 2 * day - 1)
    expect(engine.tasks(id)).toEqual({ a: 'pending' })
    lose(engine, 5000 + 2 * day)
    expect(engine.tasks(id)).toEqual({ a: 'gone' })
  })

  test('leaves its delivery ignored if it was the only one, and passes its turn on', () => {
    const { engine, worker, id } = unhandled('a', 'k')
    const next = engine.store().id
    engine.dispatch(worker, next, { handler: 'a', key: 'k', claim: false })
    lose(engine)
    lose(engine, 5000 + day)
    expect([engine.tasks(id), engine.detail(id).state]).toEqual([{ a: 'gone' }, 'ignored'])
    lose(engine, 5000 + day)
    expect(engine.tasks(next)).toEqual({ a: 'gone' })
  })

  test('stays while there is no worker at all, or another process has the handler', () => {
    const { engine, worker, id } = unhandled('a')
    lose(engine)
    engine.write('releaseWorker', worker)
    lose(engine, 5000 + 2 * day)
    expect(engine.tasks(id)).toEqual({ a: 'pending' })
    disown(engine, engine.enlist('a'))
    engine.enlist('b')
    lose(engine, 5000 + 4 * day)
    expect(engine.tasks(id)).toEqual({ a: 'pending' })
  })
})

/** A task that is due, and a worker that does not have its handler. */
function unhandled(handler: string, key?: string) {
  const engine = new Engine()
  const worker = engine.enlist('another')
  const { id } = engine.store()
  engine.dispatch(worker, id, { handler, key, claim: false })
  return { engine, worker, id }
}

describe('a worker that was given up', () => {
  test('may begin nothing more until it beats', () => {
    const { engine, worker, claimed, look } = withStranger()
    look(6)
    expect(() => engine.claim(worker, 'a', 1e6)).toThrow(/taken to be dead/)
    expect(() => engine.dispatch(worker, engine.store().id, 'a')).toThrow(/taken to be dead/)
    renewLeases(engine.writing, new Map([[worker, [policy('a')]]]), 5000)
    expect(engine.claim(worker, 'a', 1e6)).toMatchObject([{ id: claimed.id, attempt: 2 }])
  })

  test('is never one of our own', () => {
    const engine = new Engine()
    const worker = engine.enlist('a')
    const claimed = engine.begin(worker, 'a')
    const watch = new LeaseMonitor()
    for (let i = 0; i < 20; i++) watch.check(engine.writing, new Map([[worker, [policy('a')]]]), 5000, 5000)
    expect(engine.tasks(claimed.id)).toEqual({ a: 'running' })
  })

  test('has as much longer as it beats more seldom', () => {
    const { engine, worker, look } = withStranger()
    engine.writing.run('update workers set interval = 15000 where id = ?', worker)
    expect(look(15)).toBe('running')
    expect(look()).toBe('retrying')
  })

  test('leaves no task behind that nobody holds', () => {
    const { engine, worker, claimed, look } = withStranger()
    engine.writing.run('delete from workers where id = ?', worker)
    expect(look()).toBe('retrying')
    expect(engine.detail(claimed.id).tasks[0]?.attempts).toMatchObject([{ outcome: 'cut off' }])
  })
})

describe('a worker that is dismissed', () => {
  test('gives back what it holds, at once and without counting an attempt', () => {
    const engine = new Engine()
    const worker = engine.enlist('a')
    const claimed = engine.begin(worker, 'a')
    engine.write('releaseWorker', worker)
    expect(workersOf(engine)).toEqual([])
    expect(engine.detail(claimed.id)).toMatchObject({
      state: 'pending',
      tasks: [{ state: 'pending', attempts: [{ number: 1, outcome: 'released' }] }],
    })
    const other = engine.enlist('a')
    expect(engine.claim(other, 'a', 0)).toMatchObject([{ id: claimed.id, attempt: 2, attemptsUsed: 1 }])
  })
})
