import { type ClaimedTask, type ClaimRequest, fromRandom, maxSuspects, moreScheduled } from '../../inbox/task-queue.ts'
import type { Sql } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { isSuspect } from '../delivery-reader/states.ts'
import { makeReady } from './fairness.ts'
import { distinctHashes, lockOrderKeys, OrderQueues } from './order.ts'
import { scheduledHandlers, updateDeliveryStates } from './tasks.ts'
import { checkRegistered } from './workers.ts'

export interface ClaimResult {
  claimed: ClaimedTask[]
  /** Whether to claim again: all tasks that were found wait for other tasks with their order keys. */
  more: boolean
}

/** A due task. This transaction has locked its row and the row of its delivery. */
export interface DueTask {
  delivery_id: number
  handler: string
  attempt: number
  attempts_used: number
  uncounted: number
  order_hash: number | null
  pass: number
  /** False: it waited for its time, and its pass is that of an earlier attempt. */
  ready: boolean
  size: number
  replayed: boolean
  /** Whether its two latest leases have expired. */
  suspect: boolean
}

/** A due task that this worker claims. `ahead`: whether it is claimed ahead. */
type ClaimableTask = DueTask & { ahead: boolean }

/** The decision about the due tasks. A task that is in neither list stays due. */
export interface ClaimDecision {
  claimed: ClaimableTask[]
  /** Another task with the same order key is first, or is running. */
  blocked: DueTask[]
}

/**
 * Claims due tasks and commits. Skips tasks that another transaction has locked, because another worker may be claiming
 * them. So many workers can claim at the same time, and none waits for another one.
 */
export async function claim(
  transaction: Transaction,
  request: ClaimRequest & { worker: number },
): Promise<ClaimResult> {
  const { worker, now } = request
  const [locked] = await Promise.all([lockDueTasks(transaction, request), checkRegistered(transaction, worker)])
  if (locked.length === 0) return { claimed: [], more: false }
  const { tasks, made } = await withPasses(transaction, locked, request.wanted)
  if (made.length > 0) transaction.due = true // another worker may have skipped them, because they were locked
  const due = inTurn(tasks, request.wanted)
  const hashes = distinctHashes(due.map(({ order_hash }) => order_hash))
  const [, queues] = await Promise.all([lockOrderKeys(transaction, hashes), OrderQueues.of(transaction, hashes)])
  const { claimed, blocked } = decideClaims(due, request, ({ order_hash, delivery_id }) => {
    return queues.takeTurn(order_hash, delivery_id, true)
  })
  for (const { delivery_id } of claimed) transaction.changed.add(delivery_id)
  await Promise.all([
    blocked.length > 0 && transaction.run(blockTasks, ...columnsOf(blocked)),
    claimed.length > 0 &&
      transaction.run(
        startTasks,
        ...columnsOf(claimed),
        claimed.map(({ ahead }) => ahead),
        worker,
        now,
      ),
    updateDeliveryStates(transaction, new Set([...blocked, ...made].map(({ delivery_id }) => delivery_id))),
    transaction.commit(),
  ])
  return {
    claimed: claimed.map(
      ({ delivery_id: id, handler, attempt, attempts_used, uncounted, order_hash, replayed, suspect }) => {
        const task = { id, handler, attempt: attempt + 1, attemptsUsed: attempts_used + 1, replayed }
        const limit = uncounted > 0 && { uncounted }
        return { ...task, ...limit, ...(order_hash !== null && { ordered: true }), ...(suspect && { suspect }) }
      },
    ),
    more: claimed.length === 0 && blocked.length > 0,
  }
}

/** The handlers that have due tasks and are not paused. */
export async function handlersWithDueTasks(sql: Sql, now: number, sources?: readonly string[]): Promise<Set<string>> {
  const rows = await sql.all<{ handler: string }>(selectHandlers(sources), now, ...(sources ? [sources] : []))
  return new Set(rows.map(({ handler }) => handler))
}

/** The earliest time at which a task of these handlers is due. 0 if a delivery is unmatched. */
export async function nextDueAt(
  sql: Sql,
  handlers: readonly string[],
  sources?: readonly string[],
): Promise<number | undefined> {
  const row = await sql.get<{ at: number | null }>(selectNextDue(sources), handlers, ...(sources ? [sources] : []))
  return row?.at ?? undefined
}

/**
 * Locks due tasks and their deliveries: of each handler, as many ready ones as wanted, and `moreScheduled` more of those
 * whose time has come. If there are too many suspects, also locks other tasks.
 */
export async function lockDueTasks(
  sql: Sql,
  { wanted, now, largest = Number.MAX_SAFE_INTEGER, suspect, sources }: ClaimRequest,
): Promise<DueTask[]> {
  const entries = fromRandom(Object.entries(wanted))
  const [handlers, limits] = [entries.map(([handler]) => handler), entries.map(([, max]) => max)]
  const find = (mayBeSuspect: boolean) => {
    const values = [handlers, limits, now, Math.min(largest, maxSize), mayBeSuspect, ...(sources ? [sources] : [])]
    return sql.all<DueTask>(selectDue(sources), ...values)
  }
  const limit = maxSuspects(suspect)
  if (limit < 1) return find(false)
  const found = await find(true)
  const suspects = found.filter((task) => task.suspect)
  if (suspects.length <= limit) return found
  return [...suspects.slice(0, limit), ...(await find(false))]
}

/**
 * If more tasks of a handler are due than are wanted, makes those ready that waited for their time, so that they get a
 * pass. @returns all tasks, and those that became ready.
 */
async function withPasses(
  transaction: Transaction,
  tasks: readonly DueTask[],
  wanted: ClaimRequest['wanted'],
): Promise<{ tasks: readonly DueTask[]; made: readonly DueTask[] }> {
  const counts = Map.groupBy(tasks, ({ handler }) => handler)
  const isExcess = ({ handler, ready }: DueTask) => {
    return !ready && (counts.get(handler)?.length ?? 0) > (wanted[handler] ?? 0)
  }
  const waited = tasks.filter(isExcess)
  if (waited.length === 0) return { tasks, made: [] }
  const made = await transaction.all<DueTask>(makeReady, ...columnsOf(waited))
  const passes = new Map(made.map(({ delivery_id, handler, pass }) => [`${delivery_id} ${handler}`, pass]))
  const passed = tasks.map((task) => ({
    ...task,
    pass: passes.get(`${task.delivery_id} ${task.handler}`) ?? task.pass,
  }))
  return { tasks: passed, made }
}

/**
 * Sorts the tasks of each handler by their passes. The handlers take turns. Keeps at most twice as many tasks as wanted, in
 * case order keys block some.
 */
function inTurn(tasks: readonly DueTask[], wanted: ClaimRequest['wanted']): DueTask[] {
  const byPass = (a: DueTask, b: DueTask) => a.pass - b.pass || a.delivery_id - b.delivery_id
  const placed = [...Map.groupBy(tasks, ({ handler }) => handler)].flatMap(([handler, own]) => {
    const first = own.sort(byPass).slice(0, 2 * (wanted[handler] ?? 0))
    return first.map((task, place) => ({ task, place }))
  })
  return placed.sort((a, b) => a.place - b.place).map(({ task }) => task)
}

/**
 * Decides which tasks are claimed.
 * @param tasks In the order in which they should be claimed.
 * @param takeTurn Whether the order key of a task allows the task to run. Once it has returned `true` for a task, it
 *   returns `false` for the other tasks with the same key.
 */
export function decideClaims(
  tasks: readonly DueTask[],
  { wanted, ahead = {}, bytes }: Pick<ClaimRequest, 'wanted' | 'ahead' | 'bytes'>,
  takeTurn: (task: DueTask) => boolean,
): ClaimDecision {
  const decision: ClaimDecision = { claimed: [], blocked: [] }
  const free = new Map(Object.entries(wanted))
  let bytesLeft = bytes
  for (const task of tasks) {
    const left = free.get(task.handler) ?? 0
    const fits = task.size <= bytesLeft || decision.claimed.length === 0
    if (left < 1 || !fits) continue
    if (!takeTurn(task)) decision.blocked.push(task)
    else {
      decision.claimed.push({ ...task, ahead: left <= (ahead[task.handler] ?? 0) && !task.suspect })
      free.set(task.handler, left - 1)
      bytesLeft -= task.size
    }
  }
  return decision
}

const columnsOf = (tasks: readonly DueTask[]) => [
  tasks.map(({ delivery_id }) => delivery_id),
  tasks.map(({ handler }) => handler),
]

/** The maximum of the column `size`. */
const maxSize = 2 ** 31 - 1

const isPaused = (handler: string) => `exists (select 1 from pauses where pauses.handler in (${handler}, '*'))`

/** A condition on the source of a delivery. Empty if all sources match. @param parameter The place of the sources. */
const hasSource = (sources: readonly string[] | undefined, parameter: string) =>
  sources ? ` and deliveries.source = any(${parameter}::text[])` : ''

/**
 * When the first task of a handler is due. Reads deliveries only if it needs their sources. The order makes PostgreSQL read
 * the tasks by index until it has found one.
 */
const selectFirstDue = (handler: string, sources: readonly string[] | undefined) => `
  select tasks.next_at
  from tasks ${sources ? 'join deliveries on deliveries.id = tasks.delivery_id' : ''}
  where tasks.handler = ${handler} and tasks.next_at is not null${hasSource(sources, '$2')}
  order by tasks.next_at
  limit 1`

const selectHandlers = (sources?: readonly string[]) => `
  with recursive ${scheduledHandlers}
  select handler from scheduled
  where (${selectFirstDue('scheduled.handler', sources)}) <= $1
    and not ${isPaused('scheduled.handler')}`

/** @param times A condition for `next_at`. */
const lockFirst = (times: string, order: string, limit: string, source: string) => `
  select tasks.delivery_id, tasks.handler, tasks.attempt, tasks.attempts_used, tasks.uncounted, tasks.order_hash,
         tasks.pass, tasks.next_at = 0 as ready, deliveries.size, deliveries.replayed, suspicion.suspect
  from tasks join deliveries on deliveries.id = tasks.delivery_id, lateral (select ${isSuspect} as suspect) as suspicion
  where tasks.handler = wanted.handler and tasks.next_at ${times} and deliveries.size <= $4
    and ($5 or not suspicion.suspect)${source}
  order by ${order}
  limit ${limit}
  for update of tasks, deliveries skip locked`

const lockReady = (source: string) => lockFirst('= 0', 'tasks.pass, tasks.delivery_id', 'wanted.max', source)
const lockScheduled = (source: string) => {
  const order = 'tasks.next_at, tasks.pass, tasks.delivery_id'
  return lockFirst('between 1 and $3', order, `wanted.max + ${moreScheduled}`, source)
}

/**
 * Ready tasks, and tasks whose time has come: retries, and tasks of handlers with a delay. They are found separately: in
 * the order of `next_at`, no retry would start as long as there are enough ready tasks.
 */
const selectDue = (sources?: readonly string[]) => `
  select due.*
  from unnest($1::text[], $2::int[]) as wanted (handler, max), lateral (
    select * from (${lockReady(hasSource(sources, '$6'))}) as ready
    union all
    select * from (${lockScheduled(hasSource(sources, '$6'))}) as scheduled) as due
  where not ${isPaused('wanted.handler')}`

const selectNextDue = (sources?: readonly string[]) => `
  select case
    when exists (select 1 from deliveries where not matched${hasSource(sources, '$2')}) then 0
    else (
      select min(first.next_at)
      from unnest($1::text[]) as input (handler), lateral (${selectFirstDue('input.handler', sources)}) as first
      where not ${isPaused('input.handler')})
  end as at`

const blockTasks = `
  update tasks set state = 'pending', next_at = null, delay = null
  from unnest($1::bigint[], $2::text[]) as blocked (delivery_id, handler)
  where tasks.delivery_id = blocked.delivery_id and tasks.handler = blocked.handler`

const startTasks = `
  update tasks
  set state = 'running', next_at = null, delay = null, attempt = attempt + 1,
      attempts_used = attempts_used + 1, claimed_ahead = claimed.ahead,
      worker = $4, started_at = $5, claimed_after = null
  from unnest($1::bigint[], $2::text[], $3::boolean[]) as claimed (delivery_id, handler, ahead)
  where tasks.delivery_id = any($1) and tasks.delivery_id = claimed.delivery_id and tasks.handler = claimed.handler`
