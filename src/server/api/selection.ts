import type { Inbox } from '../../inbox/inbox.ts'
import type { Query, Selection } from '../../inbox/query/query.ts'
import { type DeliveryState, deliveryStates } from '../../inbox/records.ts'
import { isObject } from '../../runtime/json.ts'
import { type Fault, Unanswerable } from '../problem.ts'
import { filters, readFilters } from './filters.ts'
import { aText } from './values.ts'

/** Ids in one request, and in one transaction, for which everybody waits who stores. */
export const mostIds = 10_000
const mostAtOnce = 500

/**
 * Reads which deliveries a body asks for: by their ids or by a query. Neither is no way to ask for all: `query: {}` is.
 * @throws {Unanswerable}
 */
export function selectionIn({ ids, query, states, dryRun }: Readonly<Record<string, unknown>>): {
  selection: Selection
  states: readonly DeliveryState[] | undefined
  dryRun: boolean
} {
  const faults: Fault[] = []
  const fault = (name: string, expected: string) => faults.push({ name, expected })
  if (dryRun !== undefined && typeof dryRun !== 'boolean') fault('dryRun', 'true or false')
  if (ids !== undefined && !areIds(ids)) fault('ids', `a list of 1 to ${mostIds} whole numbers`)
  if (query !== undefined && !isObject(query)) fault('query', 'an object with filters, {} for all deliveries')
  if ((ids === undefined) === (query === undefined)) fault('ids, query', 'one of the two')
  if (states !== undefined && !areStates(states)) fault('states', `a list of ${deliveryStates.join(', ')}`)
  if (states !== undefined && ids === undefined) fault('states', 'only beside ids: a query has its own state')
  if (faults.length > 0) throw Unanswerable.because(faults)
  const selection = areIds(ids)
    ? { ids: [...new Set(ids)] }
    : { query: readFilters(query as Record<string, unknown>, filters, 'query.') }
  return { selection, states: areStates(states) ? states : undefined, dryRun: dryRun === true }
}

const areStates = (value: unknown): value is DeliveryState[] =>
  Array.isArray(value) && value.length > 0 && value.every((one) => (deliveryStates as readonly unknown[]).includes(one))

const areIds = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= mostIds &&
  value.every((id) => Number.isSafeInteger(id) && id > 0)

/** Why, if the body says so. @throws {Unanswerable} */
export function reasonIn({ reason }: Readonly<Record<string, unknown>>): string | undefined {
  if (reason === undefined || aText.read(reason) !== undefined) return reason as string | undefined
  throw Unanswerable.because([{ name: 'reason', expected: aText.expected }])
}

/** A selection in parts, none of which takes long. The inbox takes a query apart by itself. */
export function partsOf(selection: Selection): Selection[] {
  if (!('ids' in selection)) return [selection]
  const { ids } = selection
  const starts = Array.from({ length: Math.ceil(ids.length / mostAtOnce) }, (_, index) => index * mostAtOnce)
  return starts.map((start) => ({ ids: ids.slice(start, start + mostAtOnce) }))
}

/** How many deliveries of a selection are in one of these states. */
export async function countConcerned(
  inbox: Inbox,
  selection: Selection,
  states: readonly DeliveryState[],
  signal: AbortSignal,
): Promise<number> {
  if ('ids' in selection) return (await stillIn(inbox, selection.ids, states)).length
  let count = 0
  for await (const page of pagesOf(inbox, selection.query, signal)) {
    count += page.filter(({ state }) => states.includes(state)).length
  }
  return count
}

/** Those of some deliveries that are in one of these states now. */
export async function stillIn(
  inbox: Inbox,
  ids: readonly number[],
  states: readonly DeliveryState[],
): Promise<readonly number[]> {
  const deliveries = await Promise.all(ids.map((id) => inbox.get(id)))
  return deliveries.flatMap((delivery) => (delivery && states.includes(delivery.state) ? [delivery.id] : []))
}

/** To the end, or until nobody waits for it any more. */
async function* pagesOf(inbox: Inbox, query: Query, signal: AbortSignal) {
  for (let before: number | undefined, more = true; more && !signal.aborted; more = before !== undefined) {
    const page = await inbox.list({ ...query, before, limit: mostAtOnce })
    yield page.deliveries
    before = page.next
  }
}
