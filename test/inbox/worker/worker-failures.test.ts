/** A worker repeats calls of its store that fail. No task is lost, and no lease is left. */
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import type { Store, StoredDelivery } from '../../../src/inbox/inbox.ts'
import { Worker } from '../../../src/inbox/worker/worker.ts'
import { storeRetryDelay } from '../../../src/inbox/worker/worker-host.ts'
import { Retry } from '../../../src/thrown.ts'
import { shortenTimers } from '../../timers.ts'
import { Host } from '../fixtures.ts'
import { eventually, inboxFile, openInbox, stateIn, storeIn, withMembers } from '../stores.ts'

type Method =
  | 'registerWorker'
  | 'updateWorker'
  | 'match'
  | 'claim'
  | 'load'
  | 'finish'
  | 'releaseWorker'
  | 'releaseLeases'
type When = 'before the call' | 'after the call'

/** An inbox with a method that fails once. */
function failingOnce(inbox: Store, method: Method, when: When): { inbox: Store; calls(): number } {
  let calls = 0
  const real = inbox[method].bind(inbox) as (...given: unknown[]) => Promise<unknown>
  const flaky = async (...given: unknown[]) => {
    if (++calls > 1) return real(...given)
    if (when === 'after the call') await real(...given)
    throw new Error(`${method} fails`)
  }
  return { inbox: withMembers(inbox, { [method]: flaky }), calls: () => calls }
}

/** The workers and leases that are left in the file of an inbox. */
function leftIn(path: string): { workers: number; leases: number } {
  const db = new DatabaseSync(path, { readOnly: true })
  const sql =
    'select (select count(*) from workers) as workers, (select count(*) from tasks where worker is not null) as leases'
  const left = db.prepare(sql).get() as { workers: number; leases: number }
  db.close()
  return { ...left }
}

/** Handlers that count their runs for each delivery: one succeeds, the other asks for one retry. */
function handlers() {
  const [plain, again] = [new Map<string, number>(), new Map<string, number>()]
  const count = (counts: Map<string, number>, guid: string) => {
    counts.set(guid, (counts.get(guid) ?? 0) + 1)
    return counts.get(guid) ?? 0
  }
  const host = new Host()
    .on('*', { name: 'plain', concurrency: 1 }, ({ guid }) => void count(plain, guid))
    .on('*', { name: 'again', concurrency: 1 }, ({ guid }) => {
      if (count(again, guid) === 1) throw new Retry({ after: 0 })
    })
  return { host, counts: () => [[...plain.values()], [...again.values()]] }
}

const done = (inbox: Store, ids: readonly number[]) =>
  eventually(async () => {
    for (const id of ids) expect(await stateIn(inbox, id)).toBe('done')
  })

/** A handler that runs for the delivery `long` until another delivery is handled. */
class LongHandler {
  readonly ran: string[] = []
  readonly #long = Promise.withResolvers<void>()
  readonly host: Host = new Host().on('*', ({ guid }) => {
    this.ran.push(guid)
    return guid === 'long' ? this.#long.promise : undefined
  })

  /** Checks that the worker handles the delivery `lost`, whose match fails, while the handler runs for `long`. */
  async handleLost(worker: Worker, inbox: Store): Promise<void> {
    const long = await storeIn(inbox, {}, { guid: 'long' })
    worker.start()
    await eventually(() => expect(this.ran).toEqual(['long']))
    const lost = await storeIn(inbox, { n: 1 }, { guid: 'lost' })
    await done(inbox, [lost])
    expect(await stateIn(inbox, long)).toBe('running')
    this.#long.resolve()
    await done(inbox, [long])
    expect(this.ran).toEqual(['long', 'lost'])
    await worker.stop(0)
  }
}

const methods: Method[] = ['registerWorker', 'updateWorker', 'match', 'claim', 'load', 'finish']
const cases = methods.flatMap((method) =>
  (['before the call', 'after the call'] as const).map((when) => [method, when] as const),
)

describe.concurrent('a store', () => {
  shortenTimers(storeRetryDelay)

  test.for(cases)('in which %s fails once, %s, is called again', async ([method, when], { onTestFinished }) => {
    const path = inboxFile(onTestFinished)
    const real = openInbox(path, onTestFinished)
    const { inbox, calls } = failingOnce(real, method, when)
    const { host, counts } = handlers()
    const ids = [await storeIn(real), await storeIn(real, { n: 1 }), await storeIn(real, { n: 2 })]
    const worker = new Worker(inbox, host)
    worker.start()
    if (method === 'updateWorker') {
      await done(real, ids)
      worker.handlersChanged()
      await eventually(() => expect(calls()).toBe(1))
    }
    await done(real, ids)
    ids.push(await storeIn(real, { n: 3 })) // needs a free slot
    await done(real, ids)
    expect(calls()).toBeGreaterThan(method === 'updateWorker' ? 0 : 1)
    expect(counts()).toEqual([ids.map(() => 1), ids.map(() => 2)])
    const [entry] = host.recorder.lines.filter(({ fields }) => `${fields.err}` === `Error: ${method} fails`)
    expect(entry).toMatchObject({ level: 'error' })
    expect(host.errors).toHaveLength(ids.length)
    await worker.stop(0)
    // If the call registered an id but failed afterwards, the worker does not know this id. The heartbeats of the id
    // continue until the process ends, but the id holds no leases.
    const unknown = method === 'registerWorker' && when === 'after the call' ? 1 : 0
    expect(leftIn(path)).toEqual({ workers: unknown, leases: 0 })
  })

  test('that fails repeatedly is called until it succeeds', async ({ onTestFinished }) => {
    const real = openInbox(undefined, onTestFinished)
    let failures = 0
    const claim: Store['claim'] = (...given) => {
      if (++failures <= 2) return Promise.reject(new Error('not yet'))
      return real.claim(...given)
    }
    const { host } = handlers()
    const id = await storeIn(real)
    const worker = new Worker(withMembers(real, { claim }), host)
    worker.start()
    await done(real, [id])
    await worker.stop(0)
    expect(failures).toBeGreaterThan(2)
  })

  test('that fails while a handler runs records its result, and at once releases tasks that the worker does not know', async ({
    onTestFinished,
  }) => {
    const path = inboxFile(onTestFinished)
    const real = openInbox(path, onTestFinished)
    const handler = new LongHandler()
    const { host, ran } = handler
    let failed = false
    const match: Store['match'] = async (...given) => {
      const result = await real.match(...given)
      if (ran.length === 0 || result.matched === 0 || failed) return result
      failed = true
      throw new Error('match fails')
    }
    const worker = new Worker(withMembers(real, { match }), host)
    await handler.handleLost(worker, real)
    expect(leftIn(path)).toEqual({ workers: 0, leases: 0 })
  })

  test.for(['fails once', 'is called before the failed match is carried out'] as const)(
    'that fails while a handler runs releases the unknown tasks again if the release %s',
    async (fault, { onTestFinished }) => {
      const real = openInbox(inboxFile(onTestFinished), onTestFinished)
      const handler = new LongHandler()
      const { host, ran } = handler
      let matchLost: (() => Promise<unknown>) | undefined
      const match: Store['match'] = async (worker, offer, decide) => {
        if (ran.length === 0 || matchLost) return real.match(worker, offer, decide)
        const offered: StoredDelivery[] = []
        await real.match(worker, offer, (deliveries) => {
          offered.push(...deliveries)
          return []
        })
        if (offered.length === 0) return { matched: 0, claimed: [] }
        const tasks = [{ handler: 'on:*', claim: true }]
        matchLost = () => real.match(worker, offer, () => offered.map(({ id }) => ({ id, summary: {}, tasks })))
        if (fault === 'fails once') await matchLost()
        throw new Error('match fails')
      }
      let releases = 0
      const releaseLeases: Store['releaseLeases'] = async (...given) => {
        if (++releases > 1) return real.releaseLeases(...given)
        if (fault === 'fails once') throw new Error('releaseLeases fails')
        await real.releaseLeases(...given)
        await matchLost?.()
      }
      const worker = new Worker(withMembers(real, { match, releaseLeases, leaseDuration: 1000 }), host)
      await handler.handleLost(worker, real)
    },
  )

  test('that fails to load the next task of an order key keeps the lease of a task that is being claimed', async ({
    onTestFinished,
  }) => {
    const path = inboxFile(onTestFinished)
    const real = openInbox(path, onTestFinished)
    const [firstPush, claimed, answer] = [0, 1, 2].map(() => Promise.withResolvers<void>())
    const ran: string[] = []
    const host = new Host()
      .on('push', { order: () => 'key' }, ({ guid }) => (guid === 'push 1' ? firstPush?.promise : undefined))
      .on('star', { name: 'stars', concurrency: 1 }, ({ guid }) => void ran.push(guid))
    const claim: Store['claim'] = async (...given) => {
      const tasks = await real.claim(...given)
      if (tasks.some(({ handler }) => handler === 'stars')) claimed?.resolve()
      if (tasks.length > 0) await answer?.promise
      return tasks
    }
    let failed = false
    const load: Store['load'] = (ids) => {
      if (failed || !ids.includes(next)) return real.load(ids)
      failed = true
      return Promise.reject(new Error('load fails'))
    }
    const pushed = await storeIn(real, { n: 1 }, { guid: 'push 1' })
    const next = await storeIn(real, { n: 2 }, { guid: 'push 2' })
    const stars = [
      await storeIn(real, { n: 3 }, { guid: 'star 1', event: 'star' }),
      await storeIn(real, { n: 4 }, { guid: 'star 2', event: 'star' }),
    ]
    const worker = new Worker(withMembers(real, { claim, load }), host)
    worker.start()
    await claimed?.promise
    firstPush?.resolve()
    await eventually(() => expect(host.recorder.messages.join()).toContain('The inbox failed'))
    await real.checkWritable() // the store executes writes in order, so the earlier writes of the worker have ended
    answer?.resolve()
    await done(real, [pushed, next, ...stars])
    expect(ran).toEqual(['star 1', 'star 2'])
    await worker.stop(0)
    expect(leftIn(path)).toEqual({ workers: 0, leases: 0 })
  })

  test('that fails after it has recorded a result delays no other task of the key', async ({ onTestFinished }) => {
    const real = openInbox(inboxFile(onTestFinished), onTestFinished)
    const ran: string[] = []
    const host = new Host().on('push', { order: () => 'key' }, ({ guid }) => void ran.push(guid))
    const ids: number[] = []
    for (const guid of ['1', '2', '3', '4']) ids.push(await storeIn(real, { guid }, { guid }))
    const { inbox } = failingOnce(real, 'finish', 'after the call')
    const worker = new Worker(inbox, host)
    worker.start()
    await done(real, ids)
    expect(ran).toEqual(['1', '2', '3', '4'])
    await worker.stop(0)
  })

  test('makes claimed tasks due again if their handler was removed', async ({ onTestFinished }) => {
    const real = openInbox(inboxFile(onTestFinished), onTestFinished)
    const host = new Host().on('push', { name: 'removed' }, () => {})
    const id = await storeIn(real)
    const first = await real.registerWorker([{ name: 'removed', backoff: 1000 }])
    const offer = { limit: 1, bytes: 1e6, ordered: false, now: Date.now() }
    await real.match(first, offer, () => [{ id, summary: {}, tasks: [{ handler: 'removed', claim: false }] }])
    let registered = true
    const registrations = host.registrations.bind(host)
    host.registrations = () => (registered ? registrations() : [])
    const claim: Store['claim'] = async (...given) => {
      const claimed = await real.claim(...given)
      registered = claimed.length === 0
      return claimed
    }
    const worker = new Worker(withMembers(real, { claim }), host)
    worker.start()
    await eventually(() => expect(registered).toBe(false))
    await eventually(async () => expect(await stateIn(real, id)).toBe('pending'))
    await worker.stop(0)
  })

  test('that fails to release a retired id is called again', async ({ onTestFinished }) => {
    const path = inboxFile(onTestFinished)
    const real = openInbox(path, onTestFinished)
    const flaky = failingOnce(failingOnce(real, 'releaseWorker', 'before the call').inbox, 'match', 'after the call')
    const { host, counts } = handlers()
    const id = await storeIn(real)
    const worker = new Worker(flaky.inbox, host)
    worker.start()
    await done(real, [id])
    expect(counts()).toEqual([[1], [2]])
    await worker.stop(0)
    expect(leftIn(path)).toEqual({ workers: 0, leases: 0 })
  })

  test('that fails to release at the end does not keep a worker from stopping', async ({ onTestFinished }) => {
    const real = openInbox(undefined, onTestFinished)
    const { host } = handlers()
    const worker = new Worker(
      withMembers(real, { releaseWorker: () => Promise.reject(new Error('releaseWorker fails')) }),
      host,
    )
    worker.start()
    await done(real, [await storeIn(real)])
    await worker.stop(0)
    expect(host.recorder.messages.at(-1)).toContain('The inbox failed')
  })

  test('that records no result does not keep a worker from stopping, and the attempt is repeated', async ({
    onTestFinished,
  }) => {
    const path = inboxFile(onTestFinished)
    const real = openInbox(path, onTestFinished)
    const ran: number[] = []
    const host = new Host().on('*', ({ attempt }) => void ran.push(attempt))
    const id = await storeIn(real)
    const worker = new Worker(withMembers(real, { finish: () => Promise.reject(new Error('finish fails')) }), host)
    worker.start()
    await eventually(() => expect(host.recorder.messages.length).toBeGreaterThan(0))
    await worker.stop(0)
    expect(leftIn(path)).toEqual({ workers: 0, leases: 0 })
    const next = new Worker(real, host)
    next.start()
    await done(real, [id])
    await next.stop(0)
    expect(ran).toEqual([1, 1])
  })

  test('that may have leased a task to the worker without its knowledge is not logged as a failure', async ({
    onTestFinished,
  }) => {
    const inbox = openInbox(inboxFile(onTestFinished), onTestFinished)
    let calls = 0
    const finish: Store['finish'] = async (...args) => {
      calls += 1
      if (calls === 2) return [] // the delivery has ended by the first call, and was deleted
      const statuses = await inbox.finish(...args)
      if (calls === 1) throw new Error('the connection is lost')
      return statuses
    }
    const host = new Host().on('*', { order: () => 'all' }, () => {})
    const ids = [await storeIn(inbox), await storeIn(inbox)]
    const worker = new Worker(withMembers(inbox, { finish }), host)
    worker.start()
    await done(inbox, ids)
    await worker.stop(0)
    const repeated = 'Results of attempts cannot be recorded; hookserver tries again every second'
    expect(host.recorder.messages).toEqual([repeated, 'Results of attempts are recorded again'])
  })

  test('that fails is a problem of the worker until a round succeeds', async ({ onTestFinished }) => {
    const inbox = openInbox(inboxFile(onTestFinished), onTestFinished)
    const [failed, repaired] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const claim: Store['claim'] = async (...args) => {
      failed.resolve()
      await repaired.promise
      return inbox.claim(...args)
    }
    let calls = 0
    const host = new Host().on('*', () => {})
    const worker = new Worker(
      withMembers(inbox, {
        claim: (...args) => {
          if (++calls === 1) throw new Error('malformed'.padEnd(600, '!'))
          return claim(...args)
        },
      }),
      host,
    )
    expect(worker.problems).toEqual([])
    worker.start()
    await failed.promise // the next round waits for its claim
    expect(worker.problems).toEqual([{ code: 'store_failing', message: 'malformed'.padEnd(500, '!') }])
    repaired.resolve()
    await eventually(() => expect(worker.problems).toEqual([]))
    const failedOnce = 'The inbox failed; no handler starts until it works again'
    expect(host.recorder.messages).toEqual([failedOnce, 'The inbox works again; handlers start'])
    await worker.stop(0)
  })
})

test('starts no handler while the store records no results, and continues when it does', async ({ onTestFinished }) => {
  const real = openInbox(inboxFile(onTestFinished), onTestFinished)
  let isFull = true
  const failed = new Map<number, number>()
  const finish: Store['finish'] = (worker, results) => {
    if (!isFull) return real.finish(worker, results)
    for (const { id } of results) failed.set(id, (failed.get(id) ?? 0) + 1)
    return Promise.reject(new Error('database or disk is full'))
  }
  const ran: string[] = []
  const host = new Host().on('*', { concurrency: 2 }, ({ guid }) => void ran.push(guid))
  const ids = await Promise.all(Array.from({ length: 300 }, (_, n) => storeIn(real, { n })))
  const worker = new Worker(withMembers(real, { finish }), host)
  worker.start()
  // After the first failures, a second passes. It is enough for all handlers, if the worker starts them.
  await expect.poll(() => failed.size >= 10 && [...failed.values()].every((calls) => calls > 1)).toBe(true)
  expect(ran.length).toBeLessThan(100)
  expect(worker.problems).toEqual([{ code: 'store_failing', message: 'database or disk is full' }])
  expect(host.recorder.messages.filter((message) => message.includes('cannot be recorded'))).toHaveLength(1)
  isFull = false
  await expect.poll(async () => (await real.overview()).states.done).toBe(ids.length)
  expect(new Set(ran).size).toBe(ran.length)
  await expect.poll(() => worker.problems).toEqual([])
  expect(host.recorder.messages.filter((message) => message.includes('recorded again'))).toHaveLength(1)
  await worker.stop(0)
})
