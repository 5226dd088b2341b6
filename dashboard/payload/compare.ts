import diff, { type Difference } from 'microdiff'
import { type Container, isContainer } from './body.ts'
import { pathOf } from './path.ts'

/** Changes that are shown; of the rest there is the count. */
export const mostChanges = 300
/** Characters that are shown of a value. */
const mostText = 300

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

/**
 * What is different between two payloads, member by member.
 * @throws {Error} if they are nested so deeply that they cannot be compared.
 */
export function compared(before: Container, after: Container): Comparison {
  for (const value of [before, after]) withoutPrototypes(value)
  let differences: Difference[]
  try {
    // In a list, so that two payloads that are not of one kind are compared as any two values are.
    differences = diff([before], [after], { cyclesFix: false })
  } catch (error) {
    throw new Error('They are nested too deeply to be compared', { cause: error })
  }
  const counts = { added: 0, removed: 0, changed: 0 }
  for (const { type } of differences) counts[kinds[type]] += 1
  return { counts, changes: differences.slice(0, mostChanges).map(changeOf) }
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
    const text = typeof value === 'string' ? JSON.stringify(value.slice(0, mostText)) : JSON.stringify(value)
    return text.length > mostText ? `${text.slice(0, mostText)}…` : text
  } catch {
    return 'nested too deeply to be shown'
  }
}

/** The library asks `name in object`, and every object has a `constructor` and a `__proto__` from its prototype. */
function withoutPrototypes(value: Container): void {
  const left: Container[] = [value]
  for (let at = left.pop(); at; at = left.pop()) {
    if (!Array.isArray(at)) Object.setPrototypeOf(at, null)
    for (const member of Array.isArray(at) ? at : Object.values(at)) if (isContainer(member)) left.push(member)
  }
}
