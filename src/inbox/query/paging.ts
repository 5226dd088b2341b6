import { decodeField, encodedField } from '../../runtime/untrusted-text.ts'
import { estimateParsedSize } from '../parsed-size.ts'
import { matchesPayload } from './payload-search.ts'
import { isWord, type PathCondition, type Query } from './query.ts'

/** Deliveries in a page. */
const [defaultLimit, maxLimit] = [50, 500]
/** Milliseconds. */
const [defaultBudget, maxBudget] = [30, 1000]
/** Conditions that a query may have: each costs, for every delivery that is looked at. */
const maxConditions = 20

/** Deliveries that are looked at between two looks at the clock. */
export const scanStep = 2000

/**
 * How many deliveries a page may have, and how many milliseconds it may take.
 * @throws {RangeError} if the query has too many conditions, or a word that is none.
 */
export function pageBounds({ limit, budget, words = [], paths = [] }: Query): { most: number; ms: number } {
  if (words.length + paths.length > maxConditions) {
    throw new RangeError(`A query may have ${maxConditions} words and paths, and not ${words.length + paths.length}`)
  }
  if (!words.every(isWord)) throw new RangeError('A word in a query must not be empty or have control characters')
  return { most: within(limit, defaultLimit, maxLimit), ms: within(budget, defaultBudget, maxBudget) }
}

/** A whole number from 1 on; whatever is none counts as not given. */
function within(given: number | undefined, usual: number, most: number): number {
  return given !== undefined && given >= 1 ? Math.min(Math.floor(given), most) : usual
}

/** Whether a payload fulfils the conditions of a query. A page counts those that are `too large`. */
export type PayloadMatch = 'yes' | 'no' | 'too large'

/**
 * Looks into a payload. One that does not parse has no members; one that may not fit into memory is not parsed.
 * @param limit Bytes that it may need once it is parsed.
 */
export function matchPayload(
  { form, body }: { form: 'json' | 'form'; body: () => Uint8Array },
  paths: readonly PathCondition[],
  limit: number,
): PayloadMatch {
  try {
    const bytes = body()
    if (estimateParsedSize(bytes, form) > limit) return 'too large'
    const text = new TextDecoder().decode(bytes)
    const data: unknown = JSON.parse(form === 'json' ? text : decodeField(encodedField(text, 'payload') ?? ''))
    return matchesPayload(data, paths) ? 'yes' : 'no'
  } catch {
    return 'no'
  }
}

/** What a word is looked for in is `like` this, with a backslash before what `like` does not take literally. */
export function likePattern(word: string): string {
  return `%${word.replace(/[\\%_]/g, '\\$&')}%`
}
