import { identitiesOf } from '../../inbox/identity.ts'
import { likePattern } from '../../inbox/query/paging.ts'
import type { Query } from '../../inbox/query/query.ts'

/** The conditions of a query, in SQL. */
export interface Conditions {
  /** The condition that an index answers, and the `order by` that returns the rows of the index newest first. */
  source: { where: string; order: string }
  /** The condition that is checked for each row of the source. */
  rest: string
  /** Values of the parameters `$1`, `$2`, … */
  values: unknown[]
}

/**
 * Splits a query into a condition that an index answers, and the rest.
 *
 * We choose the index, because PostgreSQL may choose a slow one: for `state = 'dead' … order by id desc`, it may walk
 * down the whole primary key. For a range of the pair `(state, id)`, in the order of the pair, PostgreSQL can use only
 * the index on both columns. PostgreSQL also overestimates the number of rows in such a range, which helps here: it
 * then expects that fetching and sorting the whole range takes long. So it reads the first rows in the order of the
 * index.
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

/** Columns with an index, the most selective first. */
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
    // No index has the order `id + 0`, so PostgreSQL finds the few deliveries of the GUID by identity, and sorts them.
    return { where: `identity between ${$(first)} and ${$(last)} and id < ${$(before)}`, order: 'id + 0 desc' }
  }
  if (driver === undefined) return { where: `id < ${$(before)}`, order: 'id desc' }
  const where = `${rangeOf(driver, `${$(query[driver])}::text`, `${$(before)}::bigint - 1`)} and ${driver} is not null`
  return { where, order: `${driver} desc, id desc` }
}

/** No id is larger. */
export const latest = '9007199254740991'

/**
 * The condition that a column has a value and `id` is at most `last`, as a range of the index on the column and `id`.
 */
export function rangeOf(column: string, value: string, last: string): string {
  return `(${column}, id) >= (${value}, 0) and (${column}, id) <= (${value}, ${last})`
}

const flags: Record<NonNullable<Query['flag']>, string> = {
  conflict: 'variant > 0',
  replayed: 'replayed',
  pulled: 'pulled',
}

/**
 * The condition that a delivery has a task of the handler. PostgreSQL builds the array for each delivery. With `exists`
 * instead, it might hash the tasks of all deliveries.
 */
const hasHandler = (handler: string) => `
  ${handler}::text = any(array(select tasks.handler from tasks where delivery_id = scanned.id))`

/**
 * The condition that the columns contain all words. The columns are joined to one text by a character that no word
 * contains. Ignores the case of ASCII letters.
 */
const hasWords = (patterns: string) => `
  concat_ws(e'\\n', event, action, repository, sender, title, ref, sha, guid, number)
    collate "C" ilike all(${patterns}::text[])`
