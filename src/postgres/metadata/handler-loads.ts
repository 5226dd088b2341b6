import { type HandlerLoad, type LoadRow, maxWaiting, toHandlerLoads } from '../../inbox/handler-loads.ts'
import type { Sql } from '../connection/connection.ts'
import { scheduledHandlers } from '../task-queue/tasks.ts'

export async function handlerLoads(sql: Sql, now: number): Promise<HandlerLoad[]> {
  const due = await sql.all<LoadRow>(selectDue, now, maxWaiting)
  const blocked = await sql.all<LoadRow>(selectBlocked, maxWaiting)
  return toHandlerLoads([...due, ...blocked, ...(await sql.all<LoadRow>(selectRunning))])
}

/** New tasks have 0 as `next_at`, and retries a time. The index has both in this order. */
const selectDue = `
  with recursive ${scheduledHandlers}
  select scheduled.handler, due.waiting, least(coalesce(new.received_at, $1), coalesce(retried.at, $1)) as since
  from scheduled, lateral (
    select count(*)::int as waiting
    from (
      select from tasks where tasks.handler = scheduled.handler and next_at <= $1::bigint
      limit $2) as counted) as due
  left join lateral (
    select received_at from tasks join deliveries on deliveries.id = delivery_id
    where tasks.handler = scheduled.handler and tasks.next_at = 0
    order by tasks.next_at, delivery_id
    limit 1) as new on true
  left join lateral (
    select next_at as at from tasks
    where tasks.handler = scheduled.handler and next_at > 0 and next_at <= $1::bigint
    order by next_at
    limit 1) as retried on true`

const selectBlocked = `
  select handler, waiting, received_at as since
  from (
    select handler, count(*)::int as waiting, min(delivery_id) as first
    from (
      select handler, delivery_id from tasks
      where order_hash is not null and state in ('pending', 'running', 'retrying')
        and state = 'pending' and next_at is null
      limit $1) as counted
    group by handler) as blocked
  join deliveries on deliveries.id = first`

const selectRunning = `select handler, count(*)::int as running from tasks where worker is not null group by handler`
