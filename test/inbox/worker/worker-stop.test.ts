import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Delivery } from '../../../src/delivery.ts'
import type { Store } from '../../../src/inbox/inbox.ts'
import { Worker } from '../../../src/inbox/worker/worker.ts'
import { Host } from '../fixtures.ts'
import { detailIn, eventually, openInbox, stateIn, storeIn, taskIn, withMembers } from '../stores.ts'

/** A worker with a handler that waits until the test ends it. A second delivery waits for the handler's only slot. */
async function busy(inbox: Store, heedsAbort = true) {
  const started = Promise.withResolvers<Delivery>()
  const end = Promise.withResolvers<unknown>()
  const seen: number[] = []
  const handler = (delivery: Delivery) => {
    seen.push(delivery.attempt)
    if (seen.length > 1) return 'again'
    started.resolve(delivery)
    if (heedsAbort) delivery.signal.addEventListener('abort', () => end.reject(delivery.signal.reason))
    return end.promise
  }
  const host = new Host().on('push', { concurrency: 1 }, handler)
  const [first, second] = [await storeIn(inbox, { n: 1 }), await storeIn(inbox, { n: 2 })]
  const worker = new Worker(inbox, host)
  worker.start()
  return { worker, host, first, second, delivery: await started.promise, end, seen }
}

/** A method that must not be called. Not a mock of Vitest, which concurrent tests would clear. */
function forbidden() {
  const calls: unknown[] = []
  const call = (...given: unknown[]): Promise<never> => {
    calls.push(given)
    return Promise.reject(new Error('This method must not be called'))
  }
  return { calls, call }
}

/** Shows whether a promise has resolved. */
function watch(work: Promise<void>) {
  const seen = { over: false }
  void work.then(() => {
    seen.over = true
  })
  return seen
}

async function turns(): Promise<void> {
  for (let i = 0; i < 50; i++) await setImmediate()
}

describe.concurrent('a worker that is stopped', () => {
  test('waits for running handlers, and starts no more', async ({ onTestFinished }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const { worker, host, first, second, delivery, end, seen } = await busy(inbox)
    const stopped = worker.stop(60_000)
    const stopping = watch(stopped)
    await turns()
    expect([stopping.over, delivery.signal.aborted]).toEqual([false, false])
    const message = 'Waiting for running handlers, for at most 60 s: on:push'
    const fields = { handlers: { 'on:push': 1 }, grace: 60_000 }
    expect(host.recorder.lines).toEqual([{ level: 'info', fields, message }])
    end.resolve('pong')
    await stopped
    expect(host.recorder.lines).toHaveLength(1)
    expect([await stateIn(inbox, first), await stateIn(inbox, second)]).toEqual(['done', 'pending'])
    expect(seen).toEqual([1])
    worker.wake()
    worker.start()
    await turns()
    expect(seen).toEqual([1])
  })

  test('while it matches or claims starts no handler, and releases the claimed tasks', async ({ onTestFinished }) => {
    const store = openInbox(undefined, onTestFinished)
    const id = await storeIn(store)
    const started: number[] = []
    for (const method of ['match', 'claim'] as const) {
      const stopped = Promise.withResolvers<void>()
      const call = store[method].bind(store) as (...given: unknown[]) => Promise<unknown>
      const stopAfterwards = async (...given: unknown[]) => {
        const result = await call(...given)
        worker.stop(60_000).then(stopped.resolve, stopped.reject)
        return result
      }
      const host = new Host().on('push', ({ attempt }) => void started.push(attempt))
      const worker = new Worker(withMembers(store, { [method]: stopAfterwards }), host)
      worker.start()
      await stopped.promise
      const { state, attempts } = await taskIn(store, id, 'on:push')
      expect([state, started]).toEqual(['pending', []])
      expect(new Set(attempts.map(({ outcome }) => outcome))).toEqual(new Set(['released']))
    }
  })

  test('aborts handlers after the grace, and releases their tasks without counting the attempt', async ({
    onTestFinished,
  }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const { worker, host, first, second, delivery } = await busy(inbox)
    await worker.stop(0)
    expect(delivery.signal.reason).toMatchObject({ name: 'AbortError', message: 'Shutting down' })
    expect(await detailIn(inbox, first)).toMatchObject({ state: 'pending' })
    const { attempts } = await taskIn(inbox, first, 'on:push')
    expect(attempts).toMatchObject([{ number: 1, outcome: 'released', duration: expect.any(Number) }])
    expect([host.errors, host.dead]).toEqual([[], []])
    expect(host.recorder.lines.at(-1)).toEqual({
      level: 'info',
      fields: { handlers: { 'on:push': 1 } },
      message: 'Aborting handlers that still run; unless they succeed, their deliveries run again: on:push',
    })

    const counted: number[] = []
    const next = new Worker(
      inbox,
      new Host().on('push', ({ attempt }) => void counted.push(attempt)),
    )
    next.start()
    for (const id of [first, second]) await eventually(async () => expect(await stateIn(inbox, id)).toBe('done'))
    await next.stop(0)
    expect(counted).toEqual([1, 1])
  })

  test('records a success after the abort', async ({ onTestFinished }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const { worker, first, delivery, end } = await busy(inbox, false)
    delivery.signal.addEventListener('abort', () => end.resolve('saved'))
    await worker.stop(0)
    expect(await taskIn(inbox, first, 'on:push')).toMatchObject({ state: 'done', attempts: [{ result: 'saved' }] })
  })

  test('does not wait for a handler that ignores the abort, and ignores its later result', async ({
    onTestFinished,
  }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const finished: ReturnType<Store['finish']>[] = []
    const finish: Store['finish'] = (...given) => {
      finished.push(inbox.finish(...given))
      return finished[0] as (typeof finished)[0]
    }
    const { worker, first, end, delivery } = await busy(withMembers(inbox, { finish }), false)
    await worker.stop(0)
    expect(delivery.signal.aborted).toBe(true)
    expect(await taskIn(inbox, first, 'on:push')).toMatchObject({
      state: 'pending',
      attempts: [{ outcome: 'released' }],
    })
    end.resolve('too late')
    await eventually(() => expect(finished).toHaveLength(1))
    expect(await finished[0]).toEqual([])
    expect(await taskIn(inbox, first, 'on:push')).toMatchObject({
      state: 'pending',
      attempts: [{ outcome: 'released' }],
    })
  })

  test('may be stopped again with a shorter grace, meanwhile and afterwards', async ({ onTestFinished }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const { worker, delivery } = await busy(inbox)
    await Promise.all([worker.stop(60_000), worker.stop(0)])
    expect(delivery.signal.aborted).toBe(true)
    await worker.stop(0)
  })

  test('never starts afterwards', async ({ onTestFinished }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const { calls, call } = forbidden()
    const worker = new Worker(withMembers(inbox, { registerWorker: call }), new Host())
    await worker.stop(0)
    worker.start()
    await turns()
    expect(calls).toEqual([])
  })

  test('does not call the inbox, even though it was waiting for requests to end', async ({ onTestFinished }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const host = new Host().on('push', () => {})
    const idle = Promise.withResolvers<void>()
    const { calls, call } = forbidden()
    host.idle = idle.promise
    const worker = new Worker(withMembers(inbox, { registerWorker: call, claim: call, match: call }), host)
    worker.start()
    const stopped = worker.stop(0)
    idle.resolve()
    await stopped
    expect(calls).toEqual([])
  })

  test('while it is being registered makes no query, and is released', async ({ onTestFinished }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const [registering, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const { calls, call } = forbidden()
    const released: number[] = []
    const releaseWorker: Store['releaseWorker'] = (worker) => {
      released.push(worker)
      return inbox.releaseWorker(worker)
    }
    const registerWorker: Store['registerWorker'] = async (handlers) => {
      registering.resolve()
      await go.promise
      return inbox.registerWorker(handlers)
    }
    const members = withMembers(inbox, { registerWorker, releaseWorker, claim: call, match: call })
    const worker = new Worker(
      members,
      new Host().on('push', () => {}),
    )
    worker.start()
    await registering.promise
    const stopped = worker.stop(0)
    go.resolve()
    await stopped
    expect([calls, released]).toEqual([[], [expect.any(Number)]])
  })

  test('does not wait for the retry of a store that fails', async ({ onTestFinished }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const failed = Promise.withResolvers<void>()
    const match = () => {
      failed.resolve()
      return Promise.reject(new Error('down'))
    }
    const worker = new Worker(
      withMembers(inbox, { match }),
      new Host().on('push', () => {}),
    )
    worker.start()
    await failed.promise
    await worker.stop(0)
  })
})
