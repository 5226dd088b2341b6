import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Delivery } from '../../../src/delivery.ts'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { Worker } from '../../../src/inbox/worker/worker.ts'
import { Host } from '../fixtures.ts'
import { detailIn, eventually, openInbox, stateIn, storeIn, taskIn, withMembers } from '../stores.ts'

/** A worker with one handler that has begun and waits to be told how to end, and a delivery that has not claimed. */
async function busy(inbox: Inbox, heeds = true) {
  const claimed = Promise.withResolvers<Delivery>()
  const end = Promise.withResolvers<unknown>()
  const seen: number[] = []
  const handler = (_data: unknown, _guid: string, delivery: Delivery) => {
    seen.push(delivery.attempt)
    if (seen.length > 1) return 'again'
    claimed.resolve(delivery)
    if (heeds) delivery.signal.addEventListener('abort', () => end.reject(delivery.signal.reason))
    return end.promise
  }
  const host = new Host().on('push', handler, { concurrency: 1 })
  const [first, second] = [await storeIn(inbox, { n: 1 }), await storeIn(inbox, { n: 2 })]
  const worker = new Worker(inbox, host)
  worker.start()
  return { worker, host, first, second, delivery: await claimed.promise, end, seen }
}

/** A method that is to be asked nothing, and what it was asked. Not one of Vitest's, which other tests would clear. */
function asking() {
  const asked: unknown[] = []
  const ask = (...given: unknown[]): Promise<never> => {
    asked.push(given)
    return Promise.reject(new Error('It should not have been asked'))
  }
  return { asked, ask }
}

/** Whether it has come to its end. */
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
  test('waits for what runs, and begins nothing more', async ({ onTestFinished }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const { worker, first, second, delivery, end, seen } = await busy(inbox)
    const stopped = worker.stop(60_000)
    const stopping = watch(stopped)
    await turns()
    expect([stopping.over, delivery.signal.aborted]).toEqual([false, false])
    end.resolve('pong')
    await stopped
    expect([await stateIn(inbox, first), await stateIn(inbox, second)]).toEqual(['done', 'pending'])
    expect(seen).toEqual([1])
    worker.wake()
    worker.start()
    await turns()
    expect(seen).toEqual([1])
  })

  test('tells what still runs after the grace to abort, and gives it back without counting the attempt', async ({
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

    const counted: number[] = []
    const next = new Worker(
      inbox,
      new Host().on('push', (_data, _guid, { attempt }) => void counted.push(attempt)),
    )
    next.start()
    for (const id of [first, second]) await eventually(async () => expect(await stateIn(inbox, id)).toBe('done'))
    await next.stop(0)
    expect(counted).toEqual([1, 1])
  })

  test('takes what succeeds after the abort for what it is', async ({ onTestFinished }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const { worker, first, delivery, end } = await busy(inbox, false)
    delivery.signal.addEventListener('abort', () => end.resolve('saved'))
    await worker.stop(0)
    expect(await taskIn(inbox, first, 'on:push')).toMatchObject({ state: 'done', attempts: [{ result: 'saved' }] })
  })

  test('does not wait for code that heeds nothing, and gives it back; what it does later is not recorded', async ({
    onTestFinished,
  }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const finished: ReturnType<Inbox['finish']>[] = []
    const finish: Inbox['finish'] = (...given) => {
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

  test('may be told so again, at once and afterwards, with less patience', async ({ onTestFinished }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const { worker, delivery } = await busy(inbox)
    const [slow, quick] = [worker.stop(60_000), worker.stop(0)]
    await Promise.all([slow, quick])
    expect(delivery.signal.aborted).toBe(true)
    await worker.stop(0)
  })

  test('never begins if that came first', async ({ onTestFinished }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const { asked, ask } = asking()
    const worker = new Worker(withMembers(inbox, { registerWorker: ask }), new Host())
    await worker.stop(0)
    worker.start()
    await turns()
    expect(asked).toEqual([])
  })

  test('asks nothing of the inbox any more, though it was waiting for its turn', async ({ onTestFinished }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const host = new Host().on('push', () => {})
    const silence = Promise.withResolvers<void>()
    const { asked, ask } = asking()
    host.silence = silence.promise
    const worker = new Worker(withMembers(inbox, { registerWorker: ask, claim: ask, match: ask }), host)
    worker.start()
    const stopped = worker.stop(0)
    silence.resolve()
    await stopped
    expect(asked).toEqual([])
  })

  test('asks nothing of the inbox any more, though it was just being enlisted, and is dismissed', async ({
    onTestFinished,
  }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const [enlisting, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const { asked, ask } = asking()
    const dismissed: number[] = []
    const dismiss: Inbox['releaseWorker'] = (worker) => {
      dismissed.push(worker)
      return inbox.releaseWorker(worker)
    }
    const enlist: Inbox['registerWorker'] = async (handlers) => {
      enlisting.resolve()
      await go.promise
      return inbox.registerWorker(handlers)
    }
    const members = withMembers(inbox, { registerWorker: enlist, releaseWorker: dismiss, claim: ask, match: ask })
    const worker = new Worker(
      members,
      new Host().on('push', () => {}),
    )
    worker.start()
    await enlisting.promise
    const stopped = worker.stop(0)
    go.resolve()
    await stopped
    expect([asked, dismissed]).toEqual([[], [expect.any(Number)]])
  })

  test('does not wait until a store that fails is asked again', async ({ onTestFinished }) => {
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
