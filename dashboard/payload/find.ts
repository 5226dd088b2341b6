import { type Container, isContainer } from './body.ts'

/** Maximum number of hits. */
export const maxHits = 10_000

/** The path of a hit: its index in its parent, its parent's index, and so on up to the root. */
export interface Trail {
  up: Trail | undefined
  index: number
}

/** A case-insensitive pattern for a text. */
export const patternOf = (text: string, flags = 'iu'): RegExp =>
  new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), flags)

/** Values that are searched between two pauses. */
const valuesPerPause = 500

/**
 * Searches names and values in the order of the payload. Yields `undefined` regularly, so that the caller can pause.
 */
export function* hitsIn(value: Container, pattern: RegExp): Generator<Trail | undefined, void, void> {
  interface Level {
    value: Container
    keys: readonly string[] | undefined
    next: number
    trail: Trail | undefined
  }
  const levelOf = (inner: Container, trail: Trail | undefined): Level => ({
    value: inner,
    keys: Array.isArray(inner) ? undefined : Object.keys(inner),
    next: 0,
    trail,
  })
  const levels = [levelOf(value, undefined)]
  let looked = 0
  for (let level = levels.at(-1); level; level = levels.at(-1)) {
    const { keys } = level
    const index = level.next++
    if (index >= (keys?.length ?? (level.value as unknown[]).length)) {
      levels.pop()
      continue
    }
    const key = keys?.[index]
    const member = key === undefined ? (level.value as unknown[])[index] : (level.value as Record<string, unknown>)[key]
    const trail = { up: level.trail, index }
    const isHit = (key !== undefined && pattern.test(key)) || (!isContainer(member) && pattern.test(String(member)))
    if (isHit) yield trail
    if (isContainer(member)) levels.push(levelOf(member, trail))
    if (++looked % valuesPerPause === 0) yield undefined
  }
}

/** The indices on the path from the root to the hit. */
export function indicesOf(trail: Trail): number[] {
  const indices: number[] = []
  for (let at: Trail | undefined = trail; at; at = at.up) indices.push(at.index)
  return indices.reverse()
}
