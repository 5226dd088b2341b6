import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { expect } from 'vitest'
import type { Store } from '../../../src/inbox/inbox.ts'
import { detailIn } from '../../inbox/stores.ts'
import type { Evidence } from './evidence.ts'

/** Keeps all files as evidence, except the file with the secrets. */
export function keepFiles(evidence: Evidence, folder: string, when: string): void {
  const names = readdirSync(folder).filter((name) => name !== 'secrets')
  expect(names).toContain('hookserver.db')
  for (const name of names) evidence.keep(`${name} ${when}`, readFileSync(join(folder, name)))
}

/**
 * Keeps each delivery with its uncompressed body, and the latest rejections.
 * @returns the events with their states, and the number of these rejections.
 */
export async function keepDeliveries(
  evidence: Evidence,
  inbox: Store,
): Promise<{ events: string[]; rejections: number }> {
  const { deliveries } = await inbox.list({ limit: 500 })
  for (const { id } of deliveries) {
    evidence.keep(`delivery ${id}`, JSON.stringify(await detailIn(inbox, id)))
    evidence.keep(`the body of ${id}`, (await inbox.body(id)) as Uint8Array)
  }
  const rejections = await inbox.rejections()
  evidence.keep('the rejections', JSON.stringify(rejections))
  const events = new Set(deliveries.map(({ event, state }) => `${event} ${state}`))
  return { events: [...events].toSorted(), rejections: rejections.latest.length }
}

/** Keeps the tables of a database. */
export async function keepTables(evidence: Evidence, url: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  const tables = await client.query(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname like 'hookserver%'`,
  )
  expect(tables.rows.length).toBeGreaterThan(10)
  for (const { name } of tables.rows) {
    const { rows } = await client.query(`select row_to_json(one) as row from ${name} as one`)
    evidence.keep(`the table ${name}`, JSON.stringify(rows))
  }
  await client.end()
}
