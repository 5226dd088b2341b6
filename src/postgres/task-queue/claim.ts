import { clockTolerance } from '../../inbox/processes.ts'
import { type ClaimedTask, type ClaimRequest, maxSuspects } from '../../inbox/task-queue.ts'
import { idsOf, type Sql } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { type FetchedJob, type JobQueue, newJob } from './job-queue.ts'
import { lockOrderKeysOf, OrderQueues } from './order.ts'
import { lockDeliveries, updateDeliveryStates } from './tasks.ts'
import { checkRegistered } from './workers.ts'

/**
 * If a task cannot be claimed now because its body is too large or it is a suspect, the task gets a new job that is due
 * after this many milliseconds. Meanwhile, workers claim the tasks behind it.
 */
export const postponement = 250

export interface ClaimResult {
  claimed: ClaimedTask[]
  /**
   * Whether to claim again, because there may be due jobs behind the fetched ones. True if a fetched job belonged to no
   * waiting task, or to a task that was postponed.
   */
  more: boolean
  /** Whether fetched tasks were postponed. */
  postponed: boolean
}

/** A waiting task whose job was fetched. */
export interface FetchedTask {
  delivery_id: number
  handler: string
  job: string
  next_at: number
  attempt: number
  attempts_used: number
  order_hash: number | null
  size: number
  replayed: boolean
  /** Whether its two latest leases have expired. */
  suspect: boolean
}

/** The decision for each fetched task. */
export interface ClaimDecision {
  claimed: FetchedTask[]
  /** Another task with the same order key is first, or is running. */
  blocked: FetchedTask[]
  /** Not due yet by the caller's clock, or their bodies exceed the bytes that are left. */
  notDue: FetchedTask[]
  /** Their bodies exceed `largest`, or they are suspects beyond the number that may be claimed. */
  postponed: FetchedTask[]
}

/**
 * Whether `now`, the time at which tasks have to be due, is ahead of the clock of this process by more than
 * `clockTolerance`.
 */
export const isAhead = (now: number): boolean => now > Date.now() + clockTolerance

/** Claims due tasks and commits. */
export async function claim(
  transaction: Transaction,
  jobs: JobQueue,
  { worker, wanted, now, ...limits }: ClaimRequest & { worker: number },
): Promise<ClaimResult> {
  const [fetched] = await Promise.all([
    fetchJobs(transaction, jobs, wanted, isAhead(now)),
    checkRegistered(transaction, worker),
  ])
  if (fetched.length === 0) return { claimed: [], more: false, postponed: false }
  const [tasks, queues] = await lockTasks(transaction, fetched)
  const decision = decideClaims(tasks, { ...limits, now }, (task) => {
    return queues.takeTurn(task.order_hash, task.delivery_id, true)
  })
  const { claimed, blocked, notDue, postponed } = decision
  await Promise.all([
    postpone(transaction, jobs, postponed),
    blocked.length > 0 && transaction.run(blockTasks, ...columnsOf(blocked)),
    claimed.length > 0 && transaction.run(startTasks, ...columnsOf(claimed), worker, now),
    returnJobs(transaction, jobs, fetched, notDue),
    updateDeliveryStates(transaction, new Set([...claimed, ...blocked].map(({ delivery_id }) => delivery_id))),
    transaction.commit(),
  ])
  return {
    claimed: claimed.map(({ delivery_id: id, handler, attempt, attempts_used, order_hash, replayed, suspect }) => {
      const task = { id, handler, attempt: attempt + 1, attemptsUsed: attempts_used + 1, replayed }
      return { ...task, ...(order_hash !== null && { ordered: true }), ...(suspect && { suspect }) }
    }),
    more: fetched.length > claimed.length + blocked.length + notDue.length,
    postponed: postponed.length > 0,
  }
}

/** The earliest time at which a task of these handlers is due. 0 if a delivery is unmatched. */
export async function nextDueAt(sql: Sql, handlers: readonly string[]): Promise<number | undefined> {
  const row = await sql.get<{ at: number | null }>(selectNextDue, handlers)
  return row?.at ?? undefined
}

async function fetchJobs(
  transaction: Transaction,
  jobs: JobQueue,
  wanted: ClaimRequest['wanted'],
  early: boolean,
): Promise<FetchedJob[]> {
  const fetched = Object.entries(wanted).map(([handler, limit]) => jobs.fetch(transaction, handler, limit, early))
  return (await Promise.all(fetched)).flat()
}

/**
 * Locks the deliveries of fetched jobs, and then the queues of the tasks of these deliveries.
 * @returns the tasks that still have these jobs, in order of receipt, and the queues.
 */
async function lockTasks(
  transaction: Transaction,
  fetched: readonly FetchedJob[],
): Promise<[tasks: FetchedTask[], queues: OrderQueues]> {
  const ids = idsOf(fetched)
  const [handlers, jobs] = [fetched.map(({ handler }) => handler), fetched.map(({ job }) => job)]
  const [, tasks, , queues] = await Promise.all([
    lockDeliveries(transaction, ids),
    transaction.all<FetchedTask>(selectFetched, ids, handlers, jobs),
    lockOrderKeysOf(transaction, ids),
    OrderQueues.ofDeliveries(transaction, ids),
  ])
  return [tasks, queues]
}

/**
 * Decides which tasks are claimed.
 * @param takeTurn Whether the order key of a task allows the task to run. Once it has returned `true` for a task, it
 *   returns `false` for the other tasks with the same key.
 */
export function decideClaims(
  tasks: readonly FetchedTask[],
  { bytes, largest = Number.POSITIVE_INFINITY, suspect, now }: Omit<ClaimRequest, 'wanted'>,
  takeTurn: (task: FetchedTask) => boolean,
): ClaimDecision {
  const decision: ClaimDecision = { claimed: [], blocked: [], notDue: [], postponed: [] }
  let bytesLeft = bytes
  let suspectsLeft = maxSuspects(suspect)
  for (const task of tasks) {
    const isDue = task.next_at <= now
    const fits = task.size <= bytesLeft || decision.claimed.length === 0
    if (task.size > largest) decision.postponed.push(task)
    else if (!isDue || !fits) decision.notDue.push(task)
    else if (task.suspect && suspectsLeft < 1) decision.postponed.push(task)
    else if (!takeTurn(task)) decision.blocked.push(task)
    else {
      decision.claimed.push(task)
      bytesLeft -= task.size
      if (task.suspect) suspectsLeft--
    }
  }
  return decision
}

/** Replaces the jobs of tasks with later jobs. The tasks themselves stay due. */
async function postpone(transaction: Transaction, jobs: JobQueue, tasks: readonly FetchedTask[]): Promise<void> {
  if (tasks.length === 0) return
  const at = Date.now() + postponement
  const later = tasks.map(({ delivery_id: id, handler }) => ({ id, handler, job: newJob(), at }))
  const newJobs = later.map(({ job }) => job)
  await Promise.all([transaction.run(replaceJobs, ...columnsOf(tasks), newJobs), jobs.add(transaction, later)])
}

/** Puts the jobs of the `notDue` tasks back into their queues, and deletes the other fetched jobs. */
async function returnJobs(
  transaction: Transaction,
  jobs: JobQueue,
  fetched: readonly FetchedJob[],
  notDue: readonly FetchedTask[],
): Promise<void> {
  const kept = new Set(notDue.map(({ job }) => job))
  const byHandler = Map.groupBy(fetched, ({ handler }) => handler)
  const returned = [...byHandler].flatMap(([handler, own]) => {
    const ids = own.map(({ job }) => job)
    const [restored, removed] = [ids.filter((job) => kept.has(job)), ids.filter((job) => !kept.has(job))]
    return [jobs.restore(transaction, handler, restored), jobs.remove(transaction, handler, removed)]
  })
  await Promise.all(returned)
}

const columnsOf = (tasks: readonly FetchedTask[]) => [
  tasks.map(({ delivery_id }) => delivery_id),
  tasks.map(({ handler }) => handler),
]

/**
 * The tasks that still have the fetched jobs, in order of receipt, because tasks with the same order key run in this
 * order.
 */
const selectFetched = `
  select tasks.delivery_id, tasks.handler, tasks.job, tasks.next_at, tasks.attempt, tasks.attempts_used, tasks.order_hash,
         deliveries.size, deliveries.replayed,
         tasks.attempts_used > 1 and 2 = (
           select count(*) from (
             select outcome from attempts
             where attempts.delivery_id = tasks.delivery_id and attempts.handler = tasks.handler
               and outcome <> 'released'
             order by number desc limit 2) as latest
           where outcome = 'cut off') as suspect
  from unnest($1::bigint[], $2::text[], $3::uuid[]) as fetched (delivery_id, handler, job)
  join tasks on tasks.delivery_id = fetched.delivery_id and tasks.handler = fetched.handler and tasks.job = fetched.job
  join deliveries on deliveries.id = tasks.delivery_id
  where tasks.delivery_id = any($1) and tasks.state in ('pending', 'retrying') and tasks.next_at is not null
  order by tasks.delivery_id`

const selectNextDue = `
  select case
    when exists (select 1 from deliveries where not matched) then 0
    else (
      select min(first.next_at)
      from unnest($1::text[]) as input (handler), lateral (
        select next_at from tasks
        where tasks.handler = input.handler and next_at is not null
        order by next_at
        limit 1) as first
      where not exists (select 1 from pauses where pauses.handler in (input.handler, '*')))
  end as at`

const replaceJobs = `
  update tasks set job = later.job
  from unnest($1::bigint[], $2::text[], $3::uuid[]) as later (delivery_id, handler, job)
  where tasks.delivery_id = later.delivery_id and tasks.handler = later.handler`

const blockTasks = `
  update tasks set state = 'pending', next_at = null, delay = null, job = null
  from unnest($1::bigint[], $2::text[]) as blocked (delivery_id, handler)
  where tasks.delivery_id = blocked.delivery_id and tasks.handler = blocked.handler`

const startTasks = `
  update tasks
  set state = 'running', next_at = null, delay = null, job = null, attempt = attempt + 1, attempts_used = attempts_used + 1,
      worker = $3, started_at = $4, claimed_after = null
  from unnest($1::bigint[], $2::text[]) as claimed (delivery_id, handler)
  where tasks.delivery_id = any($1) and tasks.delivery_id = claimed.delivery_id and tasks.handler = claimed.handler`
