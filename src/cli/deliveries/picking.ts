import type { Selection } from '../../inbox/query/query.ts'
import { UsageError } from '../errors.ts'
import type { Operator } from '../operator.ts'
import { type Filters, isSome, queryOf } from './filters.ts'
import { search } from './search.ts'

/** The deliveries that somebody picked, and how many of them there are. */
export interface Picked {
  selection: Selection
  count: number
}

/** @throws {UsageError} */
export function idOf(text: string): number {
  const id = Number(text)
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(id)) return id
  throw new UsageError(
    `Expected the number of a delivery, as \`deliveries list\` shows it, got ${JSON.stringify(text)}`,
  )
}

/**
 * By their numbers, or by what they have in common.
 * @throws {UsageError} if it is neither, or both.
 */
export function selectionOf(
  ids: readonly string[],
  { query: text, ...filters }: Filters & { query?: string },
): Selection {
  const query = queryOf(text ?? '', filters, Date.now())
  if (ids.length > 0 && (text !== undefined || isSome(query))) {
    throw new UsageError('Name deliveries by their numbers or by a query, and not by both')
  }
  if (ids.length > 0) return { ids: [...new Set(ids.map(idOf))] }
  if (isSome(query)) return { query }
  // An empty variable in a script must not be taken for "all of them".
  throw new UsageError('Say which deliveries: their numbers, or --query with something in it')
}

/** Counts them. Those that come from now on are not meant: nobody has been asked about them. */
export async function pick(operator: Operator, selection: Selection): Promise<Picked> {
  if ('ids' in selection) return { selection, count: await countThere(operator, selection.ids) }
  let count = 0
  let latest = 0
  for await (const deliveries of search(operator, selection.query, Number.POSITIVE_INFINITY)) {
    count += deliveries.length
    latest = Math.max(latest, ...deliveries.map(({ receivedAt }) => receivedAt))
  }
  return { selection: { query: { ...selection.query, until: latest + 1 } }, count }
}

async function countThere(operator: Operator, ids: readonly number[]): Promise<number> {
  let count = 0
  for (const id of ids) if (await operator.get(id)) count++
  return count
}
