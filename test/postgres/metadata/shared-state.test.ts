import { beforeAll, expect, test } from 'vitest'
import { lease } from '../../../src/postgres/metadata/shared-state.ts'
import { databases } from '../databases.ts'
import { createTables } from '../inbox.ts'

const { create } = databases()
let url: string

beforeAll(async () => {
  url = await create()
})

test('a lease that a clock set far ahead does not last until then', async () => {
  const database = await createTables(url)
  const acquire = (holder: string, ms = 60_000) => {
    return database.transaction((transaction) => lease(transaction, 'sweep', holder, ms))
  }
  const extend = (by: string) => database.run(`update leases set until = until + $1::interval`, by)
  expect(await acquire('ended')).toBe(true)
  await extend('1 day')
  expect([await acquire('a', 0), await acquire('a'), await acquire('b')]).toEqual([false, true, false])
  await extend('55 s')
  expect(await acquire('b')).toBe(false) // the holder may still run
  await database.close()
})
