import { keepDigits } from '../../runtime/json.ts'
import { decodeField, encodedField } from '../../runtime/untrusted-text.ts'
import { estimateParsedSize } from '../parsed-size.ts'
import type { PathCondition } from './query.ts'

/** Maximum number of names in a path, and maximum depth of the search in a payload. */
const maxDepth = 50
/**
 * Maximum values that are examined for all conditions together. Only a payload made to slow the search down has more.
 */
const maxValues = 5_000_000

/** Whether a payload meets the conditions of a query. A page counts the payloads that are `too large`. */
export type PayloadMatch = 'yes' | 'no' | 'too large'

/**
 * Searches a payload. A payload that cannot be parsed does not match. One that may need too much memory is `too large`,
 * and is not parsed.
 * @param limit Maximum bytes of the parsed payload.
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
    const json = form === 'json' ? text : decodeField(encodedField(text, 'payload') ?? '')
    if (matchesPayload(JSON.parse(json), paths)) return 'yes'
    // `JSON.parse` rounds large integers. The dashboard shows and searches the rounded ones, so both match.
    const isLarge = paths.some(({ value }) => /^-?\d{16,}$/.test(value))
    return isLarge && matchesPayload(JSON.parse(json, keepDigits), paths) ? 'yes' : 'no'
  } catch {
    return 'no'
  }
}

/** Whether a payload meets all conditions. All values are compared as texts, case-insensitively. */
export function matchesPayload(data: unknown, conditions: readonly PathCondition[]): boolean {
  const budget: ScanBudget = { left: maxValues }
  return conditions.every(({ path, value }) => {
    return path.length <= maxDepth && hasValue(data, { path, value: value.toLowerCase(), budget }, 0, 0)
  })
}

interface ScanBudget {
  left: number
}

interface Search extends PathCondition {
  budget: ScanBudget
}

/** @param at How many names of the path lead to `data`. */
function hasValue(data: unknown, search: Search, at: number, depth: number): boolean {
  if (depth > maxDepth || search.budget.left-- <= 0) return false
  if (Array.isArray(data)) return data.some((item) => hasValue(item, search, at, depth + 1))
  const isObject = typeof data === 'object' && data !== null
  const name = search.path[at]
  if (name === undefined) return !isObject && String(data).toLowerCase() === search.value
  if (!isObject || !Object.hasOwn(data, name)) return false
  return hasValue((data as Record<string, unknown>)[name], search, at + 1, depth + 1)
}
