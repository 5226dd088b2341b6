import type { ClaimedTask } from '../inbox/inbox.ts'
import type { TaskState } from '../inbox/records.ts'
import type { Session } from './connection.ts'
import { asked } from './database.ts'
import { type FetchedJob, type JobQueue, newJob } from './job-queue.ts'
import { lockOrderKeysOf, OrderQueues } from './order.ts'
import { checkRegistered } from './registry.ts'
import { lockDeliveries, updateDeliveryStates } from './tasks.ts'

interface FetchedTask {
  delivery_id: number
  handler: string
  job: string
  state: TaskState
  next_at: number | null
  attempt: number
  attempts_used: number
  order_hash: number | null
  size: number
  replayed: boolean
}

/** What becomes of a job that was fetched. */
interface ClaimDecision {
  claimed: (FetchedTask & { job: string })[]
  /** Not their turn. */
  blocked: FetchedTask[]
  /** Not due yet by the caller's clock, or too many bytes. */
  notDue: FetchedTask[]
  /** Their bodies are larger than the worker has memory for. */
  tooLarge: FetchedTask[]
}

/** Milliseconds after which a task is due again whose body was too tooLarge, so that the tasks behind it are claimed first. */
const tooLargeDelay = 1000

/** Milliseconds by which the clocks of processes may differ. */
const clockTolerance = 1000

/** What began. */
export interface ClaimResult {
  claimed: ClaimedTask[]
  /** Some jobs were those of tasks that have gone another way, and there may be others behind them. */
  more: boolean
}

export interface ClaimOptions {
  worker: number
  /** How many tasks of each handler at most. */
  wanted: Readonly<Record<string, number>>
  /** Bytes of all bodies together; the first task begins whatever its size. */
  bytes: number
  /** Bytes of one body. */
  largest: number
  now: number
}

/** Begins tasks that are due. */
export async function claim(
  session: Session,
  jobs: JobQueue,
  { worker, wanted, bytes, largest, now }: ClaimOptions,
): Promise<() => Promise<ClaimResult>> {
  const handlers = Object.entries(wanted)
  const [fetched] = await Promise.all([
    Promise.all(handlers.map(([handler, limit]) => jobs.fetch(session, handler, limit, isAhead(now)))),
    checkRegistered(session, worker),
  ])
  const all = handlers.flatMap(([handler], index) => (fetched[index] ?? []).map((one) => ({ ...one, handler })))
  const { claimed, blocked, notDue, tooLarge } = await decideClaims(session, all, { bytes, largest, now })
  const kept = new Set(notDue.map(({ job }) => job))
  const later = tooLarge.map(({ delivery_id: id, handler }) => ({
    id,
    handler,
    job: newJob(),
    at: Date.now() + tooLargeDelay,
  }))
  const answers = [
    later.length > 0 &&
      session.run(
        replaceJobs,
        ...columnsOf(tooLarge),
        later.map(({ job }) => job),
      ),
    jobs.add(session, later),
    blocked.length > 0 && session.run(blockTasks, ...columnsOf(blocked)),
    claimed.length > 0 && session.run(startTasks, ...columnsOf(claimed), worker, now),
    ...handlers.flatMap(([handler]) => {
      const own = all.filter((one) => one.handler === handler).map(({ job }) => job)
      const isKept = (job: string) => kept.has(job)
      return [
        jobs.restore(session, handler, own.filter(isKept)),
        jobs.remove(
          session,
          handler,
          own.filter((job) => !isKept(job)),
        ),
      ]
    }),
    updateDeliveryStates(session, new Set([...claimed, ...blocked].map(({ delivery_id }) => delivery_id))),
  ]
  const result = claimed.map(({ delivery_id: id, handler, attempt, attempts_used, replayed }) => {
    return { id, handler, attempt: attempt + 1, attemptsUsed: attempts_used + 1, replayed }
  })
  const more = all.length > claimed.length + blocked.length + notDue.length || tooLarge.length > 0
  return asked(Promise.all(answers).then(() => ({ claimed: result, more })))
}

/** Whether a caller's clock is ahead of ours: what is due is then decided by it alone. */
export const isAhead = (now: number): boolean => now > Date.now() + clockTolerance

async function decideClaims(
  session: Session,
  all: readonly (FetchedJob & { handler: string })[],
  { bytes, largest, now }: Pick<ClaimOptions, 'bytes' | 'largest' | 'now'>,
): Promise<ClaimDecision> {
  const fates: ClaimDecision = { claimed: [], blocked: [], notDue: [], tooLarge: [] }
  if (all.length === 0) return fates
  const columns = [all.map(({ id }) => id), all.map(({ handler }) => handler), all.map(({ job }) => job)]
  const ids = columns[0] as number[]
  const [, candidates, , turns] = await Promise.all([
    lockDeliveries(session, ids),
    session.all<FetchedTask>(selectCandidates, ...columns),
    lockOrderKeysOf(session, ids),
    OrderQueues.ofDeliveries(session, ids),
  ])
  let left = bytes
  for (const one of candidates) {
    if (one.size > largest) fates.tooLarge.push(one)
    else if ((one.next_at ?? 0) > now || (one.size > left && fates.claimed.length > 0)) fates.notDue.push(one)
    else if (!turns.mayBegin(one.order_hash, one.delivery_id, true)) fates.blocked.push(one)
    else {
      fates.claimed.push(one)
      left -= one.size
    }
  }
  return fates
}

const columnsOf = (tasks: readonly FetchedTask[]) => [
  tasks.map(({ delivery_id }) => delivery_id),
  tasks.map(({ handler }) => handler),
]

/** Of jobs that were fetched those that are still their tasks'; the oldest first, as the order of a key wants it. */
const selectCandidates = `
  select tasks.delivery_id, tasks.handler, tasks.job, tasks.state, tasks.next_at, tasks.attempt, tasks.attempts_used, tasks.order_hash,
         deliveries.size, deliveries.replayed
  from unnest($1::bigint[], $2::text[], $3::uuid[]) as fetched (delivery_id, handler, job)
  join tasks on tasks.delivery_id = fetched.delivery_id and tasks.handler = fetched.handler and tasks.job = fetched.job
  join deliveries on deliveries.id = tasks.delivery_id
  where tasks.delivery_id = any($1) and tasks.state in ('pending', 'retrying') and tasks.next_at is not null
  order by tasks.delivery_id`

/** Of tasks that stay due. */
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
      worker = $3, started_at = $4
  from unnest($1::bigint[], $2::text[]) as claimed (delivery_id, handler)
  where tasks.delivery_id = any($1) and tasks.delivery_id = claimed.delivery_id and tasks.handler = claimed.handler`
