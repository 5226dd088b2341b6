import { deliveryStates } from '../../src/inbox/records.ts'
import { get } from '../api/client.ts'
import { quoted } from '../ui/search.ts'
import { meaningOf } from '../ui/state.tsx'

/** A suggestion of the search box. */
export interface Suggestion {
  text: string
  says?: string
}

/** The names of conditions. */
const names: readonly Suggestion[] = [
  { text: 'state:', says: 'dead, done, dead,retrying, …' },
  { text: 'event:', says: 'push, issues.opened, pull_request*, …' },
  { text: 'repo:', says: 'owner/name, owner/*' },
  { text: 'org:', says: 'owner of the repository' },
  { text: 'sender:', says: 'user who triggered the event' },
  { text: 'since:', says: 'received since: 2h, today, 2026-01-31' },
  { text: 'until:', says: 'received before: 2h, today, 2026-01-31' },
  { text: 'number:', says: 'number of an issue or pull request' },
  { text: 'branch:', says: 'branch, also of pull requests and runs' },
  { text: 'tag:', says: 'tag, also of releases' },
  { text: 'ref:', says: 'the exact ref, such as refs/heads/main' },
  { text: 'sha:', says: 'commit, at least 4 digits' },
  { text: 'error:', says: 'text in the latest error' },
  { text: 'failure:', says: 'id of a failure group' },
  { text: 'title:', says: 'text in the title' },
  { text: 'duration:', says: '>5s, <200ms' },
  { text: 'handler:', says: 'name of a handler' },
  { text: 'source:', says: 'path or name of the receiving mount' },
  { text: 'guid:', says: 'X-GitHub-Delivery' },
  { text: 'is:', says: 'gone, retried, replayed, …' },
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
  { text: 'gone', says: 'the handler of a task is no longer registered, or no longer matches' },
  { text: 'retried', says: 'a handler has run more than once' },
]

const durations: readonly Suggestion[] = [
  { text: '>1s', says: 'more than a second' },
  { text: '>10s', says: 'more than 10 seconds' },
  { text: '>1m', says: 'more than a minute' },
]

const fixed: ReadonlyMap<string, readonly Suggestion[]> = new Map([
  ['state', deliveryStates.map((text) => ({ text, says: meaningOf(text) }))],
  ['since', times],
  ['until', times],
  ['is', flags],
  ['duration', durations],
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

/**
 * Suggestions for the word at the caret. A minus before a name, and the values before the last comma, stay: a suggestion
 * completes the rest.
 */
export async function suggestionsFor(word: string, signal: AbortSignal): Promise<Suggestion[]> {
  const colon = word.indexOf(':')
  const minus = word.startsWith('-') ? '-' : ''
  if (colon < 0) {
    const typed = word.slice(minus.length).toLowerCase()
    const found = names.filter(({ text }) => text.startsWith(typed) && text !== word)
    return found.map((one) => ({ ...one, text: minus + one.text }))
  }
  const name = word.slice(minus.length, colon)
  const comma = word.lastIndexOf(',')
  const before = comma > colon ? word.slice(colon + 1, comma + 1) : ''
  const value = word.slice(colon + 1 + before.length).replaceAll('"', '')
  const found =
    fixed.get(name)?.filter(({ text }) => text.startsWith(value)) ?? (await knownValues(name, value, signal))
  return found.map((one) => ({ ...one, text: before + quoted(one.text) }))
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
