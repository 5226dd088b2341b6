import { isKnownName, splitName } from '../../events.ts'
import { type Sample, samples } from '../../samples/index.ts'
import { UsageError } from '../errors.ts'
import { eventName } from '../format.ts'

export const isAll = (name: string): boolean => name === '*' || name === 'all'

/** The samples of `event`, of `event.action`, or all of them. @throws {UsageError} that lists the available names. */
export function chooseSamples(name: string): Sample[] {
  const found = samples(isAll(name) ? undefined : name)
  if (found.length > 0) return found
  const [event, action] = splitName(name)
  const siblings = samples(event)
  const known = isKnownName(name)
    ? 'GitHub does send it: use --file with a payload, or --set with another sample. '
    : ''
  const [message, available] =
    siblings.length > 0
      ? [`There is no sample of ${event} with the action "${action}". `, nearestFirst(name, siblings.map(eventName))]
      : [`There is no sample of an event "${event}". `, nearestFirst(event, allEvents())]
  throw new UsageError(`${message}${known}There are: ${available.join(', ')}`)
}

/** Every name that has a sample: events, and events with their actions. */
export const sampleNames = (): string[] => [...new Set(samples().flatMap((one) => [one.event, eventName(one)]))]

const allEvents = () => samples().map(({ event }) => event)

/** Names similar to `name` first, the others in alphabetical order. */
function nearestFirst(name: string, names: readonly string[]): string[] {
  const maxDistance = Math.max(3, name.length / 3)
  const ranks = new Map(
    names.map((one) => [one, Math.min(maxDistance, one.startsWith(name) ? 1 : editDistance(name, one))]),
  )
  return [...ranks].toSorted(([a, rankOfA], [b, rankOfB]) => rankOfA - rankOfB || (a < b ? -1 : 1)).map(([one]) => one)
}

/** Levenshtein distance: characters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
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
