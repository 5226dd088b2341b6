import { describeUnknown, isKnownName, knownNames } from '../../events.ts'
import type { Query } from './query.ts'

/** Likely mistakes in a search that found nothing: events that GitHub does not send. */
export function hintsFor({ event, action }: Query): string[] {
  if (event === undefined) return []
  const name = action === undefined ? event : `${event}.${action}`
  if (isKnownName(name)) return []
  const candidates = action === undefined ? knownNames().filter((one) => !one.includes('.')) : knownNames()
  return [describeUnknown(name, 'check that GitHub sends it.', candidates)]
}
