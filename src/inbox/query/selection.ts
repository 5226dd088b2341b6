import type { Page } from '../records.ts'
import type { Query, Selection } from './query.ts'

/** Deliveries of one transaction. */
const batchSize = 500

/** Acts on the selected deliveries, page by page, so that no transaction holds locks for long. @returns the sum. */
export async function forEachSelected(
  list: (query: Query) => Promise<Page>,
  selection: Selection,
  act: (ids: readonly number[]) => Promise<number>,
): Promise<number> {
  if ('ids' in selection) return act(selection.ids)
  let count = 0
  for (let before: number | undefined = selection.query.before ?? Number.MAX_SAFE_INTEGER; before !== undefined; ) {
    const { deliveries, next } = await list({ ...selection.query, before, limit: batchSize })
    count += await act(deliveries.map(({ id }) => id))
    before = next
  }
  return count
}
