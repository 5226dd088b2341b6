import { type Expression, expressionsOf, isWord, type Query, testsIn } from './query.ts'

/** Deliveries in a page: the default and the maximum. */
const [defaultLimit, maxLimit] = [50, 500]
/** Milliseconds to search for the deliveries of a page: the default and the maximum. */
const [defaultBudget, maxBudget] = [30, 1000]
/**
 * The maximum number of conditions that search a text or a payload, and of all tests. Each takes time for every delivery
 * that the store examines.
 */
const [maxConditions, maxTests] = [20, 100]

/** Maximum deliveries that are examined between two checks of the time. */
export const scanStep = 2000

/** Columns that a store reads from other tables, which takes as long as many tests of other columns. */
const slowColumns: readonly string[] = ['handler', 'error', 'word', 'duration']

/** How many deliveries to examine between two checks of the time, so that many slow tests take no longer than one. */
export function stepSize(expressions: readonly Expression[]): number {
  const slow = expressions.flatMap(testsIn).filter(({ column }) => slowColumns.includes(column))
  return Math.ceil(scanStep / Math.max(1, slow.length))
}

/**
 * The limits of a query, or their defaults: the deliveries of a page, and the milliseconds to search for them.
 * @throws {RangeError} if the query has too many conditions, or a word that `isWord` rejects.
 */
export function pageBounds(query: Query): { limit: number; budget: number } {
  const excess = excessOf(query)
  if (excess) throw new RangeError(`A query may have ${excess}`)
  const texts = expressionsOf(query)
    .flatMap(testsIn)
    .map((test) => ('contains' in test ? test.contains : 'x'))
  if (!texts.every(isWord)) throw new RangeError('A word in a query must not be empty or have control characters')
  const { limit, budget } = query
  return { limit: clamp(limit, defaultLimit, maxLimit), budget: clamp(budget, defaultBudget, maxBudget) }
}

/** The limit that a query exceeds, and by how much; `undefined` if it has few enough conditions. */
export function excessOf(query: Query): string | undefined {
  const tests = expressionsOf(query).flatMap(testsIn)
  const searching = tests.filter((test) => 'contains' in test).length + (query.paths?.length ?? 0)
  if (searching > maxConditions) return `at most ${maxConditions} words and paths, got ${searching}`
  return tests.length > maxTests ? `at most ${maxTests} values, got ${tests.length}` : undefined
}

/** A whole number from 1 to `max`. The default replaces a value that is missing, below 1 or NaN. */
export function clamp(value: number | undefined, defaultValue: number, max: number): number {
  return value !== undefined && value >= 1 ? Math.min(Math.floor(value), max) : defaultValue
}

/** The SQL `like` pattern that finds a word anywhere in a text; the escape character is a backslash. */
export function likePattern(word: string): string {
  return `%${word.replace(/[\\%_]/g, '\\$&')}%`
}
