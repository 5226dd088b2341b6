import type { Pool } from 'pg'
import type { Pair } from '../campaign/progress.ts'
import type { AttemptRow, DeliveryRow, InboxContents } from '../campaign/verdict.ts'

export async function readContents(pool: Pool): Promise<InboxContents> {
  const { rows: deliveries } = await pool.query<DeliveryRow>(
    'select id::int, guid, state from hookserver.deliveries order by deliveries.id',
  )
  return { deliveries, attempts: await attemptsOf(pool) }
}

export async function attemptsOf(pool: Pool): Promise<AttemptRow[]> {
  return (await pool.query<AttemptRow>(selectAttempts)).rows
}

/** The number of deliveries that have not ended. */
export async function unfinished(pool: Pool): Promise<number> {
  return (await pool.query<{ count: number }>(countUnfinished)).rows[0]?.count ?? 0
}

/** The pairs whose `attempt` is running according to the inbox. */
export async function running<One extends Pair>(pool: Pool, pairs: readonly One[]): Promise<One[]> {
  const columns = [
    pairs.map(({ guid }) => guid),
    pairs.map(({ handler }) => handler),
    pairs.map(({ attempt }) => attempt),
  ]
  const { rows } = await pool.query<{ index: number }>(selectRunning, columns)
  return rows.map(({ index }) => pairs[index - 1] as One)
}

/** Rows that must not exist when all deliveries have been handled and all workers have ended. */
export async function contradictions(pool: Pool): Promise<string[]> {
  return (await pool.query<{ text: string }>(selectContradictions)).rows.map(({ text }) => text)
}

const selectAttempts = `
  select guid, handler, attempts.number, outcome
  from hookserver.attempts join hookserver.deliveries on deliveries.id = delivery_id
  order by attempts.number`

const countUnfinished = `
  select count(*)::int as count from hookserver.deliveries
  where state in ('pending', 'running', 'retrying') or not matched`

const selectRunning = `
  select position::int as index
  from unnest($1::text[], $2::text[], $3::int[]) with ordinality as asked (guid, handler, attempts_used, position)
  join hookserver.deliveries using (guid)
  join hookserver.tasks on delivery_id = id and tasks.handler = asked.handler and tasks.attempts_used = asked.attempts_used
  where tasks.state = 'running'`

const selectContradictions = `
  select format('%s is %s, but not matched', guid, state) as text from hookserver.deliveries where not matched
  union all
  select format('The task %s of delivery %s is %s, leased to %s, due at %s',
                handler, delivery_id, state, worker, next_at)
  from hookserver.tasks
  where state not in ('done', 'dead', 'discarded', 'gone')
    or worker is not null or started_at is not null or next_at is not null
  union all
  select format('The task %s belongs to no delivery', handler)
  from hookserver.tasks where delivery_id not in (select id from hookserver.deliveries)
  union all
  select format('Delivery %s has no content', id)
  from hookserver.deliveries where coalesce(pack, id) not in (select delivery_id from hookserver.contents)
  union all
  select format('The pack %s belongs to no delivery', delivery_id)
  from hookserver.contents where delivery_id not in (select coalesce(pack, id) from hookserver.deliveries)
  union all
  select format('Worker %s has ended, but is still registered', id) from hookserver.workers`
