import { type HandlerLoad, type LoadRow, maxWaiting, toHandlerLoads } from '../../inbox/handler-loads.ts'
import type { Connection } from '../connection/connection.ts'
import { scheduledHandlers } from '../task-queue/tasks.ts'

export function handlerLoads(connection: Connection, now: number): HandlerLoad[] {
  const due = [...scheduledHandlers(connection)].flatMap((handler) => {
    return connection.all<LoadRow>(selectDue, handler, now, maxWaiting)
  })
  const blocked = connection.all<LoadRow>(selectBlocked, maxWaiting)
  return toHandlerLoads([...due, ...blocked, ...connection.all<LoadRow>(selectRunning)])
}

/** New tasks have 0 as `next_at`, and retries a time. The index has both in this order. */
const selectDue = `
  with input (name, now) as (select ?, ?)
  select name as handler,
         (select count(*) from (select 1 from tasks where handler = name and next_at <= now limit ?)) as waiting,
         min(
           coalesce(
             (select received_at from tasks join deliveries on deliveries.id = delivery_id
              where handler = name and tasks.next_at = 0 order by delivery_id limit 1), now),
           coalesce((select min(next_at) from tasks where handler = name and next_at > 0 and next_at <= now), now)) as since
  from input`

/** The first condition on `state` lets SQLite use the index `tasks_order`. */
const selectBlocked = `
  select handler, waiting, received_at as since
  from (
    select handler, count(*) as waiting, min(delivery_id) as first
    from (
      select handler, delivery_id from tasks
      where order_key is not null and state in ('pending', 'running', 'retrying')
        and state = 'pending' and next_at is null
      limit ?)
    group by handler)
    join deliveries on deliveries.id = first`

const selectRunning = 'select handler, count(*) as running from tasks where worker is not null group by handler'
