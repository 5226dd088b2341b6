import type { DeliveryState, DeliverySummary, Page } from '../../src/server/api/schemas/responses.ts'
import { get, serverTime } from '../api/client.ts'
import { type ServerSearch, serverSearchOf, valueIn, withValues } from '../deliveries/search.ts'
import { utc } from '../ui/preferences.ts'

/** Deliveries per page: the maximum of the server. */
const limit = 500

/** The count ends after this many deliveries, and after this many milliseconds. Operators need no exact larger number. */
const [maxCounted, maxCounting] = [10_000, 5000]

type Candidate = Pick<DeliverySummary, 'id' | 'state'>

/** The deliveries that an operation may change. */
export interface Candidates {
  /** The ids of the counted deliveries, by state. */
  byState: Partial<Record<DeliveryState, number[]>>
  /** Where to look for the deliveries that were not counted. `undefined` if all were counted. */
  rest?: { search: ServerSearch; cursor: string } | undefined
}

export function candidatesOf(deliveries: Iterable<Candidate>, rest?: Candidates['rest']): Candidates {
  const byState: Candidates['byState'] = {}
  for (const { id, state } of deliveries) (byState[state] ??= []).push(id)
  return { byState, rest }
}

/**
 * Counts the deliveries that match a search now. Later deliveries are not included, because the search goes from the
 * newest delivery to the oldest.
 * @param onFound Called with the number found so far.
 */
export async function findAll(
  text: string,
  signal: AbortSignal,
  onFound: (count: number) => void,
): Promise<Candidates> {
  const search = serverSearchOf(text, serverTime(), utc.value)
  const end = performance.now() + maxCounting
  const found: Candidate[] = []
  let cursor: string | undefined
  do {
    const page: Page = await get('deliveries', { ...search, cursor, limit }, signal)
    for (const { id, state } of page.deliveries) found.push({ id, state })
    cursor = page.next
    onFound(found.length)
  } while (cursor !== undefined && found.length < maxCounted && performance.now() < end)
  return candidatesOf(found, cursor === undefined ? undefined : { search, cursor })
}

/**
 * The ids of the candidates in some states, newest first, in batches: the counted ones, and then the others. A search
 * without states gets the chosen ones, because the server has an index of them, and would otherwise read all deliveries.
 */
export async function* batchesOf(
  { byState, rest }: Candidates,
  states: readonly DeliveryState[],
  { size, signal }: { size: number; signal: AbortSignal },
): AsyncGenerator<readonly number[], void> {
  const counted = states.flatMap((state) => byState[state] ?? []).toSorted((a, b) => b - a)
  yield* slicesOf(counted, size)
  if (!rest) return
  const { q } = rest.search
  const search =
    valueIn(q, 'state') === '' ? { ...rest.search, q: withValues(q, { state: states.join(',') }) } : rest.search
  for (let cursor: string | undefined = rest.cursor; cursor !== undefined; ) {
    const page: Page = await get('deliveries', { ...search, cursor, limit }, signal)
    yield* slicesOf(
      page.deliveries.filter(({ state }) => states.includes(state)).map(({ id }) => id),
      size,
    )
    cursor = page.next
  }
}

function* slicesOf(ids: readonly number[], size: number): Generator<readonly number[]> {
  for (let start = 0; start < ids.length; start += size) yield ids.slice(start, start + size)
}
