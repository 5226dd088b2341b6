import type { PathCondition } from './query.ts'

/** Names in a path, and lists within lists, that a payload is looked into for. */
const maxDepth = 50
/** Values of a payload that are looked at, for all conditions together: only one that is made to be slow has more. */
const maxValues = 5_000_000

/** Whether a payload has all of these. Texts are compared without regard to case, all else as JSON writes it. */
export function matchesPayload(data: unknown, conditions: readonly PathCondition[]): boolean {
  const look: ScanBudget = { left: maxValues }
  return conditions.every(({ path, value }) => {
    return path.length <= maxDepth && hasValue(data, { path, value: value.toLowerCase(), look }, 0, 0)
  })
}

interface ScanBudget {
  left: number
}

interface Search extends PathCondition {
  look: ScanBudget
}

/** @param at How much of the path leads here. */
function hasValue(data: unknown, sought: Search, at: number, depth: number): boolean {
  if (depth > maxDepth || sought.look.left-- <= 0) return false
  if (Array.isArray(data)) return data.some((item) => hasValue(item, sought, at, depth + 1))
  const isObject = typeof data === 'object' && data !== null
  const name = sought.path[at]
  if (name === undefined) return !isObject && String(data).toLowerCase() === sought.value
  if (!isObject || !Object.hasOwn(data, name)) return false
  return hasValue((data as Record<string, unknown>)[name], sought, at + 1, depth + 1)
}
