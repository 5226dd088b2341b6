/** A worker runs one task at a time whose two latest leases have expired. */
import { expect, test, vi } from 'vitest'
import type { ClaimedTask, TaskQueue } from '../../../src/inbox/task-queue.ts'
import { Worker } from '../../../src/inbox/worker/worker.ts'
import { Host } from '../fixtures.ts'
import { eventually, inboxFile, openInbox, storeIn, withMembers } from '../stores.ts'

test('a suspect does not start before another one has ended, however long that one runs', async (context) => {
  const inbox = openInbox(inboxFile(context.onTestFinished), context.onTestFinished)
  const requests: { suspect: boolean | undefined; claimed: readonly ClaimedTask[] }[] = []
  /** All tasks that are claimed are suspects. */
  const claim: TaskQueue['claim'] = async (worker, request) => {
    const claimed = await inbox.claim(worker, { ...request, suspect: undefined })
    requests.push({ suspect: request.suspect, claimed })
    return claimed.map((task) => ({ ...task, suspect: true }))
  }
  const match: TaskQueue['match'] = (worker, offer, decide) => {
    return inbox.match(worker, offer, async (offered) => {
      const matches = await decide(offered)
      return matches.map((one) => ({ ...one, tasks: one.tasks.map((task) => ({ ...task, claim: false })) }))
    })
  }
  const { promise: end, resolve: endHandler } = Promise.withResolvers<void>()
  const { promise: began, resolve: begins } = Promise.withResolvers<void>()
  const host = new Host().on('*', () => {
    begins()
    return end
  })
  await storeIn(inbox)
  const worker = new Worker(withMembers(inbox, { claim, match }), host)
  worker.start()
  await began

  const now = performance.now.bind(performance)
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 600_000)
  context.onTestFinished(() => clock.mockRestore())
  requests.length = 0
  worker.wake()
  await eventually(() => expect(requests.map(({ suspect }) => suspect)).toContain(false))
  expect(requests.map(({ suspect }) => suspect)).not.toContain(true)

  requests.length = 0
  endHandler()
  await eventually(() => expect(requests.map(({ suspect }) => suspect)).toContain(true))
  await worker.stop(0)
})
