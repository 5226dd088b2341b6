/** The values of a column, which the dashboard suggests for a filter. */
import { filterValues, maxRecent, maxValues, type ValueColumn, type ValueQuery } from '../inbox/query/values.ts'
import type { Connection } from './connection.ts'

export function values(connection: Connection, query: ValueQuery): string[] {
  const rows = connection.all<{ value: string }>(statements[query.column])
  return filterValues(
    rows.map(({ value }) => value),
    query,
  )
}

/** One seek in the index for each value: there may be many deliveries, but there are few values. */
const inOrder = (column: string) => `
  with recursive known (value) as (
    select (select ${column} from deliveries where ${column} is not null order by ${column} limit 1)
    union all
    select (select ${column} from deliveries where ${column} > known.value order by ${column} limit 1)
    from known
    where known.value is not null
  )
  select value from known where value is not null limit ${maxValues}`

const ofRecent = (column: string) => `
  select distinct ${column} as value
  from (select ${column} from deliveries order by id desc limit ${maxRecent})
  where ${column} is not null`

/** Handlers that workers have or had, and handlers of imported tasks. */
const handlers = `
  select name as value from handlers
  union
  select value ->> 'name' from workers, json_each(workers.handlers)
  union
  select handler from (select handler from tasks order by delivery_id desc limit ${maxRecent})`

const statements: Readonly<Record<ValueColumn, string>> = {
  repository: inOrder('repository'),
  event: inOrder('event'),
  action: ofRecent('action'),
  sender: ofRecent('sender'),
  source: ofRecent('source'),
  ref: ofRecent('ref'),
  handler: handlers,
}
