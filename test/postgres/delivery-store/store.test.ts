import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database, Transaction } from '../../../src/postgres/connection/database.ts'
import { encodeDelivery, storeKnown, storeNew } from '../../../src/postgres/delivery-store/store.ts'
import { newDelivery } from '../../sqlite/engine.ts'
import { databases } from '../databases.ts'
import { createTables } from '../inbox.ts'

const server = databases()
let database: Database
beforeAll(async () => {
  database = await createTables(await server.create())
})
afterAll(() => database.close())

const conflict = (guid: string, variant: number) =>
  encodeDelivery(newDelivery({ guid, body: new TextEncoder().encode(`${variant}`) }))

/** Stores a delivery. @returns the result, and the number of rows that each query has read. */
async function store(guid: string, variant: number) {
  const delivery = await conflict(guid, variant)
  const { ids } = await database.statement((sql) => storeNew(sql, [delivery], []))
  if (ids.size > 0) return { outcome: 'stored', conflict: false, rows: [] }
  const rows: number[] = []
  const [result] = await database.transaction((transaction) => storeKnown(counting(transaction, rows), [delivery]))
  return { outcome: result?.outcome, conflict: result?.conflict, rows }
}

/** Adds the number of rows of each query to `rows`. */
function counting(transaction: Transaction, rows: number[]): Transaction {
  return new Proxy(transaction, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'all') return value.bind(target)
      return async (sql: string, ...values: unknown[]) => {
        const found = await target.all(sql, ...values)
        if (sql.trimStart().startsWith('select')) rows.push(found.length)
        return found
      }
    },
  })
}

describe('many deliveries with the same identity and different bytes', () => {
  test('are found without reading those with other bytes', async () => {
    for (let variant = 0; variant < 20; variant++) await store('many', variant)
    expect(await store('many', 15)).toEqual({ outcome: 'duplicate', conflict: true, rows: [1, 0, 1, 0] })
    expect(await store('many', 20)).toEqual({ outcome: 'stored', conflict: true, rows: [1, 0, 0, 0] })
  })

  test('are found if an earlier version stored them with the identity of the first one', async () => {
    for (let variant = 0; variant < 3; variant++) await store('earlier', variant)
    await database.transaction((transaction) => transaction.run(useOneIdentity))
    expect(await store('earlier', 2)).toMatchObject({ outcome: 'duplicate', conflict: true })
    expect(await store('earlier', 3)).toMatchObject({ outcome: 'stored', conflict: true })
    expect(await store('earlier', 3)).toMatchObject({ outcome: 'duplicate', conflict: true })
  })
})

const useOneIdentity = `
  with numbered as (
    select id, row_number() over (order by id) - 1 as number, first_value(identity) over (order by id) as identity
    from deliveries
    where guid = 'earlier'
  )
  update deliveries set variant = numbered.number, identity = numbered.identity
  from numbered
  where deliveries.id = numbered.id`
