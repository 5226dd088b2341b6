import type { MatchOffer, StoredDelivery } from '../../inbox/inbox.ts'
import type { ExistingTask } from '../../inbox/match-tasks.ts'
import { filterValues, maxRecent, maxValues, type ValueColumn, type ValueQuery } from '../../inbox/query/values.ts'
import type { DeliveryDetail, DeliveryState, InboxOverview } from '../../inbox/records.ts'
import {
  type AttemptRow,
  type DeliveryRow,
  type StoredDeliveryRow,
  type TaskRow,
  toDetail,
  toStoredDelivery,
} from '../../inbox/rows.ts'
import type { Sql } from '../connection/connection.ts'
import { type ContentRow, contentColumns, packOf, Unpacker, withPacks } from '../delivery-store/contents.ts'
import { countMissedDeliveries } from '../metadata/missed-deliveries.ts'
import { latest, rangeOf } from './conditions.ts'
import { countStates, isSuspect, selectRunning, stateColumns } from './states.ts'

/** Deliveries with their contents, in order of receipt. */
export async function load(sql: Sql, ids: readonly number[]): Promise<StoredDelivery[]> {
  return decodeStored(await sql.all<PackedRow>(selectStored, ids))
}

type PackedRow = Omit<StoredDeliveryRow, 'headers' | 'body'> & ContentRow

/** @param rows In the order of their ids. */
export function decodeStored(rows: readonly PackedRow[]): StoredDelivery[] {
  const unpacker = new Unpacker()
  return withPacks(rows).map((row) => toStoredDelivery({ ...row, ...decodeRow(row, unpacker) }))
}

export interface UnmatchedRow extends PackedRow {
  sha256: Buffer
  rerun: boolean
  /** Whether an older matched delivery has the same bytes, but another GUID or event. */
  is_replay: boolean | null
  /** The tasks that an earlier match created. */
  tasks: ExistingTaskRow[] | null
}

export interface ExistingTaskRow extends ExistingTask {
  delivery_id: number
  order_hash: number | null
}

/**
 * Locks the oldest unmatched deliveries. With `ordered`, returns none while another worker matches with `ordered`.
 * @param from Skips the deliveries with lower ids.
 */
export function lockUnmatched(
  sql: Sql,
  { limit, bytes, ordered, sources }: Pick<MatchOffer, 'limit' | 'bytes' | 'ordered' | 'sources'>,
  from = 0,
): Promise<UnmatchedRow[]> {
  return sql.all(selectUnmatched(sources), limit, bytes, ordered, from, ...(sources ? [sources] : []))
}

/** If the content is damaged or gone, returns the reason as `damaged`, so that the other deliveries can be handled. */
function decodeRow(
  row: Omit<ContentRow, 'pack'>,
  unpacker: Unpacker,
): Pick<StoredDeliveryRow, 'headers' | 'body' | 'damaged'> {
  try {
    return unpackRow(row, unpacker)
  } catch (error) {
    return { headers: '{}', body: new Uint8Array(), damaged: (error as Error).message }
  }
}

/** @throws {Error} if the content is damaged or gone. */
function unpackRow({ bytes, ...place }: Omit<ContentRow, 'pack'>, unpacker: Unpacker) {
  if (!bytes) throw new Error('Its content is gone')
  return unpacker.unpack({ ...place, bytes })
}

interface DetailRow extends DeliveryRow {
  start: number
  bytes: Uint8Array | null
  tasks: TaskRow[] | null
  attempts: AttemptRow[] | null
  paused: string[]
  same_body: number | null
}

export async function get(sql: Sql, id: number): Promise<DeliveryDetail | undefined> {
  const row = Number.isSafeInteger(id) ? await sql.get<DetailRow>(selectDetail, id) : undefined
  if (!row) return undefined
  const { headers } = decodeRow(row, new Unpacker())
  const { tasks, attempts, paused, same_body } = row
  return toDetail(row, headers, tasks ?? [], attempts ?? [], new Set(paused), same_body ?? undefined)
}

export async function body(sql: Sql, id: number): Promise<Uint8Array | undefined> {
  const row = Number.isSafeInteger(id) ? await sql.get<Omit<ContentRow, 'pack'>>(selectContent, id) : undefined
  return row && unpackRow(row, new Unpacker()).body
}

export async function overview(sql: Sql): Promise<InboxOverview> {
  const { oldest, ...rest } = (await sql.get<OverviewRow>(selectOverview)) as OverviewRow
  return {
    states: await countStates(sql),
    oldestUnfinished: oldest ?? undefined,
    ...rest,
    missedDeliveries: await countMissedDeliveries(sql),
  }
}

interface OverviewRow extends Pick<InboxOverview, 'handlers' | 'paused' | 'size'> {
  oldest: number | null
}

/** Values of a column that begin with a prefix. The dashboard suggests them for a filter. */
export async function values(sql: Sql, query: ValueQuery): Promise<string[]> {
  const rows = await sql.all<{ value: string }>(selectValues[query.column])
  return filterValues(
    rows.map(({ value }) => value),
    query,
  )
}

/** The columns that a worker reads, except the content. @param from The table. */
const storedColumns = (from: string): string => `
  ${from}.id, variant, source, hook_id, guid, event, received_at, trace, form, secret_id, secret_index, pulled,
  duplicates, replayed`

/** The condition that a delivery replays the delivery `before`. */
const replays = (delivery: string): string => `
  before.matched and before.replay_key = ${delivery}.replay_key and before.sha256 = ${delivery}.sha256
  and before.id < ${delivery}.id and (before.guid <> ${delivery}.guid or before.event <> ${delivery}.event)`

const selectStored = `
  select ${storedColumns('deliveries')}, ${contentColumns('deliveries')}
  from deliveries
  where deliveries.id = any($1::bigint[])
  order by deliveries.id`

/**
 * Skips rows that another transaction has locked, for example because another worker is matching them. Takes at most
 * `$1` rows with ids from `$4` on, oldest first, as long as their bodies have at most `$2` bytes in total. Always returns
 * the first row.
 */
const selectUnmatched = (sources?: readonly string[]): string => `
  with locked as materialized (
    select * from deliveries
    where not matched and id >= $4 ${sources ? 'and source = any($5::text[])' : ''}
      and (not $3::boolean or (select pg_try_advisory_xact_lock(hashtextextended('hookserver matches ' || current_schema(), 1))))
    order by id
    limit $1
    for update skip locked
  ), summed as (
    select *, sum(size) over (order by id) as total from locked
  )
  select
    ${storedColumns('summed')}, ${contentColumns('summed')}, sha256, rerun,
    (select true from deliveries as before where ${replays('summed')} order by before.id limit 1) as is_replay,
    (select json_agg(json_build_object(
       'delivery_id', delivery_id, 'handler', handler, 'state', state, 'key', order_key, 'fairKey', fair_key,
       'order_hash', order_hash, 'suspect', ${isSuspect}))
     from tasks where delivery_id = summed.id) as tasks
  from summed
  where total <= $2 or total = size
  order by summed.id`

/**
 * A blocked task waits for the oldest unfinished task with its order key. If it is the oldest one itself, it waits for a
 * later one that runs.
 */
const selectTasks = `
  select *,
    case when state = 'pending' and next_at is null and order_hash is not null then coalesce(
      (select delivery_id from tasks as other
       where other.order_hash = tasks.order_hash and other.state in ('pending', 'running', 'retrying')
         and other.delivery_id < tasks.delivery_id
       order by delivery_id
       limit 1),
      (select delivery_id from tasks as other
       where other.order_hash = tasks.order_hash and other.state = 'running'
       limit 1)
    ) end as blocked_by
  from tasks
  where delivery_id = $1`

const selectDetail = `
  select
    deliveries.*, ${stateColumns}, acks.at as acked_at, bytes,
    (select json_agg(task order by handler collate "C") from (${selectTasks}) as task) as tasks,
    (select json_agg(attempts order by number) from attempts where delivery_id = $1) as attempts,
    array(select handler from pauses) as paused,
    (select min(before.id) from deliveries as before
     where deliveries.replayed and ${replays('deliveries')}) as same_body
  from deliveries
  left join acks on acks.batch = deliveries.batch
  left join contents on contents.delivery_id = ${packOf('deliveries')}
  where deliveries.id = $1`

const selectContent = `
  select start, headers_size, size, bytes
  from deliveries left join contents on contents.delivery_id = ${packOf('deliveries')}
  where deliveries.id = $1`

/** Finds the oldest delivery of a state by index, as described in `conditions.ts`. */
const selectOldest = (state: DeliveryState) => `
  (select id, received_at from deliveries where ${rangeOf('state', `'${state}'`, latest)} order by state, id limit 1)`

const selectOldestRunning = `
  (select id, received_at from deliveries
   where id = (with running as materialized (${selectRunning}) select min(delivery_id) from running))`

const selectOverview = `
  select
    (select received_at
     from (${[selectOldest('pending'), selectOldest('retrying'), selectOldestRunning].join(' union all ')}) as unfinished
     order by id
     limit 1) as oldest,
    array(select distinct handler ->> 'name' as name from workers, jsonb_array_elements(handlers) as handler
          order by name) as handlers,
    array(select handler from pauses order by handler) as paused,
    (select sum(pg_total_relation_size(pg_class.oid))::bigint
     from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where nspname = current_schema() and relkind in ('r', 'm')) as size`

/** One index seek for each value: there may be very many deliveries, but few values. */
export const valuesInOrder = (column: string, max: number) => `
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
  select value from known limit ${max}`

const valuesOfRecent = (column: string) => `
  select distinct ${column} as value
  from (select ${column} from deliveries order by id desc limit ${maxRecent}) as recent
  where ${column} is not null`

/**
 * Handlers that workers have registered, and those of the newest tasks: an imported task may have a handler that no
 * worker has registered.
 */
const handlerNames = `
  select name as value from handlers
  union
  select handler ->> 'name' from workers, jsonb_array_elements(handlers) as handler
  union
  select handler from (select handler from tasks order by delivery_id desc limit ${maxRecent}) as recent`

const selectValues: Readonly<Record<ValueColumn, string>> = {
  repository: valuesInOrder('repository', maxValues),
  event: valuesInOrder('event', maxValues),
  action: valuesOfRecent('action'),
  sender: valuesOfRecent('sender'),
  source: valuesOfRecent('source'),
  ref: valuesOfRecent('ref'),
  handler: handlerNames,
}
