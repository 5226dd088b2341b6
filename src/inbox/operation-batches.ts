/** The batches in which an operation changes the deliveries of a query, or the tasks of a failure group. */
import type { Query, SelectedIds, Selection } from './query/query.ts'
import type { DeliveryState, DeliverySummary, Page } from './records.ts'

/** Maximum deliveries or tasks that one transaction changes, so that no transaction holds locks for long. */
const batchSize = 500

/**
 * An operation on a query may change a listed delivery if its state is still in the same group. Otherwise a retry of
 * `retrying` deliveries would run all handlers of those that have succeeded since they were listed.
 */
const stateGroups: readonly (readonly DeliveryState[])[] = [
  ['pending', 'running', 'retrying', 'dead'],
  ['discarded'],
  ['done'],
  ['ignored'],
]

/** The deliveries of a page that an operation may change, by the groups of their states. */
export function selectionsOf(deliveries: readonly Pick<DeliverySummary, 'id' | 'state'>[]): SelectedIds[] {
  return stateGroups
    .map((states) => ({ ids: deliveries.filter(({ state }) => states.includes(state)).map(({ id }) => id), states }))
    .filter(({ ids }) => ids.length > 0)
}

/**
 * Calls `act` once for a list of ids. For a query, calls `act` for each page of deliveries.
 * @returns the sum of the results of `act`.
 */
export async function forEachSelected(
  list: (query: Query) => Promise<Page>,
  selection: Selection,
  act: (selected: SelectedIds) => Promise<number>,
): Promise<number> {
  if ('ids' in selection) return act(selection)
  let count = 0
  for (let before: number | undefined = selection.query.before ?? Number.MAX_SAFE_INTEGER; before !== undefined; ) {
    const { deliveries, next } = await list({ ...selection.query, before, limit: batchSize })
    for (const selected of selectionsOf(deliveries)) count += await act(selected)
    before = next
  }
  return count
}

/** Calls `act` for one batch after another. @returns the sum of its results. */
export async function forEachBatch(
  ids: readonly number[],
  act: (batch: readonly number[]) => Promise<number>,
): Promise<number> {
  let count = 0
  for (let begin = 0; begin < ids.length; begin += batchSize) count += await act(ids.slice(begin, begin + batchSize))
  return count
}
