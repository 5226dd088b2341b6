import { isWord, type Query } from './query.ts'

/** Deliveries in a page. */
const [defaultLimit, mostLimit] = [50, 500]
/** Milliseconds. */
const [defaultBudget, mostBudget] = [30, 1000]
/** Conditions that a query may have: each costs, for every delivery that is looked at. */
const mostConditions = 20

/** Deliveries that are looked at between two looks at the clock. */
export const step = 2000

/**
 * How many deliveries a page may have, and how many milliseconds it may take.
 * @throws {RangeError} if the query has too many conditions, or a word that is none.
 */
export function boundsOf({ limit, budget, words = [], paths = [] }: Query): { most: number; ms: number } {
  if (words.length + paths.length > mostConditions) {
    throw new RangeError(`A query may have ${mostConditions} words and paths, and not ${words.length + paths.length}`)
  }
  if (!words.every(isWord)) throw new RangeError('A word in a query must not be empty or have control characters')
  return { most: within(limit, defaultLimit, mostLimit), ms: within(budget, defaultBudget, mostBudget) }
}

/** A whole number from 1 on; whatever is none counts as not given. */
function within(given: number | undefined, usual: number, most: number): number {
  return given !== undefined && given >= 1 ? Math.min(Math.floor(given), most) : usual
}

/** A payload to look for paths in. What does not parse has no members. */
export function searchedPayload(form: 'json' | 'form', body: () => Uint8Array): unknown {
  try {
    const text = new TextDecoder().decode(body())
    return JSON.parse(form === 'json' ? text : (new URLSearchParams(text).get('payload') ?? ''))
  } catch {
    return undefined
  }
}

/** What a word is looked for in is `like` this, with a backslash before what `like` does not take literally. */
export function patternOf(word: string): string {
  return `%${word.replace(/[\\%_]/g, '\\$&')}%`
}
