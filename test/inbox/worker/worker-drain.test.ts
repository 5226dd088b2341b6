import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Worker } from '../../../src/inbox/worker/worker.ts'
import { Retry } from '../../../src/thrown.ts'
import { Host } from '../fixtures.ts'
import { inboxFile, openInbox, stateIn, storeIn, taskIn, withMembers, withoutPolling } from '../stores.ts'

/** A handler that waits until its delivery is aborted. */
function waitingHandler() {
  const started = Promise.withResolvers<void>()
  const handler = ({ signal }: { signal: AbortSignal }) => {
    started.resolve()
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  }
  return { handler, started: started.promise }
}

describe('a worker that drains an inbox', () => {
  test('handles all deliveries, and ends without a next time', async () => {
    const inbox = withoutPolling(openInbox())
    const ids: number[] = []
    for (let n = 0; n < 30; n++) ids.push(await storeIn(inbox, { n }))
    const host = new Host().on('push', { concurrency: 2 }, async () => 'done')
    expect(await new Worker(inbox, host).drain()).toEqual({ nextAt: undefined })
    for (const id of ids) expect(await stateIn(inbox, id)).toBe('done')
  })

  test('returns when the next retry is due, and leaves it to the next call', async () => {
    const inbox = withoutPolling(openInbox())
    const id = await storeIn(inbox)
    const attempts = vi.fn(() => {
      throw new Retry({ after: 60_000 })
    })
    const clock = { now: () => Date.now() }
    const drain = () => new Worker(inbox, new Host().on('push', attempts), clock).drain()
    const { nextAt } = await drain()
    expect(nextAt).toBe((await taskIn(inbox, id, 'on:push')).nextAttemptAt)
    expect(await drain()).toEqual({ nextAt })
    expect(attempts).toHaveBeenCalledTimes(1)
    clock.now = () => (nextAt ?? 0) + 1
    await drain()
    expect(attempts).toHaveBeenCalledTimes(2)
  })

  test('handles the tasks that become due while others run', async () => {
    const inbox = openInbox()
    await storeIn(inbox, { n: 1 })
    const seen: unknown[] = []
    const host = new Host().on('push', async ({ payload }) => {
      seen.push(payload.n)
      if (payload.n === 1) await storeIn(inbox, { n: 2 })
    })
    await new Worker(inbox, host).drain()
    expect(seen).toEqual([1, 2])
  })

  test('registers one worker, and releases it at the end', async () => {
    const inbox = openInbox()
    const [registered, released] = [[] as number[], [] as number[]]
    const counted = withMembers(inbox, {
      registerWorker: async (...given) => {
        const id = await inbox.registerWorker(...given)
        registered.push(id)
        return id
      },
      releaseWorker: (id) => {
        released.push(id)
        return inbox.releaseWorker(id)
      },
    })
    await storeIn(inbox)
    await new Worker(
      counted,
      new Host().on('push', () => 'done'),
    ).drain()
    expect([registered.length, released]).toEqual([1, registered])
  })

  test.each(['budget', 'signal'])('stops at its %s, and leaves the interrupted task due', async (limit) => {
    const inbox = openInbox()
    const id = await storeIn(inbox)
    const { handler, started } = waitingHandler()
    const abort = new AbortController()
    const limits = limit === 'budget' ? { budget: 1 } : { signal: abort.signal }
    const draining = new Worker(inbox, new Host().on('push', handler)).drain(limits)
    if (limit === 'signal') void started.then(() => abort.abort())
    const { nextAt } = await draining
    expect(nextAt).toBeLessThanOrEqual(Date.now())
    expect(await stateIn(inbox, id)).toBe('pending')
  })

  test('runs nothing if its signal has aborted before', async () => {
    const inbox = openInbox()
    await storeIn(inbox)
    const handler = vi.fn()
    expect(await new Worker(inbox, new Host().on('push', handler)).drain({ signal: AbortSignal.abort() })).toEqual({
      nextAt: 0,
    })
    expect(handler).not.toHaveBeenCalled()
  })

  test('rejects with the error of the store, and releases its leases', async () => {
    const path = inboxFile()
    const inbox = openInbox(path)
    const id = await storeIn(inbox)
    const { handler, started } = waitingHandler()
    const host = new Host().on('push', handler)
    const failing = withMembers(inbox, {
      claim: async (...given) => {
        if (host.registrations().length > 1) throw new Error('disk full')
        return inbox.claim(...given)
      },
    })
    const draining = new Worker(failing, host).drain()
    void started.then(() => host.on('issues', () => 'done'))
    await expect(draining).rejects.toThrow('disk full')
    expect(await stateIn(inbox, id)).toBe('pending')
  })

  test('leaves deliveries alone while no handler is registered', async () => {
    const inbox = openInbox()
    const id = await storeIn(inbox)
    expect(await new Worker(inbox, new Host()).drain()).toEqual({ nextAt: undefined })
    expect(await stateIn(inbox, id)).toBe('pending')
  })

  test('can be stopped with a grace for its handlers', async () => {
    const inbox = openInbox()
    const id = await storeIn(inbox)
    const [started, end] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()]
    const handler = () => {
      started.resolve()
      return end.promise
    }
    const worker = new Worker(inbox, new Host().on('push', handler))
    onTestFinished(() => worker.stop(0))
    const draining = worker.drain()
    await started.promise
    const stopped = worker.stop(60_000)
    end.resolve('done')
    await stopped
    expect(await draining).toEqual({ nextAt: undefined })
    expect(await stateIn(inbox, id)).toBe('done')
  })
})
