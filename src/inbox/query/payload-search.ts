import type { PathCondition } from './query.ts'

/** Names in a path, and lists within lists, that a payload is looked into for. */
const deepest = 50
/** Values of a payload that are looked at, for all conditions together: only one that is made to be slow has more. */
const mostValues = 5_000_000

/** Whether a payload has all of these. Texts are compared without regard to case, all else as JSON writes it. */
export function matchesPaths(data: unknown, conditions: readonly PathCondition[]): boolean {
  const look: Look = { left: mostValues }
  return conditions.every(({ path, value }) => {
    return path.length <= deepest && hasValue(data, { path, value: value.toLowerCase(), look }, 0, 0)
  })
}

interface Look {
  left: number
}

interface Sought extends PathCondition {
  look: Look
}

/** @param at How much of the path leads here. */
function hasValue(data: unknown, sought: Sought, at: number, depth: number): boolean {
  if (depth > deepest || sought.look.left-- <= 0) return false
  if (Array.isArray(data)) return data.some((item) => hasValue(item, sought, at, depth + 1))
  const isObject = typeof data === 'object' && data !== null
  const name = sought.path[at]
  if (name === undefined) return !isObject && String(data).toLowerCase() === sought.value
  if (!isObject || !Object.hasOwn(data, name)) return false
  return hasValue((data as Record<string, unknown>)[name], sought, at + 1, depth + 1)
}
