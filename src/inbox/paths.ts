import type { PathCondition } from './query.ts'

/** Whether a payload has all of these. Texts are compared without regard to case, all else as JSON writes it. */
export function matchesPaths(data: unknown, conditions: readonly PathCondition[]): boolean {
  return conditions.every(({ path, value }) => hasValue(data, path, value.toLowerCase()))
}

/** Lists within lists are looked into only so far. */
const deepest = 50

function hasValue(data: unknown, path: readonly string[], value: string, depth = 0): boolean {
  if (depth > deepest) return false
  if (Array.isArray(data)) return data.some((item) => hasValue(item, path, value, depth + 1))
  const [name, ...rest] = path
  if (name === undefined) return (data === null || typeof data !== 'object') && String(data).toLowerCase() === value
  return typeof data === 'object' && data !== null && Object.hasOwn(data, name)
    ? hasValue((data as Record<string, unknown>)[name], rest, value, depth + 1)
    : false
}
