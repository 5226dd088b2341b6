import { deliveryStates } from '../../src/inbox/records.ts'
import { get } from '../api/client.ts'
import { meaningOf } from '../ui/state.tsx'

/** A suggestion of the search box. */
export interface Suggestion {
  text: string
  says?: string
}

/** The names of conditions. */
const names: readonly Suggestion[] = [
  { text: 'state:', says: 'dead, done, retrying, …' },
  { text: 'event:', says: 'push, issues.opened, …' },
  { text: 'repo:', says: 'owner/name' },
  { text: 'sender:', says: 'user who triggered the event' },
  { text: 'since:', says: 'received since: 2h, today, 2026-01-31' },
  { text: 'until:', says: 'received before: 2h, today, 2026-01-31' },
  { text: 'number:', says: 'number of an issue or pull request' },
  { text: 'ref:', says: 'branch or tag' },
  { text: 'sha:', says: 'commit' },
  { text: 'handler:', says: 'name of a handler' },
  { text: 'source:', says: 'path or name of the receiving mount' },
  { text: 'guid:', says: 'X-GitHub-Delivery' },
  { text: 'is:', says: 'conflict, replayed, pulled' },
  { text: 'pull_request.number:', says: 'any path in the payload' },
]

/** Points in time, for `since:` and `until:`. */
const times: readonly Suggestion[] = [
  { text: '1h', says: 'an hour ago' },
  { text: '24h', says: '24 hours ago' },
  { text: '7d', says: '7 days ago' },
  { text: 'today', says: 'start of today' },
  { text: 'yesterday', says: 'start of yesterday' },
]

const flags: readonly Suggestion[] = [
  { text: 'conflict', says: 'an earlier delivery with the same GUID has different bytes' },
  { text: 'replayed', says: 'an earlier delivery with another GUID or event has the same bytes' },
  { text: 'pulled', says: 'fetched from GitHub’s API' },
]

const fixed: ReadonlyMap<string, readonly Suggestion[]> = new Map([
  ['state', deliveryStates.map((text) => ({ text, says: meaningOf(text) }))],
  ['since', times],
  ['until', times],
  ['is', flags],
])

/** Columns whose values the server can list. The keys are the names of the conditions. */
const columns: ReadonlyMap<string, string> = new Map([
  ['event', 'event'],
  ['repo', 'repository'],
  ['sender', 'sender'],
  ['source', 'source'],
  ['ref', 'ref'],
  ['handler', 'handler'],
])

/** Suggestions for the word at the caret. */
export async function suggestionsFor(word: string, signal: AbortSignal): Promise<Suggestion[]> {
  const colon = word.indexOf(':')
  if (colon < 0) return names.filter(({ text }) => text.startsWith(word.toLowerCase()) && text !== word)
  const [name, value] = [word.slice(0, colon), word.slice(colon + 1).replaceAll('"', '')]
  return fixed.get(name)?.filter(({ text }) => text.startsWith(value)) ?? knownValues(name, value, signal)
}

/** The values of a column that start with a text; none if the request fails, because suggestions are optional. */
export async function knownValues(name: string, prefix: string, signal: AbortSignal): Promise<Suggestion[]> {
  const column = columns.get(name)
  if (column === undefined) return []
  try {
    const { values } = await get<{ values: string[] }>('values', { column, prefix, limit: 20 }, signal)
    return values.map((text) => ({ text }))
  } catch {
    return []
  }
}
