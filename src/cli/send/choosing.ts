import { isKnownName, splitName } from '../../events.ts'
import { type Sample, samples } from '../../samples/index.ts'
import { UsageError } from '../errors.ts'

/** Whether every sample is meant. */
export const isAll = (name: string): boolean => name === '*' || name === 'all'

/** The samples of `event`, of `event.action`, or all of them. @throws {UsageError} that lists what there is. */
export function chooseSamples(name: string): Sample[] {
  const found = samples(isAll(name) ? undefined : name)
  if (found.length > 0) return found
  const [event, action] = splitName(name)
  const siblings = samples(event)
  const known = isKnownName(name) ? 'GitHub does send it: --file takes a payload, --set changes another sample. ' : ''
  const [what, there] =
    siblings.length > 0
      ? [`There is no sample of ${event} with the action "${action}". `, nearFirst(name, siblings.map(nameOf))]
      : [`There is no sample of an event "${event}". `, nearFirst(event, allEvents())]
  throw new UsageError(`${what}${known}There are: ${there.join(', ')}`)
}

export const nameOf = ({ event, action }: Pick<Sample, 'event' | 'action'>): string =>
  action === undefined ? event : `${event}.${action}`

/** Every name that has a sample: events, and events with their actions. */
export const sampleNames = (): string[] => [...new Set(samples().flatMap((one) => [one.event, nameOf(one)]))]

const allEvents = () => samples().map(({ event }) => event)

/** Those that look like `name` first, the others by the alphabet. */
function nearFirst(name: string, names: readonly string[]): string[] {
  const tooFar = Math.max(3, name.length / 3)
  const ranks = new Map(names.map((one) => [one, Math.min(tooFar, one.startsWith(name) ? 1 : distance(name, one))]))
  return [...ranks].toSorted(([a, rankOfA], [b, rankOfB]) => rankOfA - rankOfB || (a < b ? -1 : 1)).map(([one]) => one)
}

/** How many characters must be added, left out or replaced to make one of the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, char] of [...a].entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (char === b[j] ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
