import type { ClaimedTask, DecideMatches, Match, MatchOffer, MatchResult } from '../inbox/inbox.ts'
import { type DeliveryState, deliveryStateOf, type TaskState } from '../inbox/records.ts'
import { recordset, type Session, type Sql } from './connection.ts'
import { asked } from './database.ts'
import { type DueTask, type JobQueue, newJob } from './job-queue.ts'
import { forgetMatchAttempts } from './match-attempts.ts'
import { lockOrderKeys, OrderQueues, orderHash, promoteNext, sortedHashes } from './order.ts'
import { type ContentRow, selectStoredIn, storedColumns } from './read.ts'
import { checkRegistered } from './registry.ts'

/** An unmatched delivery, locked. */
interface UnmatchedRow extends ContentRow {
  sha256: Buffer
  rerun: boolean
  /** Of when it was matched before. */
  tasks: ExistingTask[] | null
}

interface ExistingTask {
  delivery_id: number
  handler: string
  state: TaskState
  order_hash: number | null
}

/** How a task is to stand. */
interface NewTaskRow {
  delivery_id: number
  handler: string
  state: TaskState
  next_at: number | null
  job: string | null
  order_key: string | null
  order_hash: number | null
  attempts_used: number
  worker: number | null
  started_at: number | null
}

/**
 * Matches the oldest unmatched deliveries with handlers. Their rows stay locked from the offer to the commit, so no
 * other worker is offered them, and PostgreSQL unlocks them when this process dies or stops answering.
 *
 * Tasks with a key have to be matched in order of receipt. So a worker with ordered handlers also holds a lock that only
 * one transaction has at a time; a worker that does not get it is offered nothing, and goes on to run tasks.
 */
export async function match(
  session: Session,
  jobs: JobQueue,
  worker: number,
  { limit, bytes, ordered, now }: MatchOffer,
  plan: DecideMatches,
): Promise<() => Promise<MatchResult>> {
  const [, paused, offered] = await Promise.all([
    session.run(oneByOne),
    pausedHandlers(session),
    lockUnmatched(session, { limit, bytes, ordered }),
  ])
  if (offered.length === 0) return asked(Promise.resolve(nothing))
  const byId = new Map((await plan(offered.map(selectStoredIn))).map((one) => [one.id, one]))
  await jobs.prepare(new Set([...byId.values()].flatMap(({ tasks }) => tasks.map(({ handler }) => handler))))
  const planned = offered.filter(({ id }) => byId.has(id))
  if (planned.length === 0) return asked(Promise.resolve(nothing))
  const lines = sortedHashes([
    ...planned.flatMap(({ tasks }) => tasks?.map(({ order_hash }) => order_hash) ?? []),
    ...[...byId.values()].flatMap(({ tasks }) => tasks.map(({ handler, key }) => orderHash(handler, key))),
  ])
  const [taken, replays, , , turns] = await Promise.all([
    withoutTooEarly(session, byId, planned),
    session.all<{ id: number }>(selectReplays, idsOf(planned)),
    checkRegistered(session, worker),
    lockOrderKeys(session, lines),
    OrderQueues.of(session, lines),
  ])
  const ids = idsOf(taken)
  if (ids.length === 0) return asked(Promise.resolve(nothing))
  const replayed = new Set([...idsOf(replays), ...replaysAmong(taken)])

  const [rows, lost, deliveries]: [NewTaskRow[], ExistingTask[], object[]] = [[], [], []]
  for (const delivery of taken) {
    const plan = byId.get(delivery.id) as Match
    const end = endState(plan, replayed.has(delivery.id))
    const mayBegin = (handler: string) => !paused.has(handler) && !paused.has('*')
    const planned = end
      ? { states: [], rows: [], lost: [] }
      : matchTasks(plan, delivery, turns, { worker, now, mayBegin })
    rows.push(...planned.rows)
    lost.push(...planned.lost)
    const { state, reason } = end ?? { state: deliveryStateOf(planned.states), reason: undefined }
    deliveries.push({ ...plan.summary, id: delivery.id, state, reason, replayed: replayed.has(delivery.id) })
    session.changed.add(delivery.id)
  }

  const due = rows.flatMap(({ job, delivery_id: id, handler }): DueTask[] =>
    job === null ? [] : [{ job, id, handler }],
  )
  if (lost.length > 0) {
    await session.run(endUnmatchedTasks, ...pairsOf(lost))
    due.push(...(await promoteNext(session, lines)))
  }
  const answers = Promise.all([
    session.all<{ delivery_id: number; handler: string; attempt: number }>(upsertTasks, recordset(rows)),
    session.run(updateMatched, recordset(deliveries)),
    jobs.add(session, due),
    forgetMatchAttempts(session, ids),
  ])
  return asked(answers.then(([claimed]) => ({ matched: ids.length, claimed: claimedTasks(rows, claimed, replayed) })))
}

/**
 * The oldest unmatched deliveries, which are locked until the transaction ends.
 * @returns none if they may have an order, and another worker is matching such deliveries.
 */
export function lockUnmatched(
  sql: Sql,
  { limit, bytes, ordered }: Pick<MatchOffer, 'limit' | 'bytes' | 'ordered'>,
): Promise<UnmatchedRow[]> {
  return sql.all(selectUnmatched, limit, bytes, ordered)
}

const nothing: MatchResult = { matched: 0, claimed: [] }

function claimedTasks(
  rows: readonly NewTaskRow[],
  upserted: readonly { delivery_id: number; handler: string; attempt: number }[],
  replayed: ReadonlySet<number>,
): ClaimedTask[] {
  const attempts = new Map(upserted.map(({ delivery_id, handler, attempt }) => [`${delivery_id} ${handler}`, attempt]))
  return rows.flatMap(({ delivery_id: id, handler, state, attempts_used }) => {
    const attempt = attempts.get(`${id} ${handler}`) ?? attempts_used
    return state === 'running'
      ? [{ id, handler, attempt, attemptsUsed: attempts_used, replayed: replayed.has(id) }]
      : []
  })
}

interface Claimant {
  worker: number
  now: number
  mayBegin(handler: string): boolean
}

/** How the tasks of a delivery stand once it is matched. A handler that has vanished is gone, unless it had done its part. */
function matchTasks(plan: Match, { rerun, tasks: existing }: UnmatchedRow, turns: OrderQueues, lease: Claimant) {
  const [states, rows]: [TaskState[], NewTaskRow[]] = [[], []]
  for (const { handler, key, claim: begin } of plan.tasks) {
    const before = existing?.find((task) => task.handler === handler)?.state
    if (before === 'running' || (before === 'done' && !rerun)) {
      states.push(before)
      continue
    }
    const order_hash = orderHash(handler, key)
    const begins = begin && lease.mayBegin(handler)
    const free = turns.mayBegin(order_hash, plan.id, begins)
    const [state, attempts_used] = begins && free ? (['running', 1] as const) : (['pending', 0] as const)
    const due = free && !begins ? { next_at: 0, job: newJob() } : { next_at: null, job: null }
    const holder =
      attempts_used === 1 ? { worker: lease.worker, started_at: lease.now } : { worker: null, started_at: null }
    states.push(state)
    rows.push({
      delivery_id: plan.id,
      handler,
      state,
      ...due,
      order_key: key ?? null,
      order_hash,
      attempts_used,
      ...holder,
    })
  }
  const vanished = existing?.filter(({ handler }) => plan.tasks.every((task) => task.handler !== handler)) ?? []
  const lost = vanished.filter(({ state }) => state !== 'done' && state !== 'running')
  for (const task of vanished) states.push(lost.includes(task) ? 'gone' : task.state)
  return { states, rows, lost }
}

/** Has deliveries, whose rows the caller has locked, matched again. @param rerun Whether handlers that succeeded run again. */
export async function rearmDelivery(session: Session, ids: readonly number[], rerun: boolean): Promise<void> {
  await session.run(rearmDeliveries, ids, rerun)
  session.unmatched = true
  for (const id of ids) session.changed.add(id)
}

export async function pausedHandlers(sql: Sql): Promise<Set<string>> {
  const rows = await sql.all<{ handler: string }>('select handler from pauses')
  return new Set(rows.map(({ handler }) => handler))
}

/** Leaves out deliveries with an ordered task while an older one, locked by a worker without ordered handlers, is unmatched. */
async function withoutTooEarly(
  session: Session,
  plans: ReadonlyMap<number, Match>,
  planned: readonly UnmatchedRow[],
): Promise<readonly UnmatchedRow[]> {
  const isOrdered = (id: number) => plans.get(id)?.tasks.some(({ key }) => key !== undefined)
  if (!planned.some(({ id }) => isOrdered(id))) return planned
  const earliest = await session.get<{ id: number | null }>(selectEarliest, idsOf(planned))
  const limit = earliest?.id ?? Number.POSITIVE_INFINITY
  return planned.filter(({ id }) => id < limit || !isOrdered(id))
}

/** The end of a delivery that no handler shall see. */
function endState(plan: Match, replayed: boolean): { state: DeliveryState; reason: string } | undefined {
  if (plan.invalid !== undefined) return { state: 'dead', reason: plan.invalid }
  if (replayed && plan.discardReplay) return { state: 'discarded', reason: 'The same bytes came before' }
  return undefined
}

/** Those whose bytes came before among themselves, under another GUID or event. */
function replaysAmong(taken: readonly UnmatchedRow[]): number[] {
  const bySha = Map.groupBy(taken, ({ sha256 }) => sha256.toString('base64'))
  return [...bySha.values()].flatMap((same) => {
    return idsOf(same.filter((one) => same.some((before) => before.id < one.id && isAnother(before, one))))
  })
}

const isAnother = (a: UnmatchedRow, b: UnmatchedRow): boolean => a.guid !== b.guid || a.event !== b.event

const idsOf = (rows: readonly { id: number }[]): number[] => rows.map(({ id }) => id)

const pairsOf = (tasks: readonly ExistingTask[]) => [
  tasks.map(({ delivery_id }) => delivery_id),
  tasks.map(({ handler }) => handler),
]

/** However often the same bytes came before, the first of them is enough; a bitmap would list them all. */
const oneByOne = 'set local enable_bitmapscan to off'

/**
 * Rows that another transaction has locked are skipped: another worker matches them, or an operator ends them. Of the
 * limit's rows those are offered that `$2` bytes are enough for, the first one always.
 */
const selectUnmatched = `
  with locked as materialized (
    select * from deliveries
    where not matched
      and (not $3::boolean or (select pg_try_advisory_xact_lock(hashtextextended('hookserver matches ' || current_schema(), 1))))
    order by id
    limit $1
    for update skip locked
  ), summed as (
    select *, sum(size) over (order by id) as total from locked
  )
  select
    ${storedColumns('summed')}, sha256, rerun, bytes,
    (select json_agg(tasks) from tasks where delivery_id = summed.id) as tasks
  from summed left join contents on contents.delivery_id = summed.id
  where total <= $2 or total = size
  order by summed.id`

const selectReplays = `
  select id from deliveries
  where id = any($1::bigint[])
    and (
      select true from deliveries as before
      where before.matched and before.replay_key = deliveries.replay_key and before.sha256 = deliveries.sha256
        and before.id < deliveries.id and (before.guid <> deliveries.guid or before.event <> deliveries.event)
      order by before.id
      limit 1)`

const selectEarliest = 'select min(id) as id from deliveries where not matched and not (id = any($1::bigint[]))'

const updateMatched = `
  with told as materialized (
    select * from json_to_recordset($1::json) as told (
      id bigint, state text, reason text, replayed boolean, action text, repository text,
      sender text, title text, ref text, sha text, number bigint)
  )
  update deliveries
  set matched = true, rerun = false, state = told.state, reason = told.reason,
      replayed = told.replayed, action = told.action, repository = told.repository,
      sender = told.sender, title = told.title, ref = told.ref, sha = told.sha, number = told.number
  from told
  where deliveries.id = told.id and deliveries.id = any(array(select id from told))`

const rearmDeliveries = `
  update deliveries
  set state = 'pending', matched = false, next_at = null, reason = null, rerun = $2
  where id = any($1::bigint[])`

const upsertTasks = `
  insert into tasks (delivery_id, handler, state, next_at, job, order_key, order_hash, attempt, attempts_used, worker, started_at)
  select delivery_id, handler, state, next_at, job, order_key, order_hash, attempts_used, attempts_used, worker, started_at
  from json_to_recordset($1::json) as told (
    delivery_id bigint, handler text, state text, next_at bigint, job uuid, order_key text, order_hash bigint,
    attempts_used int, worker bigint, started_at bigint)
  on conflict (delivery_id, handler) do update
  set state = excluded.state, next_at = excluded.next_at, delay = null, job = excluded.job,
      order_key = excluded.order_key, order_hash = excluded.order_hash, attempt = tasks.attempt + excluded.attempt,
      attempts_used = excluded.attempts_used, worker = excluded.worker, started_at = excluded.started_at
  returning delivery_id, handler, attempt`

const endUnmatchedTasks = `
  update tasks set state = 'gone', next_at = null, delay = null, job = null
  from unnest($1::bigint[], $2::text[]) as told (delivery_id, handler)
  where tasks.delivery_id = told.delivery_id and tasks.handler = told.handler`
