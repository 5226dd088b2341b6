import { expect, onTestFinished, test } from 'vitest'
import { registerWorker, renewLeases, workers } from '../../../src/postgres/task-queue/workers.ts'
import { databases } from '../databases.ts'
import { createTables } from '../inbox.ts'

const { create } = databases()

test('a heartbeat that ends after the release of its worker does not register it again', async () => {
  const database = await createTables(await create())
  onTestFinished(() => database.close())
  const register = async () => (await registerWorker(database, [], 600)).id
  const [released, other] = [await register(), await register()]
  const alive = new Map([released, other].map((id) => [id, []]))
  await database.run('delete from workers where id = $1', released)
  const renewed = renewLeases(database, alive, 600, 1)
  alive.delete(released)
  await renewed
  expect((await workers(database)).map(({ id }) => id)).toEqual([other])
})

test('gives no worker the id of a worker that registered before the tables were lost', async () => {
  const register = async () => {
    const database = await createTables(await create())
    onTestFinished(() => database.close())
    return [await registerWorker(database, [], 600), await registerWorker(database, [], 600)].map(({ id }) => id)
  }
  const ids = [...(await register()), ...(await register())]
  expect(new Set(ids).size).toBe(4)
  expect(ids.every((id) => Number.isSafeInteger(id) && id > 0)).toBe(true)
})
