import type { DeliveryState, DeliverySummary, Page } from '../../src/server/api/schemas/responses.ts'
import { get, serverTime } from '../api/client.ts'
import { serverSearchOf } from '../deliveries/search.ts'

/** Deliveries per page: the maximum of the server. */
const limit = 500

/** The ids of deliveries, by state. */
export type Candidates = Partial<Record<DeliveryState, number[]>>

export function byState(deliveries: Iterable<Pick<DeliverySummary, 'id' | 'state'>>): Candidates {
  const found: Candidates = {}
  for (const { id, state } of deliveries) (found[state] ??= []).push(id)
  return found
}

/**
 * All deliveries that match a search now. Later deliveries are not included, so an operation changes only deliveries
 * that were counted before.
 * @param onFound Called with the number found so far.
 */
export async function findAll(
  text: string,
  signal: AbortSignal,
  onFound: (count: number) => void,
): Promise<Candidates> {
  const search = serverSearchOf(text, serverTime())
  const found: Pick<DeliverySummary, 'id' | 'state'>[] = []
  let cursor: string | undefined
  do {
    const page: Page = await get('deliveries', { ...search, cursor, limit }, signal)
    for (const { id, state } of page.deliveries) found.push({ id, state })
    cursor = page.next
    onFound(found.length)
  } while (cursor !== undefined)
  return byState(found)
}
