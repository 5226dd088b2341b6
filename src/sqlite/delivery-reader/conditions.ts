import { identitiesOf } from '../../inbox/identity.ts'
import { likePattern } from '../../inbox/query/paging.ts'
import type { Query } from '../../inbox/query/query.ts'

/** A condition in SQL, with the values of its parameters. */
export interface Condition {
  sql: string
  values: (string | number | Uint8Array)[]
}

/**
 * The conditions of a query: at most one driver, which is the condition that an index answers, and the rest. The index
 * returns the rows in order of receipt, unless the driver is a GUID. SQLite sorts the rows of a GUID, which is fast
 * because a GUID has few rows.
 */
export function conditionsOf(query: Query): [driver: Condition[], rest: Condition[]] {
  const equal = (...columns: (keyof Query & string)[]): Condition[] => {
    return columns.flatMap((column) => {
      const value = query[column] as string | number | undefined
      return value === undefined ? [] : [{ sql: `${column} = ?`, values: [value] }]
    })
  }
  const { guid, flag, handler, since, until, words = [] } = query
  const indexed = equal('state', 'repository', 'event') // the most selective first
  if (guid !== undefined) indexed.unshift({ sql: 'identity between ? and ?', values: identitiesOf(guid) })
  // `list` in `search.ts` reads deliveries in steps. A step has at most `scanStep` rows that meet the driver, which is
  // `indexed[0]`. The other conditions get a plus, which keeps SQLite from using their indexes. With such an index,
  // SQLite would read far more rows than those of the step.
  const rest = [...indexed.slice(1), ...equal('guid', 'action', 'sender', 'source', 'ref', 'sha', 'number')].map(
    ({ sql, values }) => ({ sql: `+${sql}`, values }),
  )
  if (flag) rest.push({ sql: flags[flag], values: [] })
  if (handler !== undefined) rest.push({ sql: hasHandler, values: [handler] })
  if (since !== undefined) rest.push({ sql: 'received_at >= ?', values: [since] })
  if (until !== undefined) rest.push({ sql: 'received_at < ?', values: [until] })
  for (const word of words) rest.push({ sql: hasWord, values: [likePattern(word)] })
  return [indexed.slice(0, 1), rest]
}

const flags: Record<NonNullable<Query['flag']>, string> = {
  conflict: 'variant > 0',
  replayed: 'replayed = 1',
  pulled: 'pulled = 1',
}

const hasHandler = 'exists (select 1 from tasks where delivery_id = deliveries.id and handler = ?)'

/** The condition that a word is in the columns, which are joined to one text by a character that no word contains. */
const hasWord = `
  concat_ws(char(10), event, action, repository, sender, title, ref, sha, guid, number) like ? escape '\\'`

/** A condition on the source of a delivery, for `sourcesParameter`. Empty if all sources match. */
export const hasSource = (sources?: readonly string[]): string =>
  sources ? ' and source in (select value from json_each(?))' : ''

export const sourcesParameter = (sources?: readonly string[]): string[] => (sources ? [JSON.stringify(sources)] : [])
