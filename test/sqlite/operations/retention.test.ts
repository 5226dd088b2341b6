import { randomBytes } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import type { AttemptResult, ClaimedTask, StoreResult } from '../../../src/inbox/inbox.ts'
import type { TaskDetail } from '../../../src/inbox/records.ts'
import { NodeSqlite } from '../../../src/sqlite/connection/node-sqlite.ts'
import { correctClockSkew } from '../../../src/sqlite/operations/retention.ts'
import { day, hour, MiB } from '../../receiver/fixtures.ts'
import { bytesOf, Engine, given, storing } from '../engine.ts'

const now = 100 * day

/** The worker of each engine. A registration takes long if there are many workers: it looks for those that have died. */
const workers = new WeakMap<Engine, number>()

function workerOf(engine: Engine): number {
  const worker = workers.get(engine) ?? engine.registerWorker('a')
  workers.set(engine, worker)
  return worker
}

/** Stores a delivery that has ended. */
function ended(
  engine: Engine,
  receivedAt: number,
  state: 'done' | 'dead' | 'discarded' | 'ignored',
  more = {},
): number {
  const worker = workerOf(engine)
  const { id } = engine.store({ receivedAt, ...more })
  const [claimed] = engine.dispatch(worker, id, ...(state === 'ignored' ? [] : ['a']))
  if (claimed && state !== 'ignored') engine.finish(worker, claimed, state === 'done' ? 'succeeded' : state)
  return id
}

describe('pruning by age', () => {
  test('deletes ended deliveries after the retention, with their tasks and attempts', () => {
    const engine = new Engine(undefined, { retention: 30 * day })
    for (const state of ['done', 'dead', 'discarded', 'ignored'] as const) ended(engine, now - 30 * day - 1, state)
    const kept = ended(engine, now - 30 * day, 'done')
    expect(engine.maintenance.prune(now)).toBe(4)
    expect(engine.writing.all('select id from deliveries')).toEqual([{ id: kept }])
    for (const table of ['packs', 'tasks', 'attempts']) expect([table, engine.count(table)]).toEqual([table, 1])
    expect(engine.maintenance.prune(now)).toBe(0)
  })

  test('prunes old deliveries behind a delivery that a wrong clock dated in the future', () => {
    const engine = new Engine()
    for (let i = 0; i < 120; i++) ended(engine, now + day, 'done')
    const old = ended(engine, 0, 'done')
    expect(engine.maintenance.prune(now)).toBe(1)
    expect(engine.read('get', old)).toBeUndefined()
  })

  test('prunes old deliveries behind younger ones, such as imported deliveries, within a few rounds', () => {
    const engine = new Engine(undefined, { retention: 30 * day })
    for (let i = 0; i < 250; i++) ended(engine, now, 'done')
    for (let i = 0; i < 20; i++) ended(engine, 0, 'done')
    const reads = vi.spyOn(engine.keeping, 'all')
    const rounds = Array.from({ length: 5 }, () => engine.maintenance.prune(now))
    expect(rounds).toEqual([0, 0, 20, 0, 0])
    const examined = reads.mock.results.map(({ value }) => value.length)
    expect(Math.max(...examined)).toBe(100)
    ended(engine, 0, 'done')
    expect(Array.from({ length: 3 }, () => engine.maintenance.prune(now))).toContain(1)
  })

  test('never deletes an unfinished delivery', () => {
    const engine = new Engine()
    const worker = engine.registerWorker('a')
    const [pending, running, waiting, matched] = [0, 1, 2, 3].map(() => engine.store({ receivedAt: 0 }).id) as [
      number,
      number,
      number,
      number,
    ]
    engine.dispatch(worker, running, 'a')
    const [claimed] = engine.dispatch(worker, waiting, 'a')
    if (claimed) engine.finish(worker, claimed, 'failed', { nextAt: now })
    engine.dispatch(worker, matched, { handler: 'a', claim: false })
    expect(engine.maintenance.prune(now * 100)).toBe(0)
    expect(engine.count('deliveries')).toBe(4)
    expect(engine.detail(pending).state).toBe('pending')
  })

  test('is done in batches', () => {
    const engine = new Engine()
    const worker = engine.registerWorker('a')
    for (let i = 0; i < 250; i++) engine.dispatch(worker, engine.store({ receivedAt: 0 }).id)
    const batches = [1, 2, 3, 4].map(() => engine.maintenance.prune(now))
    expect(batches).toEqual([100, 100, 50, 0])
    expect(engine.count('deliveries')).toBe(0)
  })
})

describe('a tombstone', () => {
  test('recognizes copies for eight days', () => {
    const engine = new Engine()
    const one = { guid: 'g', receivedAt: 0, body: Uint8Array.of(1) }
    ended(engine, 0, 'done', one)
    engine.maintenance.prune(now)
    expect(engine.store(one).outcome).toBe('duplicate')
    engine.maintenance.prune(now + 8 * day)
    expect(engine.store(one).outcome).toBe('duplicate')
    engine.maintenance.prune(now + 8 * day + 1)
    expect(engine.count('tombstones')).toBe(0)
    expect(engine.store(one).outcome).toBe('stored')
  })

  test('of a delivery that ended without success lets a copy be handled again', () => {
    const engine = new Engine()
    for (const state of ['dead', 'discarded', 'ignored'] as const) {
      const one = { guid: state, body: Uint8Array.of(1) }
      ended(engine, 0, state, one)
      engine.maintenance.prune(now)
      const { id, outcome } = engine.store(one)
      expect([outcome, engine.detail(id).state]).toEqual(['rearmed', 'pending'])
    }
    expect(engine.count('tombstones')).toBe(0)
  })

  test('marks other bytes under the same identity as a conflict', () => {
    const engine = new Engine()
    ended(engine, 0, 'done', { guid: 'g', body: Uint8Array.of(1) })
    engine.maintenance.prune(now)
    const { id } = engine.store({ guid: 'g', body: Uint8Array.of(2) })
    expect(engine.detail(id).conflict).toBe(true)
  })
})

describe('pruning by size', () => {
  test('deletes the oldest ended deliveries before the file is full, and no more', () => {
    const engine = new Engine(undefined, { maxSize: 20 * 1024 * 1024, retention: 365 * day })
    const ids: number[] = []
    for (let i = 0; i < 180; i++) ids.push(ended(engine, now, 'done', { body: randomBytes(100_000) }))
    expect(engine.writing.usedBytes()).toBeGreaterThan(0.8 * 20 * 1024 * 1024)
    expect(engine.maintenance.prune(now)).toBe(0)
    for (let i = 0; i < 10; i++) ids.push(ended(engine, now, 'done', { body: randomBytes(100_000) }))
    expect(engine.maintenance.prune(now)).toBe(100)
    const left = engine.writing.all<{ id: number }>('select id from deliveries order by id').map(({ id }) => id)
    expect(left).toEqual(ids.slice(100))
  })

  test('stops when only unfinished deliveries are left, keeps them, and rejects new deliveries', () => {
    const engine = new Engine(undefined, { maxSize: 1024 * 1024 })
    const store = () => engine.store({ body: randomBytes(100_000), receivedAt: 0 })
    let stored = 0
    expect(() => {
      for (;;) {
        store()
        stored++
      }
    }).toThrow(/maxSize of 1048576 bytes/)
    expect(stored).toBeGreaterThan(5)
    expect(engine.maintenance.prune(now)).toBe(0)
    expect(engine.count('deliveries')).toBe(stored)
    const worker = engine.registerWorker('a')
    for (let id = 1; id <= stored; id++) engine.dispatch(worker, id)
    expect(engine.maintenance.prune(now)).toBe(stored)
    expect(store().outcome).toBe('stored')
  })
})

describe('a delivery that does not fit any more', () => {
  test('is stored at once, after ended deliveries have been deleted', () => {
    const engine = new Engine(undefined, { maxSize: 2 * 1024 * 1024 })
    const worker = engine.registerWorker('a')
    for (let i = 0; i < 100; i++) engine.dispatch(worker, engine.store({ body: randomBytes(100_000) }).id)
    expect(engine.count('deliveries')).toBeLessThan(30)
    expect(engine.writing.usedBytes()).toBeLessThan(2.2 * 1024 * 1024)
  })

  test('is stored at once in a file that is much larger than a new maxSize, and the file does not grow', () => {
    const large = new Engine()
    for (let i = 0; i < 250; i++) ended(large, now, 'done', { body: randomBytes(10_000) })
    const used = large.writing.usedBytes()
    large.close()
    const engine = new Engine(large.path, { maxSize: 1024 * 1024 })
    const stored = engine.writer.execute(Array.from({ length: 20 }, () => storing({ body: randomBytes(10_000) })))
    for (const answer of stored) expect(given<StoreResult>(answer).outcome).toBe('stored')
    expect(engine.count('deliveries')).toBe(250 - 100 + 20)
    expect(engine.writing.usedBytes()).toBeLessThanOrEqual(used)
    expect(engine.writing.usedBytes()).toBeGreaterThan(1024 * 1024)
  })

  test('does not prevent stored deliveries from being handled', () => {
    const engine = new Engine(undefined, { maxSize: 1024 * 1024 })
    const ids: number[] = []
    expect(() => {
      for (;;) ids.push(engine.store({ body: randomBytes(100_000) }).id)
    }).toThrow(/maxSize/)
    const worker = engine.registerWorker('a')
    for (const id of ids) {
      const [claimed] = engine.dispatch(worker, id, 'a')
      if (claimed) engine.finish(worker, claimed, 'succeeded', { result: 'x'.repeat(1000) })
      expect(engine.detail(id).state).toBe('done')
    }
  })
})

describe('a file that is full while handlers fail', () => {
  const error = `Error: not reachable\n${'    at handler (file:///app/hooks.js:1:1)\n'.repeat(20)}`
  const texts = { error, log: 'log '.repeat(250) }

  /** An inbox that is filled with deliveries, and matched with a handler. */
  function full(bytes: number) {
    const engine = new Engine(undefined, { maxSize: MiB })
    const worker = engine.registerWorker('a')
    const ids: number[] = []
    const fill = (size: number) => {
      for (;;) {
        const batch = engine.writer.execute(Array.from({ length: 50 }, () => storing({ body: randomBytes(size) })))
        ids.push(...batch.map((answer) => given<{ id: number }>(answer).id))
      }
    }
    expect(() => fill(bytes)).toThrow(/maxSize/)
    const matches = ids.map((id) => ({ id, summary: {}, tasks: [{ handler: 'a', claim: false }] }))
    engine.write('recordMatches', worker, matches, now)
    const matched = [...ids]
    expect(() => fill(10)).toThrow(/maxSize/) // the match may have freed pages
    return { engine, worker, ids: matched }
  }

  /** Claims all tasks and ends their attempts. */
  function attemptAll({ engine, worker, ids }: ReturnType<typeof full>, result: Partial<AttemptResult>) {
    const claimed = engine.claim(worker, 'a', now, ids.length)
    expect(claimed).toHaveLength(ids.length)
    const ended = { outcome: 'failed', startedAt: now, duration: 0, ...texts, ...result } as const
    engine.write(
      'finish',
      worker,
      claimed.map(({ id, handler, attempt }) => ({ id, handler, attempt, ...ended })),
    )
  }

  test('records the outcomes of all attempts, so that the deliveries end and can be pruned', () => {
    const inbox = full(100) // so small that the tasks use up the reserve for texts
    const { engine, ids } = inbox
    expect(ids.length).toBeGreaterThan(500)
    for (let attempt = 1; attempt < 4; attempt++) attemptAll(inbox, { nextAt: now })
    attemptAll(inbox, { outcome: 'dead' })
    expect(engine.read('overview').states).toMatchObject({ dead: ids.length, retrying: 0 })
    const { attempts } = engine.detail(ids.at(-1) as number).tasks[0] as TaskDetail
    expect(attempts.map(({ outcome }) => outcome)).toEqual([...Array(3).fill('failed'), 'dead'])
    expect(new Set(attempts.map((one) => one.error))).toEqual(new Set(['Error: not reachable']))
    expect(engine.writing.usedBytes()).toBeLessThan(3 * MiB)
    while (engine.maintenance.prune(now) > 0);
    expect(engine.count('deliveries')).toBeLessThan(ids.length / 2)
    expect(engine.store().outcome).toBe('stored')
  })

  test('deletes the log and the stack of earlier attempts first, and keeps those of the latest one', () => {
    const { engine, worker } = full(7000)
    for (let attempt = 1; attempt <= 2; attempt++) {
      const [claimed] = engine.claim(worker, 'a', now, 1)
      if (claimed) engine.finish(worker, claimed, 'failed', { ...texts, nextAt: now })
    }
    const [first, second] = (engine.detail(1).tasks[0] as TaskDetail).attempts
    expect(first).toMatchObject({ outcome: 'failed', error: 'Error: not reachable', log: undefined })
    expect(second).toMatchObject({ outcome: 'failed', ...texts })
  })

  test('records an outcome without log and stack if the disk is full', () => {
    const engine = new Engine()
    const worker = engine.registerWorker('a')
    const claimed = engine.begin(worker, 'a')
    const { pages } = engine.writing.get<{ pages: number }>('select page_count as pages from pragma_page_count') as {
      pages: number
    }
    engine.writing.db.exec(`pragma max_page_count = ${pages}`)
    const [stored, finished] = engine.writer.execute([
      storing({ body: randomBytes(100_000) }),
      {
        method: 'finish',
        args: [
          worker,
          [{ ...claimed, outcome: 'dead', startedAt: now, duration: 0, ...texts, log: 'x'.repeat(30_000) }],
        ],
      },
    ])
    expect(stored).toMatchObject({ error: { message: 'database or disk is full' } })
    expect(finished).toEqual({ value: [{ id: claimed.id, state: 'dead' }] })
    expect((engine.detail(claimed.id).tasks[0] as TaskDetail).attempts).toMatchObject([
      { outcome: 'dead', error: 'Error: not reachable', log: undefined },
    ])
  })

  test('rejects an outcome that does not fit on a full disk, and records it when there is room again', () => {
    const engine = new Engine()
    const worker = engine.registerWorker('a')
    const claimed = Array.from({ length: 300 }, () => engine.begin(worker, 'a'))
    const { pages } = engine.writing.get('select page_count as pages from pragma_page_count') as { pages: number }
    engine.writing.db.exec(`pragma max_page_count = ${pages}`)
    const record = (task: ClaimedTask) => engine.finish(worker, task, 'dead', { error: 'x'.repeat(300) })
    expect(() => claimed.forEach(record)).toThrow('database or disk is full')
    const unrecorded = claimed.filter(({ id }) => engine.tasks(id).a === 'running')
    expect(unrecorded.length).toBeGreaterThan(0)
    engine.writing.db.exec(`pragma max_page_count = ${2 * pages}`)
    for (const task of unrecorded) expect(record(task)).toEqual([{ id: task.id, state: 'dead' }])
  })

  test('imports no delivery that has not ended', () => {
    const { engine, ids } = full(8000)
    const detail = engine.detail(ids[0] as number)
    const imported = { delivery: { ...detail, guid: 'new' }, body: bytesOf({ new: true }) }
    expect(() => engine.write('importDeliveries', [imported])).toThrow(/maxSize/)
  })
})

describe('a clock that was set back', () => {
  /** A task that waits for 100 ms, from `failedAt` on. */
  function waiting(failedAt: number) {
    const engine = new Engine()
    const worker = engine.registerWorker('a')
    const claimed = engine.begin(worker, 'a')
    engine.finish(worker, claimed, 'failed', { startedAt: failedAt - 5, duration: 5, nextAt: failedAt + 100 })
    const mend = (at: number) => {
      correctClockSkew(engine.writing, at)
      return engine.detail(claimed.id).nextAttemptAt
    }
    return { engine, worker, mend }
  }

  test('makes tasks due that would wait for longer than their delay', () => {
    const { engine, worker, mend } = waiting(now)
    expect(mend(now - hour)).toBe(now - hour)
    expect(engine.claim(worker, 'a', now - hour)).toHaveLength(1)
  })

  test('is ignored if the difference is at most a second, because clocks may differ by that much', () => {
    expect(waiting(now).mend(now - 1000)).toBe(now + 100)
    expect(waiting(now).mend(now - 1001)).toBe(now - 1001)
    expect(waiting(now).mend(now + 50)).toBe(now + 100)
  })

  test('is looked for while the file is not locked, because very many tasks may wait', () => {
    const { engine } = waiting(now)
    const all = vi.spyOn(engine.keeping, 'all')
    const wereLocked: boolean[] = []
    all.mockImplementation((sql, ...values) => {
      if (sql.includes('next_at - delay')) wereLocked.push(engine.keeping.db.isTransaction)
      return NodeSqlite.prototype.all.call(engine.keeping, sql, ...values) as never
    })
    engine.maintenance.renewLeases(now)
    expect(wereLocked).toEqual([false])
  })

  test('is corrected for each handler, however many other tasks are due or done', () => {
    const engine = new Engine()
    const worker = engine.registerWorker('a', 'b', 'c')
    const { id } = engine.store()
    for (const claimed of engine.dispatch(worker, id, 'a', 'b')) {
      engine.finish(worker, claimed, 'failed', { startedAt: now, duration: 0, nextAt: now + 100 })
    }
    engine.dispatch(worker, engine.store().id, { handler: 'c', claim: false })
    correctClockSkew(engine.writing, now - hour)
    expect(engine.detail(id).tasks.map(({ nextAttemptAt }) => nextAttemptAt)).toEqual([now - hour, now - hour])
  })
})
