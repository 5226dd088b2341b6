import type { DeliverySummary, Page } from '../../src/server/api/schemas/responses.ts'
import { get, serverTime } from '../api/client.ts'
import { lastList } from '../deliveries/opened.ts'
import { serverSearchOf } from '../deliveries/search.ts'
import { utc } from '../ui/preferences.ts'

/** How many deliveries a request reads to find the next newer one, which the API cannot select by its order. */
const newerRead = 100

/**
 * The delivery that follows in the list that was shown last (`by` is 1), or that precedes it (-1). Adds a row behind the
 * last one to the list, so that its neighbors match the search too. If the list does not contain the delivery, its
 * neighbors are those among all deliveries.
 */
export async function neighborOf(id: number, by: 1 | -1): Promise<number | undefined> {
  const ids = lastList.rows.map((row) => row.id)
  const index = ids.indexOf(id)
  const listed = index < 0 ? undefined : ids[index + by]
  if (listed !== undefined) return listed
  if (index < 0) return by === 1 ? (await olderThan(id, ''))?.id : newerThan(id)
  const added = by === 1 ? await olderThan(id, lastList.text) : undefined
  if (added) lastList.rows = [...lastList.rows, added]
  return added?.id
}

async function olderThan(id: number, text: string): Promise<DeliverySummary | undefined> {
  const search = serverSearchOf(text, serverTime(), utc.value)
  let before: number | undefined = id
  while (before !== undefined) {
    const page: Page = await get('deliveries', { ...search, before, limit: 1 })
    if (page.deliveries[0]) return page.deliveries[0]
    before = page.reached
  }
  return undefined
}

async function newerThan(id: number): Promise<number | undefined> {
  const { deliveries } = await get<Page>('deliveries', { before: id + newerRead + 1, limit: newerRead })
  return deliveries.findLast((one) => one.id > id)?.id
}
