import type { Page } from '../records.ts'
import { isWord, type Query, type Selection } from './query.ts'

/** Deliveries in a page: the default and the maximum. */
const [defaultLimit, maxLimit] = [50, 500]
/** Milliseconds to search for the deliveries of a page: the default and the maximum. */
const [defaultBudget, maxBudget] = [30, 1000]
/**
 * The maximum number of conditions of a query. Each condition takes time for every delivery that the store examines.
 */
const maxConditions = 20

/** Deliveries examined between two checks of the time. */
export const scanStep = 2000

/**
 * The limits of a query, or their defaults: the deliveries of a page, and the milliseconds to search for them.
 * @throws {RangeError} if the query has too many conditions, or a word that `isWord` rejects.
 */
export function pageBounds({ limit, budget, words = [], paths = [] }: Query): { limit: number; budget: number } {
  if (words.length + paths.length > maxConditions) {
    throw new RangeError(
      `A query may have at most ${maxConditions} words and paths, got ${words.length + paths.length}`,
    )
  }
  if (!words.every(isWord)) throw new RangeError('A word in a query must not be empty or have control characters')
  return { limit: clamp(limit, defaultLimit, maxLimit), budget: clamp(budget, defaultBudget, maxBudget) }
}

/** A whole number from 1 to `max`. The default replaces a value that is missing, below 1 or NaN. */
function clamp(value: number | undefined, defaultValue: number, max: number): number {
  return value !== undefined && value >= 1 ? Math.min(Math.floor(value), max) : defaultValue
}

/** The SQL `like` pattern that finds a word anywhere in a text; the escape character is a backslash. */
export function likePattern(word: string): string {
  return `%${word.replace(/[\\%_]/g, '\\$&')}%`
}

/** Maximum deliveries of a query that are changed together, in one transaction. */
const batchSize = 500

/**
 * Calls `act` once for a list of ids. For a query, calls `act` once for each page of deliveries, so that no transaction
 * holds locks for long.
 * @returns the sum of the results of `act`.
 */
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
