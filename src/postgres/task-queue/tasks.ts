/**
 * Changes the state of tasks, in the transaction of the caller. `inbox/states.ts` describes the states.
 *
 * Lock order: a transaction that changes tasks first locks the rows of their deliveries, in the order of their ids, then the
 * rows of failure groups, and then their queues (`order.ts`), in the order of their buckets. A transaction that holds a queue
 * never waits for a delivery or a group, so two transactions cannot deadlock.
 */

import { maxDurationClass, minIndexedDuration } from '../../inbox/query/duration-class.ts'
import { hasEnded, transitionOf } from '../../inbox/states.ts'
import { failureOf, type TaskFailure } from '../../inbox/task-failure.ts'
import type { AttemptResult, DeliveryStatus } from '../../inbox/task-queue.ts'
import { idsOf, recordset } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { saveFailureGroups } from './failure-groups.ts'
import { claimNextTasks, type FinishedPlace, lockOrderKeysOf, promoteNext } from './order.ts'

/** @returns the ids of the deliveries that exist. */
export async function lockDeliveries(transaction: Transaction, ids: Iterable<number>): Promise<number[]> {
  return idsOf(await transaction.all(selectForUpdate, [...new Set(ids)]))
}

export interface WorkerResult extends AttemptResult {
  worker: number
}

/**
 * Records the results of attempts. If the task of a result has an order key, claims the next task with this key for the
 * same worker, or makes the next task due. Then commits the transaction. Ignores a result if its worker no longer holds
 * the lease of the task.
 * @returns the status of each result's delivery; `undefined` if the result was ignored.
 */
export async function finish(
  transaction: Transaction,
  results: readonly WorkerResult[],
): Promise<(DeliveryStatus | undefined)[]> {
  const ids = [...new Set(idsOf(results))]
  const failures = results.map(failureOf)
  const rows = results.map((result, index) => rowOf(result, index, failures[index]))
  if (rows.some(({ next_at }) => next_at !== undefined && next_at <= Date.now())) transaction.due = true
  // Sent together, because the queues stay locked during each round trip. They are locked as late as possible.
  const [, , ended, states, , claimed] = await Promise.all([
    lockDeliveries(transaction, ids),
    saveFailureGroups(
      transaction,
      results.flatMap(({ id, attempt, worker }, index) => {
        const failure = failures[index]
        return failure ? { ...failure, lease: { delivery_id: id, attempt, worker } } : []
      }),
    ),
    transaction.all<{ index: number }>(endLeases, recordset(rows)),
    updateDeliveryStates(transaction, ids, idsOf(results.filter(({ duration }) => duration >= minIndexedDuration))),
    lockOrderKeysOf(transaction, ids),
    claimNextTasks(transaction, results.flatMap(placeOf)),
    promoteNext(transaction, ids),
    transaction.commit(),
  ])

  const recorded = new Set(ended.map(({ index }) => index))
  // If several results of a delivery are recorded together, the last one has ended the delivery.
  const last = new Map([...recorded].sort((a, b) => a - b).map((index) => [results[index]?.id, index]))
  const nextTasks = new Map(claimed.map(({ place, ...task }) => [place, { ...task, ordered: true }]))
  return results.map(({ id }, index): DeliveryStatus | undefined => {
    const [state, next] = [states.get(id), nextTasks.get(index)]
    // A worker repeats a call if the answer is lost. The repeated call records nothing, but returns the same next task.
    if (state === undefined || !(recorded.has(index) || next)) return undefined
    const endedByOther = last.get(id) !== index && hasEnded(state)
    return { id, state, ...(endedByOther && { endedByOther }), ...(next && { next }) }
  })
}

function placeOf(
  { id, handler, attempt, worker, nextBytes, nextSources, nextAhead = false, startedAt, duration }: WorkerResult,
  place: number,
): FinishedPlace[] {
  if (nextBytes === undefined) return []
  const limits = { bytes: nextBytes, sources: nextSources, ahead: nextAhead, now: startedAt + duration }
  return [{ id, handler, ended: attempt, worker, ...limits, place }]
}

function rowOf(attempt: WorkerResult, index: number, failure: TaskFailure | undefined) {
  const { id, handler, attempt: number, worker, outcome, startedAt, duration, error, result, log } = attempt
  const { state, nextAt, delay, attemptsUsedChange } = transitionOf(attempt)
  return {
    ...{ index, delivery_id: id, handler, attempt: number, worker },
    ...{ state, next_at: nextAt, delay, attempts_used_change: attemptsUsedChange },
    ...{ started_at: startedAt, duration, outcome, error, result, log },
    ...{ failure_group: failure?.id, failed_at: failure?.at },
  }
}

/**
 * Derives the states of locked deliveries from their tasks, and their places in the index of durations from their
 * attempts. Does not write a row that is right already.
 * @param slow The deliveries with an attempt that puts them into this index. Those with several attempts need not be named.
 * @returns the states by id.
 */
export async function updateDeliveryStates(
  transaction: Transaction,
  ids: Iterable<number>,
  slow: readonly number[] = [],
): Promise<Map<number, DeliveryStatus['state']>> {
  const all = [...ids]
  if (all.length === 0) return new Map()
  for (const id of all) transaction.changed.add(id)
  const rows = await transaction.all<DeliveryStatus>(updateStates, all, slow)
  return new Map(rows.map(({ id, state }) => [id, state]))
}

/**
 * For `with recursive`: the handlers with tasks that are due now or later. Finds each handler by one index seek, because
 * there may be very many tasks.
 */
export const scheduledHandlers = `
  scheduled as (
    (select handler from tasks where next_at is not null order by handler limit 1)
    union all
    select next.handler
    from scheduled, lateral (
      select handler from tasks
      where next_at is not null and handler > scheduled.handler
      order by handler
      limit 1) as next
  )`

const selectForUpdate = 'select id from deliveries where id = any($1::bigint[]) order by id for update'

/**
 * A released attempt leaves the failure of an earlier attempt unresolved. Its task is first again (pass 0). A retry gets
 * its pass later, when it becomes ready.
 */
const endLeases = `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (
      index int, delivery_id bigint, handler text, attempt int, worker bigint, state text, next_at bigint, delay bigint,
      attempts_used_change int, started_at bigint, duration bigint, outcome text, error text, result text, log text,
      failure_group bigint, failed_at bigint)
  ), firsts as (
    select distinct on (delivery_id, handler, attempt, worker) * from input
    order by delivery_id, handler, attempt, worker, index
  ), ended as (
    update tasks
    set state = firsts.state, next_at = firsts.next_at, delay = firsts.delay, pass = 0,
        attempts_used = tasks.attempts_used + firsts.attempts_used_change,
        claimed_ahead = false, worker = null, started_at = null,
        failure_group = case firsts.outcome when 'released' then tasks.failure_group else firsts.failure_group end,
        failed_at = case firsts.outcome when 'released' then tasks.failed_at else firsts.failed_at end
    from firsts
    where tasks.delivery_id = any(array(select delivery_id from firsts))
      and tasks.delivery_id = firsts.delivery_id and tasks.handler = firsts.handler
      and tasks.attempt = firsts.attempt and tasks.worker = firsts.worker and tasks.state = 'running'
    returning firsts.index, tasks.delivery_id, tasks.handler
  ), recorded as (
    insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error, result, log)
    select delivery_id, handler, attempt, started_at, duration, outcome, error, result, log
    from ended join input using (index, delivery_id, handler)
  )
  select index from ended`

/** The rule of `durationClassOf`, for all ended attempts of a delivery. */
export const durationClass = (id: string): string => `(
  select case when sum(duration) >= ${minIndexedDuration}
    then least(${maxDurationClass}, floor(log(2, sum(duration) / ${minIndexedDuration}.0)))::int end
  from attempts where delivery_id = ${id})`

/**
 * The rules of `deliveryStateOf` and `nextAttemptOf`. While a task runs, the columns need not have this state, see
 * `delivery-reader/states.ts`. But after a failure, the column must not say `done`: a search for errors skips `done` rows.
 *
 * The condition on `$1` at the end of `changed` already follows from the join. Without it, PostgreSQL would read the whole
 * table `deliveries` as long as that table is small, instead of only the deliveries in `$1`.
 */
const updateStates = `
  with status as materialized (
    select
      delivery_id, sum(attempt) as attempts, count(failure_group) > 0 as failed,
      case
        when bool_or(state = 'running') then 'running'
        when bool_or(state = 'retrying') then 'retrying'
        when bool_or(state = 'pending') then 'pending'
        when bool_or(state = 'dead') then 'dead'
        when bool_and(state = 'gone') then 'ignored'
        when bool_and(state in ('discarded', 'gone')) then 'discarded'
        else 'done'
      end as state,
      case
        when bool_or(state = 'running') then null
        when bool_or(state = 'retrying') then nullif(min(next_at) filter (where state = 'retrying'), 0)
        else nullif(min(coalesce(next_at, start_at, 0)) filter (where state = 'pending'), 0)
      end as next_at
    from tasks
    where delivery_id = any($1::bigint[])
    group by delivery_id
  ), classes as materialized (
    select delivery_id, ${durationClass('delivery_id')} as class
    from status
    where attempts > 1 or delivery_id = any($2::bigint[])
  ), changed as (
    update deliveries
    set state = status.state, next_at = status.next_at,
        duration_class = case when classes.delivery_id is null then duration_class else classes.class end
    from status left join classes using (delivery_id)
    where deliveries.id = status.delivery_id and deliveries.id = any($1::bigint[])
      and (
        case status.state
          when 'running' then deliveries.state = 'done' and status.failed
          else (deliveries.state, deliveries.next_at) is distinct from (status.state, status.next_at)
        end
        or classes.delivery_id is not null and deliveries.duration_class is distinct from classes.class)
  )
  select delivery_id as id, state from status`
