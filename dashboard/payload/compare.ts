import diff, { type Difference } from 'microdiff'
import { type Container, isContainer } from './body.ts'
import { pathOf } from './path.ts'

/** Maximum number of changes that are shown. All are counted. */
export const maxChanges = 300
/** Characters of a value that are shown. */
const maxText = 300

export interface Change {
  kind: 'added' | 'removed' | 'changed'
  path: string
  before: string | undefined
  after: string | undefined
}

export interface Comparison {
  changes: Change[]
  counts: Record<Change['kind'], number>
}

const kinds = { CREATE: 'added', REMOVE: 'removed', CHANGE: 'changed' } as const

/** The differences of two payloads, member by member. @throws {Error} if they are nested too deeply. */
export function compare(before: Container, after: Container): Comparison {
  for (const value of [before, after]) withoutPrototypes(value)
  let differences: Difference[]
  try {
    // Wrapped in a list, so that payloads of different types are compared like any two values.
    differences = diff([before], [after], { cyclesFix: false })
  } catch (error) {
    throw new Error('The payloads are nested too deeply to compare', { cause: error })
  }
  const counts = { added: 0, removed: 0, changed: 0 }
  for (const { type } of differences) counts[kinds[type]] += 1
  return { counts, changes: differences.slice(0, maxChanges).map(changeOf) }
}

function changeOf(difference: Difference): Change {
  return {
    kind: kinds[difference.type],
    path: pathOf(difference.path.slice(1)),
    before: 'oldValue' in difference ? textOf(difference.oldValue) : undefined,
    after: 'value' in difference ? textOf(difference.value) : undefined,
  }
}

function textOf(value: unknown): string {
  try {
    const text = typeof value === 'string' ? JSON.stringify(value.slice(0, maxText)) : JSON.stringify(value)
    return text.length > maxText ? `${text.slice(0, maxText)}…` : text
  } catch {
    return 'nested too deeply to show'
  }
}

/** Removes the prototypes: the library tests `name in object`, which finds `constructor` and `__proto__` in them. */
function withoutPrototypes(value: Container): void {
  const left: Container[] = [value]
  for (let at = left.pop(); at; at = left.pop()) {
    if (!Array.isArray(at)) Object.setPrototypeOf(at, null)
    for (const member of Array.isArray(at) ? at : Object.values(at)) if (isContainer(member)) left.push(member)
  }
}
