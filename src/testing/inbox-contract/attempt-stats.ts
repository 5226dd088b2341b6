import assert from 'node:assert/strict'
import type { Store } from '../../inbox/inbox.ts'
import type { DeliverySummary } from '../../inbox/records.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, start, storeNew } from './deliveries.ts'
import { detailOf, only } from './seen.ts'
import { TestWorker } from './test-worker.ts'

export const attemptStatsCases: InboxContractCase[] = [
  {
    id: 'attempt-stats-failure',
    name: 'shows the newest error of the tasks that are retrying or dead, in lists, details and changes',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const { position } = await inbox.changes()
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const id = await storeNew(inbox)
      const assertFailure = async (failure: DeliverySummary['failure']) => {
        const shown = await showings(inbox, id, position)
        for (const [where, one] of Object.entries(shown)) assert.deepEqual(one.failure, failure, where)
      }
      const [a, b] = await worker.match(id, 'a', 'b')
      assert.ok(a && b)
      await assertFailure(undefined)
      await worker.finish(a, 'failed', {
        startedAt: start + 2,
        error: `Error: "No" \u202e\n    at ${'x'.repeat(5000)}`,
      })
      await assertFailure({ handler: 'a', error: 'Error: "No" \u202e' })
      await worker.finish(b, 'dead', { startedAt: start + 1, error: 'x'.repeat(5000) })
      await assertFailure({ handler: 'a', error: 'Error: "No" \u202e' })
      const again = only(await worker.claim('a', 1, start + minute))
      await worker.finish(again, 'succeeded', {})
      await assertFailure({ handler: 'b', error: 'x'.repeat(300) })
      await inbox.discard({ ids: [id] }, 'enough')
      await assertFailure(undefined)
    },
  },
  {
    id: 'attempt-stats',
    name: 'shows the highest attempt count of a handler and the total duration, in lists, details and changes',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const { position } = await inbox.changes()
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const [id, other] = [await storeNew(inbox), await storeNew(inbox)]
      const assertStats = async (attempts: number, duration: number | undefined) => {
        const shown = await showings(inbox, id, position)
        for (const [where, one] of Object.entries(shown)) {
          assert.deepEqual([one.attempts, one.duration], [attempts, duration], where)
        }
      }
      await assertStats(0, undefined)
      const [a, b] = await worker.match(id, 'a', 'b')
      assert.ok(a && b)
      await assertStats(1, undefined)
      await worker.finish(a, 'failed', { duration: 30 })
      await assertStats(1, 30)
      const again = only(await worker.claim('a', 1, start + minute))
      await assertStats(2, 30)
      await worker.finish(again, 'succeeded', { duration: 4 })
      await worker.finish(b, 'dead', { duration: 0 })
      await assertStats(2, 34)
      assert.deepEqual([(await detailOf(inbox, other)).attempts, (await detailOf(inbox, id)).duration], [0, 34])
    },
  },
]

/** A delivery as the list, the details and the changes show it. */
async function showings(inbox: Store, id: number, position: string): Promise<Record<string, DeliverySummary>> {
  const { deliveries } = await inbox.list({})
  const changes = await inbox.changes(position)
  const those = (all: readonly DeliverySummary[]) => only(all.filter((one) => one.id === id))
  return { list: those(deliveries), get: await detailOf(inbox, id), changes: those(changes.deliveries) }
}
