import type { Begun } from '../inbox/inbox.ts'
import type { TaskState } from '../inbox/records.ts'
import type { Session } from './connection.ts'
import { asked } from './database.ts'
import { type Fetched, type Jobs, newJob } from './job-queue.ts'
import { checkEnlisted } from './leases.ts'
import { lockLinesOf, Turns } from './order.ts'
import { lockDeliveries, settle } from './tasks.ts'

interface Candidate {
  delivery_id: number
  handler: string
  job: string
  state: TaskState
  next_at: number | null
  attempt: number
  spent: number
  line: number | null
  size: number
  replayed: boolean
}

/** What becomes of a job that was fetched. */
interface Fates {
  begun: (Candidate & { job: string })[]
  /** Not their turn. */
  held: Candidate[]
  /** Not due yet by the caller's clock, or too many bytes. */
  back: Candidate[]
  /** Their bodies are larger than the worker has memory for. */
  large: Candidate[]
}

/** Milliseconds after which a task is due again whose body was too large, so that the tasks behind it are claimed first. */
const largePause = 1000

/** Milliseconds by which the clocks of processes may differ. */
const tolerance = 1000

/** What began. */
export interface Claimed {
  begun: Begun[]
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
  jobs: Jobs,
  { worker, wanted, bytes, largest, now }: ClaimOptions,
): Promise<() => Promise<Claimed>> {
  const handlers = Object.entries(wanted)
  const [fetched] = await Promise.all([
    Promise.all(handlers.map(([handler, limit]) => jobs.fetch(session, handler, limit, isEarly(now)))),
    checkEnlisted(session, worker),
  ])
  const all = handlers.flatMap(([handler], index) => (fetched[index] ?? []).map((one) => ({ ...one, handler })))
  const { begun, held, back, large } = await decide(session, all, { bytes, largest, now })
  const kept = new Set(back.map(({ job }) => job))
  const later = large.map(({ delivery_id: id, handler }) => ({
    id,
    handler,
    job: newJob(),
    at: Date.now() + largePause,
  }))
  const answers = [
    later.length > 0 &&
      session.run(
        replaceJobs,
        ...columnsOf(large),
        later.map(({ job }) => job),
      ),
    jobs.add(session, later),
    held.length > 0 && session.run(holdTasks, ...columnsOf(held)),
    begun.length > 0 && session.run(beginTasks, ...columnsOf(begun), worker, now),
    ...handlers.flatMap(([handler]) => {
      const own = all.filter((one) => one.handler === handler).map(({ job }) => job)
      const isKept = (job: string) => kept.has(job)
      return [
        jobs.giveBack(session, handler, own.filter(isKept)),
        jobs.remove(
          session,
          handler,
          own.filter((job) => !isKept(job)),
        ),
      ]
    }),
    settle(session, new Set([...begun, ...held].map(({ delivery_id }) => delivery_id))),
  ]
  const result = begun.map(({ delivery_id: id, handler, attempt, spent, replayed }) => {
    return { id, handler, attempt: attempt + 1, spent: spent + 1, replayed }
  })
  const more = all.length > begun.length + held.length + back.length || large.length > 0
  return asked(Promise.all(answers).then(() => ({ begun: result, more })))
}

/** Whether a caller's clock is ahead of ours: what is due is then decided by it alone. */
export const isEarly = (now: number): boolean => now > Date.now() + tolerance

async function decide(
  session: Session,
  all: readonly (Fetched & { handler: string })[],
  { bytes, largest, now }: Pick<ClaimOptions, 'bytes' | 'largest' | 'now'>,
): Promise<Fates> {
  const fates: Fates = { begun: [], held: [], back: [], large: [] }
  if (all.length === 0) return fates
  const columns = [all.map(({ id }) => id), all.map(({ handler }) => handler), all.map(({ job }) => job)]
  const ids = columns[0] as number[]
  const [, candidates, , turns] = await Promise.all([
    lockDeliveries(session, ids),
    session.all<Candidate>(selectCandidates, ...columns),
    lockLinesOf(session, ids),
    Turns.ofDeliveries(session, ids),
  ])
  let left = bytes
  for (const one of candidates) {
    if (one.size > largest) fates.large.push(one)
    else if ((one.next_at ?? 0) > now || (one.size > left && fates.begun.length > 0)) fates.back.push(one)
    else if (!turns.mayBegin(one.line, one.delivery_id, true)) fates.held.push(one)
    else {
      fates.begun.push(one)
      left -= one.size
    }
  }
  return fates
}

const columnsOf = (tasks: readonly Candidate[]) => [
  tasks.map(({ delivery_id }) => delivery_id),
  tasks.map(({ handler }) => handler),
]

/** Of jobs that were fetched those that are still their tasks'; the oldest first, as the order of a key wants it. */
const selectCandidates = `
  select tasks.delivery_id, tasks.handler, tasks.job, tasks.state, tasks.next_at, tasks.attempt, tasks.spent, tasks.line,
         deliveries.size, deliveries.replayed
  from unnest($1::bigint[], $2::text[], $3::uuid[]) as fetched (delivery_id, handler, job)
  join tasks on tasks.delivery_id = fetched.delivery_id and tasks.handler = fetched.handler and tasks.job = fetched.job
  join deliveries on deliveries.id = tasks.delivery_id
  where tasks.delivery_id = any($1) and tasks.state in ('pending', 'waiting') and tasks.next_at is not null
  order by tasks.delivery_id`

/** Of tasks that stay due. */
const replaceJobs = `
  update tasks set job = later.job
  from unnest($1::bigint[], $2::text[], $3::uuid[]) as later (delivery_id, handler, job)
  where tasks.delivery_id = later.delivery_id and tasks.handler = later.handler`

const holdTasks = `
  update tasks set state = 'pending', next_at = null, waits = null, job = null
  from unnest($1::bigint[], $2::text[]) as held (delivery_id, handler)
  where tasks.delivery_id = held.delivery_id and tasks.handler = held.handler`

const beginTasks = `
  update tasks
  set state = 'running', next_at = null, waits = null, job = null, attempt = attempt + 1, spent = spent + 1,
      worker = $3, started_at = $4
  from unnest($1::bigint[], $2::text[]) as begun (delivery_id, handler)
  where tasks.delivery_id = any($1) and tasks.delivery_id = begun.delivery_id and tasks.handler = begun.handler`
