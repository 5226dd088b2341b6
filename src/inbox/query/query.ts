import { type DeliveryState, deliveryStates } from '../records.ts'
import { expectedTimestamp, parseTimestamp } from './timestamp.ts'

/** What a delivery can be flagged as. */
export const queryFlags = ['conflict', 'replayed', 'recovered'] as const

/** Which deliveries to show. All conditions must hold. */
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
  /** Deliveries that a handler of this name has a part in. */
  handler?: string | undefined
  /** Only those that are flagged so. */
  flag?: (typeof queryFlags)[number] | undefined
  /** Received from then on, in milliseconds since 1970. */
  since?: number | undefined
  /** Received before then. */
  until?: number | undefined
  /** Texts that must occur in event, action, repository, sender, title, ref, sha or GUID; see {@link isWord}. Case does not matter. */
  words?: readonly string[] | undefined
  /** Values that the payload must have. */
  paths?: readonly PathCondition[] | undefined
  /** Only deliveries with a smaller id: `next` of the page before. */
  before?: number | undefined
  /** Deliveries in a page. Default: 50, at most 500. */
  limit?: number | undefined
  /** Milliseconds after which a page ends although it is not full. Default: 30. */
  budget?: number | undefined
}

/** The deliveries that an operator acts on. */
export type Selection = { ids: readonly number[] } | { query: Query }

/** A payload's member and the text in it; a list matches if one of its items does. */
export interface PathCondition {
  path: readonly string[]
  value: string
}

/** A condition that cannot be read, and what it should have been. */
export interface QueryFault {
  name: string
  expected: string
}

/** All that cannot be read of what somebody typed. */
export class QueryError extends Error {
  readonly faults: readonly QueryFault[]

  constructor(faults: readonly QueryFault[]) {
    super(faults.map(({ name, expected }) => `${name}: expected ${expected}`).join('; '))
    this.name = 'QueryError'
    this.faults = faults
  }
}

/** Reads a value; `undefined` for what it must not be. */
interface Column {
  expected: string
  read(value: string, now: number): Query | undefined
}

const aChoice = <Choice extends string>(choices: readonly Choice[], of: (choice: Choice) => Query): Column => ({
  expected: `one of ${choices.join(', ')}`,
  read(value) {
    const choice = choices.find((one) => one === value)
    return choice && of(choice)
  },
})

const aText = (of: (value: string) => Query): Column => ({ expected: 'a text', read: of })

const aMoment = (of: (moment: number) => Query): Column => ({
  expected: expectedTimestamp,
  read(value, now) {
    const moment = parseTimestamp(value, now)
    return moment === undefined ? undefined : of(moment)
  },
})

const aNumber: Column = {
  expected: 'a whole number',
  read(value) {
    const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
    return Number.isSafeInteger(number) ? { number } : undefined
  },
}

const repository = aText((value) => ({ repository: value }))
const flag = aChoice(queryFlags, (value) => ({ flag: value }))

/** What can stand before a colon; all else that does is a path in the payload. */
const columns: ReadonlyMap<string, Column> = new Map(
  Object.entries({
    state: aChoice(deliveryStates, (state) => ({ state })),
    event: aText(eventAndAction),
    action: aText((action) => ({ action })),
    repository,
    repo: repository,
    sender: aText((sender) => ({ sender })),
    source: aText((source) => ({ source })),
    guid: aText((guid) => ({ guid })),
    ref: aText((ref) => ({ ref })),
    sha: aText((sha) => ({ sha })),
    number: aNumber,
    handler: aText((handler) => ({ handler })),
    is: flag,
    flag,
    since: aMoment((since) => ({ since })),
    until: aMoment((until) => ({ until })),
  }),
)

/** Whether a search has a condition of this name; of any other it is a path in payloads. */
export const isColumn = (name: string): boolean => columns.has(name)

/**
 * Whether a text can be searched for as a word. An empty text, and a line feed or NUL to a store, would match every
 * delivery; a retry of what such a query finds would retry all of them.
 */
export const isWord = (text: string): boolean => text !== '' && !/\p{Cc}/u.test(text)

const expectedWord = 'a word that is not empty and has no control characters'

/** As a list shows them: `issues.opened`. No event of GitHub's has a dot in its name. */
export function eventAndAction(text: string): Query {
  const dot = text.indexOf('.')
  const isBoth = dot > 0 && dot < text.length - 1
  return isBoth ? { event: text.slice(0, dot), action: text.slice(dot + 1) } : { event: text }
}

/**
 * Reads what somebody typed: words, `column:value` for the columns of a list, and `path:value` for the payload, as in
 * `pull_request.user.login:octocat`. Quotes hold words together: `title:"a b"`. Of a column that is named twice the last
 * value counts. Only a blank text has no conditions.
 * @param now From when ages count, in milliseconds since 1970. Default: now.
 * @throws {QueryError} for values that no delivery can have, such as `state:gone` or `since:tomorrow`, and for words that
 * are none, such as `""`; for all at once.
 */
export function parseQuery(text: string, now: number = Date.now()): Query {
  const words: string[] = []
  const paths: PathCondition[] = []
  const query: Query = {}
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
    else if (read) Object.assign(query, read)
    else faults.push({ name, expected: column.expected })
  }
  if (faults.length > 0) throw new QueryError(faults)
  if (words.length > 0) query.words = words
  if (paths.length > 0) query.paths = paths
  return query
}
