/** The values of a column, for the suggestions of the filters. */
import { filterValues, maxRecent, maxValues, type ValueColumn, type ValueQuery } from '../inbox/query/values.ts'
import type { Sql } from './connection.ts'

export async function values(sql: Sql, query: ValueQuery): Promise<string[]> {
  const rows = await sql.all<{ value: string }>(statements[query.column])
  return filterValues(
    rows.map(({ value }) => value),
    query,
  )
}

/** One index seek for each value: there may be very many deliveries, but few values. */
const inOrder = (column: string) => `
  with recursive known as (
    (select ${column} as value from deliveries where ${column} is not null order by ${column}, id limit 1)
    union all
    select next.value
    from known, lateral (
      select ${column} as value from deliveries
      where ${column} is not null and ${column} > known.value
      order by ${column}, id
      limit 1) as next
  )
  select value from known limit ${maxValues}`

const ofRecent = (column: string) => `
  select distinct ${column} as value
  from (select ${column} from deliveries order by id desc limit ${maxRecent}) as recent
  where ${column} is not null`

/** Handlers that workers have registered, and those of imported tasks. */
const handlers = `
  select name as value from handlers
  union
  select handler ->> 'name' from workers, jsonb_array_elements(handlers) as handler
  union
  select handler from (select handler from tasks order by delivery_id desc limit ${maxRecent}) as recent`

const statements: Readonly<Record<ValueColumn, string>> = {
  repository: inOrder('repository'),
  event: inOrder('event'),
  action: ofRecent('action'),
  sender: ofRecent('sender'),
  source: ofRecent('source'),
  ref: ofRecent('ref'),
  handler: handlers,
}
