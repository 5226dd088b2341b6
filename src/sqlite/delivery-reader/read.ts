import { filterValues, maxRecent, maxValues, type ValueColumn, type ValueQuery } from '../../inbox/query/values.ts'
import { type DeliveryDetail, deliveryStates, type InboxOverview } from '../../inbox/records.ts'
import { type AttemptRow, type DeliveryRow, type StoredDeliveryRow, type TaskRow, toDetail } from '../../inbox/rows.ts'
import { sumByState } from '../../inbox/states.ts'
import type { Connection } from '../connection/connection.ts'
import { type Place, unpack } from '../delivery-store/packs.ts'
import { countMissedDeliveries } from '../metadata/missed-deliveries.ts'
import { pausedHandlers } from '../task-queue/match.ts'
import { hasSource, sourcesParameter } from './conditions.ts'

/**
 * The oldest unmatched deliveries with ids above `after`. Their bodies have at most `bytes` in total, but the first one
 * may be larger.
 */
export function readUnmatched(
  connection: Connection,
  limit: number,
  bytes: number,
  after: number,
  sources?: readonly string[],
): StoredDeliveryRow[] {
  const found: StoredDeliveryRow[] = []
  let left = bytes
  for (const row of connection.each<PackedRow>(selectUnmatched(sources), after, ...sourcesParameter(sources), limit)) {
    if (row.size > left && found.length > 0) break
    left -= row.size
    found.push(decodeRow(connection, row))
  }
  return found
}

export function load(connection: Connection, ids: readonly number[]): StoredDeliveryRow[] {
  const rows = ids.map((id) => connection.get<PackedRow>(selectStored, id))
  return rows.flatMap((row) => (row ? [decodeRow(connection, row)] : []))
}

type PackedRow = Omit<StoredDeliveryRow, 'headers' | 'body'> & Place

/**
 * If the contents are damaged or gone, returns the reason as `damaged`, so that the other deliveries can be handled.
 */
function decodeRow(connection: Connection, row: PackedRow): StoredDeliveryRow {
  try {
    return { ...row, ...unpack(connection, row) }
  } catch (error) {
    return { ...row, headers: '{}', body: new Uint8Array(), damaged: (error as Error).message }
  }
}

export function get(connection: Connection, id: number): DeliveryDetail | undefined {
  const row = connection.get<DeliveryRow & Place & { replay_key: number }>('select * from deliveries where id = ?', id)
  if (!row) return undefined
  const tasks = connection.all<TaskRow>(selectTasks, id)
  const attempts = connection.all<AttemptRow>('select * from attempts where delivery_id = ? order by number', id)
  const { headers } = decodeRow(connection, row)
  const same = row.replayed
    ? connection.get<{ id: number | null }>(selectSameBody, row.replay_key, row.sha256, id, row.guid, row.event)
    : undefined
  return toDetail(row, headers, tasks, attempts, pausedHandlers(connection), same?.id ?? undefined)
}

export function body(connection: Connection, id: number): Uint8Array | undefined {
  const place = connection.get<Place>('select pack, start, headers_size, size from deliveries where id = ?', id)
  return place && unpack(connection, place).body
}

export function overview(connection: Connection): InboxOverview {
  const oldest = connection.get<{ received_at: number | null }>(selectOldestUnfinished)
  return {
    states: sumByState(deliveryStates, connection.all(countStates)),
    oldestUnfinished: oldest?.received_at ?? undefined,
    handlers: connection.all<{ name: string }>(selectHandlers).map(({ name }) => name),
    paused: [...pausedHandlers(connection)],
    size: connection.usedBytes(),
    missedDeliveries: countMissedDeliveries(connection),
  }
}

/** Values of a column that begin with a prefix. The dashboard suggests them for a filter. */
export function values(connection: Connection, query: ValueQuery): string[] {
  const rows = connection.all<{ value: string }>(selectValues[query.column])
  const found = rows.map(({ value }) => value)
  return filterValues(found, query)
}

const storedColumns = `
  id, variant, source, hook_id, guid, event, received_at, pack, start, headers_size, size, trace, form, secret_id, secret_index,
  pulled, duplicates, replayed`

const selectUnmatched = (sources?: readonly string[]): string =>
  `select ${storedColumns} from deliveries where matched = 0 and id > ?${hasSource(sources)} order by id limit ?`
const selectStored = `select ${storedColumns} from deliveries where id = ?`

/**
 * A blocked task waits for the oldest unfinished task with its order key. If it is the oldest one itself, it waits for a
 * later one that runs.
 */
const selectTasks = `
  select *,
    case when state = 'pending' and next_at is null and order_key is not null then coalesce(
      (select min(delivery_id) from tasks as other
       where other.handler = tasks.handler and other.order_key = tasks.order_key
         and other.state in ('pending', 'running', 'retrying') and other.delivery_id < tasks.delivery_id),
      (select delivery_id from tasks as other
       where other.handler = tasks.handler and other.order_key = tasks.order_key and other.state = 'running'
       limit 1)
    ) end as blocked_by
  from tasks
  where delivery_id = ?
  order by handler`

const selectSameBody = `
  select min(id) as id from deliveries
  where replay_key = ? and sha256 = ? and id < ? and matched = 1 and (guid <> ? or event <> ?)`

const selectHandlers = `
  select distinct value ->> 'name' as name from workers, json_each(workers.handlers) order by name`
const countStates = 'select state, count(*) as count from deliveries group by state'

const selectOldestUnfinished = `
  select received_at from deliveries
  where id = (
    select min(id) from (
      select min(id) as id from deliveries where state = 'pending'
      union all
      select min(id) from deliveries where state = 'running'
      union all
      select min(id) from deliveries where state = 'retrying'))`

/** One seek in the index for each value: there may be many deliveries, but there are few values. */
const valuesInOrder = (column: string) => `
  with recursive known (value) as (
    select (select ${column} from deliveries where ${column} is not null order by ${column} limit 1)
    union all
    select (select ${column} from deliveries where ${column} > known.value order by ${column} limit 1)
    from known
    where known.value is not null
  )
  select value from known where value is not null limit ${maxValues}`

const valuesOfRecent = (column: string) => `
  select distinct ${column} as value
  from (select ${column} from deliveries order by id desc limit ${maxRecent})
  where ${column} is not null`

/**
 * Handlers that workers have registered, and those of the newest tasks: an imported task may have a handler that no
 * worker has registered.
 */
const handlerNames = `
  select name as value from handlers
  union
  select value ->> 'name' from workers, json_each(workers.handlers)
  union
  select handler from (select handler from tasks order by delivery_id desc limit ${maxRecent})`

const selectValues: Readonly<Record<ValueColumn, string>> = {
  repository: valuesInOrder('repository'),
  event: valuesInOrder('event'),
  action: valuesOfRecent('action'),
  sender: valuesOfRecent('sender'),
  source: valuesOfRecent('source'),
  ref: valuesOfRecent('ref'),
  handler: handlerNames,
}
