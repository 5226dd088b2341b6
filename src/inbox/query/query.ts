import type { DeliveryState } from '../records.ts'

/** Flags of a delivery. `gone`: it has a task that is gone. `retried`: it has a task with more than one attempt. */
export const queryFlags = ['conflict', 'replayed', 'pulled', 'gone', 'retried'] as const
/** A flag of a delivery. */
export type QueryFlag = (typeof queryFlags)[number]

/**
 * The conditions of a search, and the page of its results to return. The search finds the deliveries that meet all
 * conditions. `before`, `limit` and `budget` select the page.
 */
export interface Query {
  /** Deliveries in this state. */
  state?: DeliveryState | undefined
  /** Deliveries of this event, without the action. */
  event?: string | undefined
  /** Deliveries of this action. */
  action?: string | undefined
  /** Deliveries of this repository, as `owner/name`. */
  repository?: string | undefined
  /** Deliveries that the user with this login caused. */
  sender?: string | undefined
  /** Deliveries that the mount with this name received. */
  source?: string | undefined
  /** Deliveries with this GUID. All webhooks that receive an event share it. */
  guid?: string | undefined
  /** Deliveries about this branch or tag. */
  ref?: string | undefined
  /** Deliveries about this commit. */
  sha?: string | undefined
  /** Deliveries about this issue, pull request or discussion. */
  number?: number | undefined
  /** Deliveries that have a task of this handler. */
  handler?: string | undefined
  /** Deliveries with this flag. */
  flag?: QueryFlag | undefined
  /** Received at this time or later, in milliseconds since 1970. */
  since?: number | undefined
  /** Received before this time. */
  until?: number | undefined
  /**
   * Texts. Each must occur in event, action, repository, sender, title, ref, sha, GUID, number or the error of an
   * unresolved failure, case-insensitively; see {@link isWord}.
   */
  words?: readonly string[] | undefined
  /** Values that the payload must contain. */
  paths?: readonly PathCondition[] | undefined
  /** The conditions that the members above cannot express, such as several values of a column. */
  where?: readonly Condition[] | undefined
  /** Only deliveries with a smaller id than this. For the next page, `next` of the previous page. */
  before?: number | undefined
  /** Maximum deliveries in a page: 1 to 500. Default: 50. */
  limit?: number | undefined
  /** Milliseconds after which a page is returned although it is not full: 1 to 1000. Default: 30. */
  budget?: number | undefined
}

/** The deliveries that an operation changes. */
export type Selection = SelectedIds | { query: Query }

/** Deliveries by their ids. */
export interface SelectedIds {
  /** The deliveries to change. Ids of no delivery are ignored. */
  ids: readonly number[]
  /** Leaves out deliveries that are in another state when the operation changes them. Default: any state. */
  states?: readonly DeliveryState[] | undefined
}

/** A member of a payload and its value; a list matches if one of its items matches. */
export interface PathCondition {
  /** The names of the members, from the outermost. */
  path: readonly string[]
  /** Compared as text with the value of the member. */
  value: string
}

/** A condition on the columns of a delivery, and its text in a search. */
export interface Condition {
  /** `parseQuery` returns this condition for this text. */
  text: string
  /** The tests that the text stands for. */
  expression: Expression
}

/** A test of one column, or a combination of expressions. */
export type Expression = Test | { any: readonly Expression[] } | { all: readonly Expression[] } | { not: Expression }

/** Columns whose values are compared as a whole, or by their beginnings. */
export type TextColumn =
  | 'state'
  | 'event'
  | 'action'
  | 'repository'
  | 'sender'
  | 'source'
  | 'guid'
  | 'ref'
  | 'sha'
  | 'handler'

/**
 * A test of one column. `contains` ignores the case of the letters A to Z; a `word` may be in many columns, as in
 * `Query.words`. `failure_group` is the group of an unresolved failure. `error` is the normalized error of an unresolved
 * failure or, if the text has a digit, also the error of the latest failed attempt. `duration` is the milliseconds of all
 * ended attempts together.
 */
export type Test =
  | { column: TextColumn; is: string }
  | { column: TextColumn; startsWith: string }
  | { column: 'number' | 'failure_group'; is: number }
  | { column: 'flag'; is: QueryFlag }
  | { column: 'word' | 'title' | 'error'; contains: string }
  | { column: 'duration'; above: number }
  | { column: 'duration'; below: number }

/** An invalid condition. */
export interface QueryFault {
  /** The key, or the word, that is wrong. */
  name: string
  /** Describes the valid values. */
  expected: string
  /** The whole message. Default: `name: expected …`. */
  message?: string
}

/** All invalid conditions of a search. */
export class QueryError extends Error {
  /** One for each part of the search that is wrong. */
  readonly faults: readonly QueryFault[]

  constructor(faults: readonly QueryFault[]) {
    super(faults.map(({ name, expected, message }) => message ?? `${name}: expected ${expected}`).join('; '))
    this.name = 'QueryError'
    this.faults = faults
  }
}

/**
 * Whether a text is valid as a word of a search. An empty text would match every delivery, and in some stores so would
 * a line feed or NUL. An operator who retries the deliveries of such a search would retry all deliveries.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: with \p{Cc}, importing this module would take 0.1 ms longer
export const isWord = (text: string): boolean => text !== '' && !/[\x00-\x1f\x7f-\x9f]/u.test(text)

/** Columns that are also members of a query. */
const members = [
  'guid',
  'sha',
  'number',
  'ref',
  'repository',
  'state',
  'event',
  'action',
  'sender',
  'source',
  'handler',
] as const

/** All conditions of a query on columns, except the time. All of them must hold. None of them has `all` at its root. */
export function expressionsOf(query: Query): Expression[] {
  const { words = [], where = [], flag } = query
  return [
    ...members.flatMap((column): Expression[] => {
      const is = query[column]
      return is === undefined ? [] : [{ column, is } as Test]
    }),
    ...(flag ? [{ column: 'flag', is: flag } as const] : []),
    ...words.map((contains): Test => ({ column: 'word', contains })),
    ...where.flatMap(({ expression }) => conjunctsOf(expression)),
  ]
}

/** Expressions that hold together exactly if the expression holds. */
function conjunctsOf(expression: Expression): Expression[] {
  return 'all' in expression ? expression.all.flatMap(conjunctsOf) : [expression]
}

/** The tests that an expression consists of. */
export function testsIn(expression: Expression): Test[] {
  if ('any' in expression) return expression.any.flatMap(testsIn)
  if ('all' in expression) return expression.all.flatMap(testsIn)
  return 'not' in expression ? testsIn(expression.not) : [expression]
}
