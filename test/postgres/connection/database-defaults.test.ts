/** Unusual defaults of a database or a server. */
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { postgres } from '../../../src/postgres/index.ts'
import { cureOf } from '../../../src/server/database-errors.ts'
import { detailIn, eventually, storeIn } from '../../inbox/stores.ts'
import { databaseServer } from '../databases.ts'

const maxConnections = 12
const server = databaseServer('fsync=off', `max_connections=${maxConnections}`, 'superuser_reserved_connections=1')

/** Sets a default of a new database. @returns the URL of the database. */
async function databaseWith(setting: string): Promise<string> {
  const url = await server.create()
  await execute(url, `alter database ${new URL(url).pathname.slice(1)} set ${setting}`)
  return url
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(sql).finally(() => client.end())
}

test('names the fix if transactions are read-only by default, and works once they are not', async () => {
  const url = await databaseWith('default_transaction_read_only = on')
  const inbox = postgres(url)
  onTestFinished(() => inbox.close())
  const error = await storeIn(inbox).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ cause: { code: '25006' } })
  expect(cureOf(error)).toContain('default_transaction_read_only')
  const name = new URL(url).pathname.slice(1)
  await execute(url, `begin read write; alter database ${name} reset default_transaction_read_only; commit`)
  expect(await storeIn(inbox)).toBe(1)
})

test('rejects deliveries while PostgreSQL has no free connection, and stores them afterwards', async () => {
  const url = await server.create()
  const inbox = postgres(url, { connectTimeout: 200 })
  const others: pg.Client[] = []
  onTestFinished(async () => {
    await Promise.all(others.map((client) => client.end()))
    await inbox.close()
  })
  for (;;) {
    const client = new pg.Client(url)
    try {
      await client.connect()
      others.push(client)
    } catch (error) {
      expect(error).toMatchObject({ code: '53300' })
      break
    }
  }
  await expect(storeIn(inbox)).rejects.toThrow('Cannot open the inbox in PostgreSQL')
  await Promise.all(others.splice(0).map((client) => client.end()))
  await eventually(async () => expect(await storeIn(inbox)).toBeGreaterThan(0))
})

test('handles deliveries if the database has other defaults for values that hookserver reads and writes', async () => {
  const url = await databaseWith(`datestyle = 'SQL, DMY'`)
  const name = new URL(url).pathname.slice(1)
  const others = [`bytea_output = 'escape'`, `timezone = 'Asia/Kathmandu'`, `intervalstyle = 'iso_8601'`]
  for (const setting of others) await execute(url, `alter database ${name} set ${setting}`)
  const inbox = postgres(url)
  onTestFinished(() => inbox.close())
  const id = await storeIn(inbox, { text: 'ü' })
  expect(await detailIn(inbox, id)).toMatchObject({ id, state: 'pending' })
  const worker = await inbox.registerWorker([{ name: 'a', backoff: 1 }])
  const offer = { limit: 1, bytes: 1e9, ordered: false, now: Date.now() }
  const result = await inbox.match(worker, offer, async (deliveries) => {
    return deliveries.map((one) => ({ id: one.id, summary: {}, tasks: [{ handler: 'a', claim: false }] }))
  })
  expect(result).toMatchObject({ matched: 1 })
  const claimed = await inbox.claim(worker, { wanted: { a: 1 }, bytes: 1e9, now: Date.now() })
  expect(claimed).toMatchObject([{ id, handler: 'a' }])
})
