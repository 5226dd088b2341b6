import { identitiesOf } from '../inbox/identity.ts'
import { patternOf } from '../inbox/paging.ts'
import type { Query } from '../inbox/query.ts'

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
 * Which index that is, is not left to PostgreSQL: told `state = 'dead' … order by id desc limit 2000`, it may well walk
 * down the whole primary key. That a column is one `any` of a list of one keeps it from seeing that the order by this
 * column is no order, and so only the index on it, and then on `id`, has the order that is asked for.
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
  if (words.length > 0) rest.push(hasWords($(words.map(patternOf))))
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
  const where = `${driver} = any(${$([query[driver]])}::text[]) and ${driver} is not null and id < ${$(before)}`
  return { where, order: `${driver} desc, id desc` }
}

const flags: Record<NonNullable<Query['flag']>, string> = {
  conflict: 'variant > 0',
  replayed: 'replayed',
  recovered: 'recovered',
}

const hasHandler = (handler: string) => `
  exists (select 1 from tasks where delivery_id = looked.id and tasks.handler = ${handler}::text)`

/** The columns in one text, with a separator that no word has in it. Of letters only those of ASCII have a case. */
const hasWords = (patterns: string) => `
  concat_ws(e'\\n', event, action, repository, sender, title, ref, sha, guid, number)
    collate "C" ilike all(${patterns}::text[])`
