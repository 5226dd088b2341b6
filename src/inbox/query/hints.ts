import { describeUnknown, isKnownName, knownNames } from '../../events.ts'
import { suggestion } from '../../runtime/nearest.ts'
import { columnNames, type Query } from './query.ts'

/** Likely mistakes in a search that found nothing: an event that GitHub does not send, or a misspelled column. */
export function hintsFor({ event, action, paths = [] }: Query): string[] {
  const hints: string[] = []
  if (event !== undefined) {
    const name = action === undefined ? event : `${event}.${action}`
    const candidates = action === undefined ? knownNames().filter((one) => !one.includes('.')) : knownNames()
    if (!isKnownName(name)) hints.push(describeUnknown(name, 'check that GitHub sends it.', candidates))
  }
  for (const { path } of paths) {
    const [name = '', ...more] = path
    const correction = more.length === 0 ? suggestion(name, columnNames) : ''
    if (correction !== '') hints.push(`"${name}:" searches the payloads.${correction}`)
  }
  return hints
}
