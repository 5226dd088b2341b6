/** How often the row of a delivery is written, which no call of the inbox shows. */
import { expect, onTestFinished, test } from 'vitest'
import type { ClaimedTask } from '../../../src/inbox/task-queue.ts'
import { postgres } from '../../../src/postgres/index.ts'
import { TestWorker } from '../../../src/testing/inbox-contract/test-worker.ts'
import { stateIn, storeIn } from '../../inbox/stores.ts'
import { databases } from '../databases.ts'
import { createTables } from '../inbox.ts'

const { create } = databases()

/** An inbox with a delivery, and the place of its row, which changes with each write. */
async function openOne() {
  const url = await create()
  const database = await createTables(url)
  onTestFinished(() => database.close())
  const schema = (await database.get<{ name: string }>('select current_schema() as name'))?.name as string
  const inbox = postgres(url, { schema })
  onTestFinished(() => inbox.close())
  const [id, worker] = [await storeIn(inbox), await TestWorker.register(inbox, 'a', 'b')]
  const place = () => database.get('select ctid from deliveries where id = $1', id)
  return { inbox, id, worker, place }
}

test('a delivery whose claimed tasks succeed is not written after its match', async () => {
  const { inbox, id, worker, place } = await openOne()
  const [a, b] = (await worker.match(id, 'a', 'b')) as [ClaimedTask, ClaimedTask]
  const matched = await place()
  await worker.finish(a, 'succeeded')
  expect(await stateIn(inbox, id)).toBe('running')
  await worker.finish(b, 'succeeded')
  expect(await stateIn(inbox, id)).toBe('done')
  expect(await place()).toEqual(matched)
})

test('a claim does not write the row of the delivery, and the end of the attempt does', async () => {
  const { inbox, id, worker, place } = await openOne()
  await worker.match(id, { handler: 'a', claim: false })
  const matched = await place()
  const [task] = (await worker.claim('a')) as [ClaimedTask]
  expect(await stateIn(inbox, id)).toBe('running')
  expect(await place()).toEqual(matched)
  await worker.finish(task, 'succeeded')
  expect(await stateIn(inbox, id)).toBe('done')
  expect(await place()).not.toEqual(matched)
})
