import { isWord, type Query } from './query.ts'

/** Deliveries in a page. */
const [defaultLimit, maxLimit] = [50, 500]
/** Milliseconds. */
const [defaultBudget, maxBudget] = [30, 1000]
/** Conditions of a query: each takes time for every delivery that is examined. */
const maxConditions = 20

/** Deliveries examined between two checks of the time. */
export const scanStep = 2000

/**
 * Maximum deliveries of a page, and maximum milliseconds to find them.
 * @throws {RangeError} if the query has too many conditions, or a word that `isWord` rejects.
 */
export function pageBounds({ limit, budget, words = [], paths = [] }: Query): { most: number; ms: number } {
  if (words.length + paths.length > maxConditions) {
    throw new RangeError(`A query may have ${maxConditions} words and paths, got ${words.length + paths.length}`)
  }
  if (!words.every(isWord)) throw new RangeError('A word in a query must not be empty or have control characters')
  return { most: clamp(limit, defaultLimit, maxLimit), ms: clamp(budget, defaultBudget, maxBudget) }
}

/** A whole number from 1 to `max`. Values below 1 and NaN count as missing. */
function clamp(value: number | undefined, defaultValue: number, max: number): number {
  return value !== undefined && value >= 1 ? Math.min(Math.floor(value), max) : defaultValue
}

/** The SQL `like` pattern that finds a word anywhere in a text; the escape character is a backslash. */
export function likePattern(word: string): string {
  return `%${word.replace(/[\\%_]/g, '\\$&')}%`
}
