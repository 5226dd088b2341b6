import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { detailIn, openInbox } from '../../inbox/stores.ts'
import type { Evidence } from './evidence.ts'

/** What is on the disk, but for the file that holds the secrets. */
export function keepFiles(evidence: Evidence, folder: string, when: string): void {
  const names = readdirSync(folder).filter((name) => name !== 'secrets')
  expect(names).toContain('hookserver.db')
  for (const name of names) evidence.keep(`${name} ${when}`, readFileSync(join(folder, name)))
}

/** What is compressed in the database. @returns Which deliveries there were, and how many refusals. */
export async function keepDeliveries(
  evidence: Evidence,
  folder: string,
): Promise<{ events: string[]; refusals: number }> {
  const inbox = openInbox(join(folder, 'hookserver.db'))
  const { deliveries } = await inbox.list({ limit: 500 })
  for (const { id } of deliveries) {
    evidence.keep(`delivery ${id}`, JSON.stringify(await detailIn(inbox, id)))
    evidence.keep(`the body of ${id}`, (await inbox.body(id)) as Uint8Array)
  }
  const refusals = await inbox.refusals()
  evidence.keep('the refusals', JSON.stringify(refusals))
  const events = new Set(deliveries.map(({ event, state }) => `${event} ${state}`))
  return { events: [...events].toSorted(), refusals: refusals.latest.length }
}
