import { identitiesOf } from '../inbox/identity.ts'
import { likePattern } from '../inbox/query/paging.ts'
import type { Query } from '../inbox/query/query.ts'

/** What a query asks for, in SQL. */
export interface Conditions {
  /** The deliveries that an index leads to, in order of receipt, the newest first; `id` is theirs still to be bounded. */
  source: { where: string; order: string }
  /** What is looked at for each of them. */
  rest: string
  /** Of the parameters, which begin with `$1`. */
  values: unknown[]
}

/**
 * The conditions of a query: one that an index answers in order of receipt, if there is any, and the rest.
 *
 * Which index that is, is not left to PostgreSQL: told `state = 'dead' … order by id desc`, it may well walk down the
 * whole primary key. Told the same as a range of pairs, in the order of these pairs, it sees no other way than the index
 * on them; and it takes the range for larger than it is, so that it does not fetch and sort all of it for the first few.
 */
export function conditionsOf(query: Query, before: number): Conditions {
  const values: unknown[] = []
  const $ = (value: unknown): string => `$${values.push(value)}`
  const { guid, flag, handler, since, until, words = [] } = query
  const driver = guid === undefined ? drivers.find((column) => query[column] !== undefined) : undefined
  const source = sourceOf(driver, query, before, $)

  const rest: string[] = []
  for (const column of columns) {
    if (query[column] !== undefined && column !== driver) rest.push(`${column} = ${$(query[column])}::text`)
  }
  if (guid !== undefined) rest.push(`guid = ${$(guid)}::text`)
  if (query.number !== undefined) rest.push(`number = ${$(query.number)}::numeric`)
  if (flag) rest.push(flags[flag])
  if (handler !== undefined) rest.push(hasHandler($(handler)))
  if (since !== undefined) rest.push(`received_at >= ${$(since)}::numeric`)
  if (until !== undefined) rest.push(`received_at < ${$(until)}::numeric`)
  if (words.length > 0) rest.push(hasWords($(words.map(likePattern))))
  return { source, rest: rest.join(' and ') || 'true', values }
}

/** The rarer first. */
const drivers = ['state', 'repository', 'event'] as const

const columns = [...drivers, 'action', 'sender', 'source', 'ref', 'sha'] as const

function sourceOf(
  driver: (typeof drivers)[number] | undefined,
  query: Query,
  before: number,
  $: (value: unknown) => string,
): Conditions['source'] {
  if (query.guid !== undefined) {
    const [first, last] = identitiesOf(query.guid)
    // Of a GUID there are few: an order that no index has makes it find them all, and put them into that order.
    return { where: `identity between ${$(first)} and ${$(last)} and id < ${$(before)}`, order: 'id + 0 desc' }
  }
  if (driver === undefined) return { where: `id < ${$(before)}`, order: 'id desc' }
  const where = `${rangeOf(driver, `${$(query[driver])}::text`, `${$(before)}::bigint - 1`)} and ${driver} is not null`
  return { where, order: `${driver} desc, id desc` }
}

/** A larger id than any. */
export const latest = '9007199254740991'

/** The condition for a column to have a value, as an index on it and `id` knows it. */
export function rangeOf(column: string, value: string, last: string): string {
  return `(${column}, id) >= (${value}, 0) and (${column}, id) <= (${value}, ${last})`
}

const flags: Record<NonNullable<Query['flag']>, string> = {
  conflict: 'variant > 0',
  replayed: 'replayed',
  recovered: 'recovered',
}

/** An array is made for each delivery; of what `exists` asks PostgreSQL may make a list for all that there are. */
const hasHandler = (handler: string) => `
  ${handler}::text = any(array(select tasks.handler from tasks where delivery_id = looked.id))`

/** The columns in one text, with a separator that no word has in it. Of letters only those of ASCII have a case. */
const hasWords = (patterns: string) => `
  concat_ws(e'\\n', event, action, repository, sender, title, ref, sha, guid, number)
    collate "C" ilike all(${patterns}::text[])`
