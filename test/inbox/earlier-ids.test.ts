/** Databases from before the first release, which have the ids of GitHub's deliveries as integers of 64 bits. */
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import type { Store } from '../../src/inbox/inbox.ts'
import { postgres } from '../../src/postgres/index.ts'
import { databases } from '../postgres/databases.ts'
import { inboxFile, openInbox } from './stores.ts'

const server = databases()

const columns = `
  hook_id text not null, guid text not null, target text not null, event text not null, action text,
  delivery_id bigint not null, delivered_at bigint not null, status text not null, state text not null,
  requests bigint not null, requested_at bigint, expires_at bigint not null, primary key (hook_id, guid)`
const insert = `
  insert into missed_deliveries values
    ('1', 'a', 'acme/shop', 'push', null, 3804004623172239366, 1000, 'timed out', 'missed', 0, null, ${Date.now() + 1e9})`

async function earlierSqlite(): Promise<Store> {
  const file = inboxFile()
  const inbox = openInbox(file)
  await inbox.createdAt()
  await inbox.close()
  const db = new DatabaseSync(file)
  const strict = columns.replaceAll('bigint', 'integer')
  db.exec(`drop table missed_deliveries; create table missed_deliveries (${strict}) strict, without rowid; ${insert}`)
  db.close()
  return openInbox(file)
}

async function earlierPostgres(): Promise<Store> {
  const url = await server.create()
  const inbox = postgres(url)
  await inbox.createdAt()
  await inbox.close()
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`set search_path to hookserver; drop table missed_deliveries`)
  await client.query(`create table missed_deliveries (${columns})`)
  await client.query(insert)
  await client.end()
  const again = postgres(url)
  onTestFinished(() => again.close())
  return again
}

test.each([
  ['SQLite', earlierSqlite],
  ['PostgreSQL', earlierPostgres],
])('are read and changed in %s, digit by digit', async (_store, open) => {
  const inbox = await open()
  const [missed] = await inbox.missedDeliveries()
  expect(missed).toMatchObject({ guid: 'a', deliveryId: '3804004623172239366', deliveredAt: 1000, requests: 0 })
  if (missed) await inbox.saveMissedDeliveries([{ ...missed, deliveryId: '3804004623172239367', requests: 1 }])
  expect(await inbox.missedDeliveries()).toMatchObject([{ deliveryId: '3804004623172239367', requests: 1 }])
})
