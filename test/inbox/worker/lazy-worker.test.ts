import { setImmediate } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { LazyWorker } from '../../../src/inbox/worker/lazy-worker.ts'
import { Worker } from '../../../src/inbox/worker/worker.ts'
import { Host } from '../fixtures.ts'
import { eventually, openInbox, stateIn, storeIn, withMembers } from '../stores.ts'

describe.concurrent('a worker that loads its code when it is created', () => {
  test('handles deliveries stored before its code was loaded, with handlers registered before', async ({
    onTestFinished,
  }) => {
    const inbox = openInbox(undefined, onTestFinished)
    const host = new Host()
    const worker = new LazyWorker(inbox, host)
    expect(worker.problems).toEqual([])
    host.on('push', () => 'done')
    worker.handlersChanged()
    worker.start()
    const id = await storeIn(inbox, { n: 1 })
    worker.wake()
    await eventually(async () => expect(await stateIn(inbox, id)).toBe('done'))
    await worker.stop(1000)
  })

  test('never starts if it is stopped before', async ({ onTestFinished }) => {
    const inbox = openInbox(undefined, onTestFinished)
    let registrations = 0
    const registerWorker: typeof inbox.registerWorker = (...given) => {
      registrations++
      return inbox.registerWorker(...given)
    }
    const id = await storeIn(inbox, { n: 1 })
    const host = new Host().on('push', () => 'done')
    const worker = new LazyWorker(withMembers(inbox, { registerWorker }), host)
    worker.start()
    await worker.stop(1000)
    for (let turn = 0; turn < 50; turn++) await setImmediate()
    expect([registrations, await stateIn(inbox, id)]).toEqual([0, 'pending'])
  })
})

test('a worker that is stopped in the turn in which it would start never starts', async ({ onTestFinished }) => {
  const start = vi.spyOn(Worker.prototype, 'start')
  onTestFinished(() => start.mockRestore())
  const worker = new LazyWorker(
    openInbox(),
    new Host().on('push', () => 'done'),
  )
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  worker.start()
  for (let turn = 0; turn < 50; turn++) await setImmediate() // the worker loads its code, and waits for the next turn
  await worker.stop(1000)
  vi.advanceTimersByTime(0)
  expect(start).not.toHaveBeenCalled()
})
