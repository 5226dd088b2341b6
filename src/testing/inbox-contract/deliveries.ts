import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { DeliveryStore, NewDelivery } from '../../inbox/inbox.ts'

export const second = 1000
export const minute = 60_000
export const day: number = 24 * 60 * minute

/**
 * The time of the cases: yesterday. Most cases pass times near it as `now`. As `now` decides which tasks are due, the
 * cases need not wait. When a store looks for due tasks whose handler no worker has registered, it uses the real clock
 * instead. By the real clock, tasks that are due near this time have been due for a day, so the store finds these
 * tasks at once.
 */
export const start: number = Date.now() - day

/** A unique delivery with these properties. */
export function newDelivery(more: Partial<NewDelivery> = {}): NewDelivery {
  const guid = randomUUID()
  return {
    source: '/hooks',
    hookId: '292430182',
    guid,
    event: 'issues',
    headers: { 'x-github-event': 'issues', 'x-github-delivery': guid },
    body: json({ action: 'opened', guid }),
    form: 'json',
    address: '192.30.252.1',
    receivedAt: start,
    secretId: undefined,
    secretIndex: 0,
    algorithm: 'sha256',
    ...more,
  }
}

export function json(data: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(data))
}

/** Stores a new delivery. @returns its id. */
export async function storeNew(inbox: DeliveryStore, more: Partial<NewDelivery> = {}): Promise<number> {
  const { id, outcome } = await inbox.store(newDelivery(more))
  assert.equal(outcome, 'stored')
  return id
}

/** Stores many new deliveries. @returns their ids, in ascending order. */
export async function storeMany(
  inbox: DeliveryStore,
  count: number,
  more: Partial<NewDelivery> = {},
): Promise<number[]> {
  const ids: number[] = []
  while (ids.length < count) {
    const together = Math.min(count - ids.length, 100)
    ids.push(...(await Promise.all(Array.from({ length: together }, () => storeNew(inbox, more)))))
  }
  return ids.sort((a, b) => a - b)
}
