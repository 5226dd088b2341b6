import { expect, onTestFinished, test } from 'vitest'
import { postgres } from '../../../src/postgres/index.ts'
import { eventually, storeIn } from '../../inbox/stores.ts'
import { databases } from '../databases.ts'

const server = databases()

test('records when a delivery was answered, even if no other delivery follows', async () => {
  const inbox = postgres(await server.create())
  onTestFinished(() => inbox.close())
  const id = await storeIn(inbox)
  await eventually(async () => expect((await inbox.get(id))?.ackedAt).toBeTypeOf('number'))
})
