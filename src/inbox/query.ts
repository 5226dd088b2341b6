import type { DeliveryState } from './records.ts'

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
  flag?: 'conflict' | 'replayed' | 'recovered' | undefined
  /** Received from then on, in milliseconds since 1970. */
  since?: number | undefined
  /** Received before then. */
  until?: number | undefined
  /** Texts that must occur in event, action, repository, sender, title, ref, sha or GUID; case does not matter. */
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

const columns = ['event', 'action', 'repository', 'sender', 'source', 'guid', 'ref', 'sha', 'handler'] as const

/**
 * Reads what somebody typed: words, `column:value` for the columns of a list, and `path:value` for the payload, as in
 * `pull_request.user.login:octocat`. Quotes hold words together: `title:"a b"`.
 */
export function parseQuery(text: string): Query {
  const words: string[] = []
  const paths: PathCondition[] = []
  const query: Query = {}
  for (const token of text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []) {
    const colon = token.indexOf(':')
    const name = colon < 0 ? '' : token.slice(0, colon).replaceAll('"', '')
    const value = token.slice(colon + 1).replaceAll('"', '')
    const isWord = colon < 0 || name === '' || value === '' || token.startsWith('"')
    if (isWord) words.push(token.replaceAll('"', ''))
    else if (name === 'state') query.state = value as DeliveryState
    else if (name === 'number' && /^\d+$/.test(value)) query.number = Number(value)
    else if ((columns as readonly string[]).includes(name)) query[name as (typeof columns)[number]] = value
    else paths.push({ path: name.split('.'), value })
  }
  if (words.length > 0) query.words = words
  if (paths.length > 0) query.paths = paths
  return query
}

/** Whether a payload has all of these. Texts are compared without regard to case, all else as JSON writes it. */
export function matchesPaths(data: unknown, conditions: readonly PathCondition[]): boolean {
  return conditions.every(({ path, value }) => hasValue(data, path, value.toLowerCase()))
}

/** Lists within lists are looked into only so far. */
const deepest = 50

function hasValue(data: unknown, path: readonly string[], value: string, depth = 0): boolean {
  if (depth > deepest) return false
  if (Array.isArray(data)) return data.some((item) => hasValue(item, path, value, depth + 1))
  const [name, ...rest] = path
  if (name === undefined) return (data === null || typeof data !== 'object') && String(data).toLowerCase() === value
  return typeof data === 'object' && data !== null && Object.hasOwn(data, name)
    ? hasValue((data as Record<string, unknown>)[name], rest, value, depth + 1)
    : false
}
