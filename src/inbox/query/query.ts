import { parseDuration } from '../../runtime/units.ts'
import { type DeliveryState, deliveryStates } from '../records.ts'

/** Flags of a delivery. */
export const queryFlags = ['conflict', 'replayed', 'pulled'] as const

/**
 * The conditions of a search, and the page of its results to return. The search finds the deliveries that meet all
 * conditions. `before`, `limit` and `budget` select the page.
 */
export interface Query {
  state?: DeliveryState | undefined
  event?: string | undefined
  action?: string | undefined
  repository?: string | undefined
  sender?: string | undefined
  source?: string | undefined
  guid?: string | undefined
  ref?: string | undefined
  sha?: string | undefined
  number?: number | undefined
  /** Deliveries that have a task of this handler. */
  handler?: string | undefined
  /** Deliveries with this flag. */
  flag?: (typeof queryFlags)[number] | undefined
  /** Received at this time or later, in milliseconds since 1970. */
  since?: number | undefined
  /** Received before this time. */
  until?: number | undefined
  /**
   * Texts. Each must occur in event, action, repository, sender, title, ref, sha, GUID or number, case-insensitively;
   * see {@link isWord}.
   */
  words?: readonly string[] | undefined
  /** Values that the payload must contain. */
  paths?: readonly PathCondition[] | undefined
  /** Only deliveries with a smaller id than this. For the next page, `next` of the previous page. */
  before?: number | undefined
  /** Maximum deliveries in a page: 1 to 500. Default: 50. */
  limit?: number | undefined
  /** Milliseconds after which a page is returned although it is not full: 1 to 1000. Default: 30. */
  budget?: number | undefined
}

/** The deliveries that an operation changes. */
export type Selection = { ids: readonly number[] } | { query: Query }

/** A member of a payload and its value; a list matches if one of its items matches. */
export interface PathCondition {
  path: readonly string[]
  value: string
}

/** An invalid condition. */
export interface QueryFault {
  name: string
  expected: string
}

/** All invalid conditions of a search. */
export class QueryError extends Error {
  readonly faults: readonly QueryFault[]

  constructor(faults: readonly QueryFault[]) {
    super(faults.map(({ name, expected }) => `${name}: expected ${expected}`).join('; '))
    this.name = 'QueryError'
    this.faults = faults
  }
}

interface Column {
  /** Describes the valid values. */
  expected: string
  /** @returns nothing if the value is invalid. */
  read(value: string, now: number): Query | undefined
}

const choiceColumn = <Choice extends string>(choices: readonly Choice[], of: (choice: Choice) => Query): Column => ({
  expected: `one of ${choices.join(', ')}`,
  read(value) {
    const choice = choices.find((one) => one === value)
    return choice && of(choice)
  },
})

const textColumn = (of: (value: string) => Query): Column => ({ expected: 'a text', read: of })

/** Describes the valid forms of a timestamp. */
export const expectedTimestamp =
  'milliseconds since 1970, a date such as 2026-01-31 or 2026-01-31T12:00:00Z, or an age such as 2h or 7d'

const timestampColumn = (of: (timestamp: number) => Query): Column => ({
  expected: expectedTimestamp,
  read(value, now) {
    const timestamp = parseTimestamp(value, now)
    return timestamp === undefined ? undefined : of(timestamp)
  },
})

const numberColumn: Column = {
  expected: 'a whole number',
  read(value) {
    const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
    return Number.isSafeInteger(number) ? { number } : undefined
  },
}

const repository = textColumn((value) => ({ repository: value }))
const flag = choiceColumn(queryFlags, (value) => ({ flag: value }))

/** The names that mean a column in `name:value`. Any other name is a path in the payload. */
const columns: ReadonlyMap<string, Column> = new Map(
  Object.entries({
    state: choiceColumn(deliveryStates, (state) => ({ state })),
    event: textColumn(eventAndAction),
    action: textColumn((action) => ({ action })),
    repository,
    repo: repository,
    sender: textColumn((sender) => ({ sender })),
    source: textColumn((source) => ({ source })),
    guid: textColumn((guid) => ({ guid })),
    ref: textColumn((ref) => ({ ref })),
    sha: textColumn((sha) => ({ sha })),
    number: numberColumn,
    handler: textColumn((handler) => ({ handler })),
    is: flag,
    flag,
    since: timestampColumn((since) => ({ since })),
    until: timestampColumn((until) => ({ until })),
  }),
)

export const columnNames: readonly string[] = [...columns.keys()]

/** Whether a name before a colon means a column, and not a path in the payload. */
export const isColumn = (name: string): boolean => columns.has(name)

/**
 * Whether a text is valid as a word of a search. An empty text would match every delivery, and in some stores so would
 * a line feed or NUL. An operator who retries the deliveries of such a search would retry all deliveries.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: with \p{Cc}, importing this module would take 0.1 ms longer
export const isWord = (text: string): boolean => text !== '' && !/[\x00-\x1f\x7f-\x9f]/u.test(text)

const expectedWord = 'a word that is not empty and has no control characters'

/** Parses the form that lists show, `issues.opened`. The action follows the first dot: GitHub's events have no dots. */
export function eventAndAction(text: string): Query {
  const dot = text.indexOf('.')
  const isBoth = dot > 0 && dot < text.length - 1
  return isBoth ? { event: text.slice(0, dot), action: text.slice(dot + 1) } : { event: text }
}

/**
 * Parses a search: words, `column:value` for the columns of a list, and `path:value` for the payload, as in
 * `pull_request.user.login:octocat`. Quotes join words: `title:"a b"`. If a column occurs twice, the last value counts.
 * A blank text gives a query without conditions. Any other text has at least one condition, or is rejected.
 * @param now The time that ages such as `2h` are subtracted from, in milliseconds since 1970. Default: now.
 * @throws {QueryError} with all invalid values (such as `state:gone`, `since:tomorrow`) and words (such as `""`).
 */
export function parseQuery(text: string, now: number = Date.now()): Query {
  const words: string[] = []
  const paths: PathCondition[] = []
  const conditions = new Map<Column, Query>()
  const faults: QueryFault[] = []
  for (const token of text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []) {
    const colon = token.indexOf(':')
    const name = colon < 0 ? '' : token.slice(0, colon).replaceAll('"', '')
    const value = token.slice(colon + 1).replaceAll('"', '')
    const isCondition = name !== '' && value !== '' && !token.startsWith('"')
    const column = columns.get(name)
    const read = isCondition ? column?.read(value, now) : undefined
    const word = token.replaceAll('"', '')
    if (!isCondition && isWord(word)) words.push(word)
    else if (!isCondition) faults.push({ name: 'words', expected: expectedWord })
    else if (!column) paths.push({ path: name.split('.'), value })
    else if (!read) faults.push({ name, expected: column.expected })
    else {
      // `event:issues.opened` and `action:closed` both set the action. `Object.assign` below uses the later condition.
      // `set` alone would leave a repeated column at its first place in the map, so `delete` comes first.
      conditions.delete(column)
      conditions.set(column, read)
    }
  }
  if (faults.length > 0) throw new QueryError(faults)
  const query: Query = Object.assign({}, ...conditions.values())
  if (words.length > 0) query.words = words
  if (paths.length > 0) query.paths = paths
  return query
}

/** A date means its start in UTC. A time must have a zone, because operator and server may be in different zones. */
const isoDate = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/

/** Parses a timestamp, into milliseconds since 1970. @returns nothing if the text is invalid. */
export function parseTimestamp(text: string, now: number = Date.now()): number | undefined {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  const date = isoDate.test(text) && isDay(text.slice(0, 10)) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(date)) return date
  const age = parseDuration(text)
  return age === undefined ? undefined : now - age
}

/** Whether a date exists: `Date` would read 31 February as 3 March. */
function isDay(text: string): boolean {
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}
