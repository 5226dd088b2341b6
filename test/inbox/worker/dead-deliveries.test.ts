/** Two handlers of a delivery fail in their last attempts, and the store records both results in one transaction. */
import { expect, test } from 'vitest'
import type { AttemptResult, DeliveryStatus, TaskQueue } from '../../../src/inbox/task-queue.ts'
import { Worker } from '../../../src/inbox/worker/worker.ts'
import { Host } from '../fixtures.ts'
import { inboxFile, openInbox, storeIn, withMembers } from '../stores.ts'

test('onDead is called once if two results end a delivery together', async ({ onTestFinished }) => {
  const inbox = openInbox(inboxFile(onTestFinished), onTestFinished)
  const { promise: recorded, resolve: record } = Promise.withResolvers<readonly DeliveryStatus[]>()
  const together: AttemptResult[] = []
  const finish: TaskQueue['finish'] = async (worker, results) => {
    const own = together.push(...results) - 1
    if (own === 0) return (await recorded).filter(({ endedByOther }) => !endedByOther)
    const [status] = await inbox.finish(worker, together)
    if (!status) throw new Error('No result was recorded')
    record([status])
    return [{ ...status, endedByOther: true }]
  }
  const fail = () => Promise.reject(new Error('no'))
  const host = new Host().on('*', { name: 'a', attempts: 1 }, fail).on('*', { name: 'b', attempts: 1 }, fail)
  await storeIn(inbox)
  const worker = new Worker(withMembers(inbox, { finish }), host)
  await worker.drain()
  expect(together.map(({ outcome }) => outcome)).toEqual(['dead', 'dead'])
  expect(host.dead).toHaveLength(1)
})
