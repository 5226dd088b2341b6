import { expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../../src/index.ts'
import { postgres } from '../../../src/postgres/index.ts'
import { recordMatches, unmatched } from '../../../src/testing/inbox-contract/matching.ts'
import { storeIn, withoutPolling } from '../../inbox/stores.ts'
import { databases } from '../databases.ts'

const server = databases()

/** The inboxes of two processes. */
async function two() {
  const url = await server.create()
  const inboxes = [postgres(url), postgres(url)] as const
  onTestFinished(async () => void (await Promise.all(inboxes.map((inbox) => inbox.close()))))
  return inboxes
}

/** Calls that a test can await one after the other. */
function calls() {
  let [made, seen] = [0, 0]
  let coming = Promise.withResolvers<void>()
  return {
    make(): void {
      made++
      coming.resolve()
      coming = Promise.withResolvers()
    },
    async next(): Promise<void> {
      while (made === seen) await coming.promise
      seen = made
    },
  }
}

test('notifies workers of deliveries that another process stores or retries', async () => {
  const [own, other] = await two()
  const signals = calls()
  const worker = await own.registerWorker([{ name: 'a', backoff: 1000 }], signals.make)
  await signals.next() // now the inbox listens
  const id = await storeIn(other)
  await signals.next()
  const [delivery] = await unmatched(own, 1, 1e9)
  expect(delivery?.id).toBe(id)
  await recordMatches(own, worker, [{ id, summary: {}, tasks: [] }], Date.now())
  expect(await other.retry({ ids: [id] })).toBe(1)
  await signals.next()
  expect((await unmatched(own, 1, 1e9)).map((one) => one.id)).toEqual([id])
})

test('handles deliveries of another process at once, even if the worker polls once an hour', async () => {
  const [own, other] = await two()
  const hooks = new Hooks({ secret: 'unused', validateIp: false, logger: false, inbox: withoutPolling(own) })
  onTestFinished(() => hooks.close({ grace: 0 }))
  const handled = calls()
  hooks.hook('push', () => handled.make())
  hooks.work()
  for (let count = 0; count < 5; count++) {
    await storeIn(other)
    await handled.next()
  }
})
