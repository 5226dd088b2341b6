import assert from 'node:assert/strict'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, start, storeNew } from './deliveries.ts'
import { only } from './seen.ts'
import { TestWorker } from './test-worker.ts'

export const failureCases: InboxContractCase[] = [
  {
    id: 'failures',
    name: 'returns the latest failure of each handler, with the first line of its error',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b', 'c')
      assert.deepEqual(await inbox.failures(), [])
      const [one, two] = [await storeNew(inbox), await storeNew(inbox)]
      for (const task of await worker.match(one, 'a', 'b', 'c')) {
        const outcome = task.handler === 'c' ? 'succeeded' : 'failed'
        await worker.finish(task, outcome, { error: `Error: ${task.handler}\n    at ${task.handler}` })
      }
      await worker.finish(await worker.begin(two, 'a'), 'succeeded')
      const first = { id: one, at: start + 5 }
      assert.deepEqual(await inbox.failures(), [
        { handler: 'a', ...first, error: 'Error: a' },
        { handler: 'b', ...first, error: 'Error: b' },
      ])
      const again = only(await worker.claim('b', 1, start + minute))
      await worker.finish(again, 'dead', { startedAt: start + minute, error: 'x'.repeat(5000) })
      const third = only(await worker.claim('a', 1, start + minute))
      await worker.finish(third, 'dead', { startedAt: start + minute, error: undefined })
      const last = { id: one, at: start + minute + 5 }
      assert.deepEqual(await inbox.failures(), [
        { handler: 'a', ...last, error: undefined },
        { handler: 'b', ...last, error: 'x'.repeat(300) },
      ])
    },
  },
]
