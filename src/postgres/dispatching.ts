import type { Begun, Plan } from '../inbox/inbox.ts'
import { type DeliveryState, stateOf, type TaskState } from '../inbox/records.ts'
import { recordset, type Session, type Sql } from './connection.ts'
import { asked } from './database.ts'
import { type Due, type Jobs, newJob } from './jobs.ts'
import { lineOf, lockLines, passOn, Turns } from './order.ts'
import { checkEnlisted } from './workers.ts'

interface Undispatched {
  id: number
  guid: string
  event: string
  sha256: Buffer
  rerun: boolean
  job: string | null
  replayed: boolean
  /** Of when it was matched before. */
  tasks: ExistingTask[] | null
}

interface ExistingTask {
  delivery_id: number
  handler: string
  state: TaskState
  line: number | null
}

/** How a task is to stand. */
interface PlannedTask {
  delivery_id: number
  handler: string
  state: TaskState
  next_at: number | null
  job: string | null
  order_key: string | null
  line: number | null
  spent: number
  worker: number | null
  started_at: number | null
}

/** What began, and which deliveries are matched now. */
export interface Dispatched {
  begun: Begun[]
  ids: number[]
}

/** Records whom deliveries are matched with. */
export async function dispatch(
  session: Session,
  jobs: Jobs,
  worker: number,
  plans: readonly Plan[],
  now: number,
): Promise<() => Promise<Dispatched>> {
  const [, paused, found] = await Promise.all([
    session.run(oneByOne),
    pausedHandlers(session),
    session.all<Undispatched>(selectUndispatched, idsOf(plans)),
    checkEnlisted(session, worker),
  ])
  const taken = await withoutTooEarly(session, plans, found)
  const ids = idsOf(taken)
  if (ids.length === 0) return asked(Promise.resolve({ begun: [], ids }))
  const byId = new Map(plans.map((plan) => [plan.id, plan]))
  const replayed = new Set([...idsOf(taken.filter((one) => one.replayed)), ...replaysAmong(taken)])
  const lines = await lockLines(session, [
    ...taken.flatMap(({ tasks }) => tasks?.map(({ line }) => line) ?? []),
    ...ids.flatMap((id) => byId.get(id)?.tasks.map(({ handler, key }) => lineOf(handler, key)) ?? []),
  ])
  const turns = await Turns.of(session, lines)

  const [rows, lost, deliveries]: [PlannedTask[], ExistingTask[], object[]] = [[], [], []]
  for (const delivery of taken) {
    const plan = byId.get(delivery.id) as Plan
    const end = endOf(plan, replayed.has(delivery.id))
    const mayBegin = (handler: string) => !paused.has(handler) && !paused.has('*')
    const planned = end
      ? { states: [], rows: [], lost: [] }
      : planTasks(plan, delivery, turns, { worker, now, mayBegin })
    rows.push(...planned.rows)
    lost.push(...planned.lost)
    const { state, reason } = end ?? { state: stateOf(planned.states), reason: undefined }
    deliveries.push({ ...plan.facts, id: delivery.id, state, reason, replayed: replayed.has(delivery.id) })
    session.changed.add(delivery.id)
  }

  const due = rows.flatMap(({ job, delivery_id: id, handler }): Due[] => (job === null ? [] : [{ job, id, handler }]))
  if (lost.length > 0) {
    await session.run(loseTasks, ...pairsOf(lost))
    due.push(...(await passOn(session, lines)))
  }
  const answers = Promise.all([
    session.all<{ delivery_id: number; handler: string; attempt: number }>(upsertTasks, recordset(rows)),
    session.run(updateDispatched, recordset(deliveries)),
    jobs.add(session, due),
    jobs.remove(
      session,
      undefined,
      taken.flatMap(({ job }) => job ?? []),
    ),
  ])
  return asked(answers.then(([begun]) => ({ begun: begunOf(rows, begun, replayed), ids })))
}

function begunOf(
  rows: readonly PlannedTask[],
  upserted: readonly { delivery_id: number; handler: string; attempt: number }[],
  replayed: ReadonlySet<number>,
): Begun[] {
  const attempts = new Map(upserted.map(({ delivery_id, handler, attempt }) => [`${delivery_id} ${handler}`, attempt]))
  return rows.flatMap(({ delivery_id: id, handler, state, spent }) => {
    const attempt = attempts.get(`${id} ${handler}`) ?? spent
    return state === 'running' ? [{ id, handler, attempt, spent, replayed: replayed.has(id) }] : []
  })
}

interface Lease {
  worker: number
  now: number
  mayBegin(handler: string): boolean
}

/** How the tasks of a delivery stand once it is matched. A handler that has vanished is gone, unless it had done its part. */
function planTasks(plan: Plan, { rerun, tasks: existing }: Undispatched, turns: Turns, lease: Lease) {
  const [states, rows]: [TaskState[], PlannedTask[]] = [[], []]
  for (const { handler, key, begin } of plan.tasks) {
    const before = existing?.find((task) => task.handler === handler)?.state
    if (before === 'running' || (before === 'done' && !rerun)) {
      states.push(before)
      continue
    }
    const line = lineOf(handler, key)
    const begins = begin && lease.mayBegin(handler)
    const free = turns.mayBegin(line, plan.id, begins)
    const [state, spent] = begins && free ? (['running', 1] as const) : (['pending', 0] as const)
    const due = free && !begins ? { next_at: 0, job: newJob() } : { next_at: null, job: null }
    const holder = spent === 1 ? { worker: lease.worker, started_at: lease.now } : { worker: null, started_at: null }
    states.push(state)
    rows.push({ delivery_id: plan.id, handler, state, ...due, order_key: key ?? null, line, spent, ...holder })
  }
  const vanished = existing?.filter(({ handler }) => plan.tasks.every((task) => task.handler !== handler)) ?? []
  const lost = vanished.filter(({ state }) => state !== 'done' && state !== 'running')
  for (const task of vanished) states.push(lost.includes(task) ? 'gone' : task.state)
  return { states, rows, lost }
}

/** Has deliveries, which the caller holds, matched anew. @param rerun Whether those handlers run again too that have succeeded. */
export async function rearm(session: Session, jobs: Jobs, ids: readonly number[], rerun: boolean): Promise<void> {
  const due = ids.map((id) => ({ id, job: newJob() }))
  await session.run(
    rearmDeliveries,
    ids,
    due.map(({ job }) => job),
    rerun,
  )
  await jobs.add(session, due)
  for (const id of ids) session.changed.add(id)
}

export async function pausedHandlers(sql: Sql): Promise<Set<string>> {
  const rows = await sql.all<{ handler: string }>('select handler from pauses')
  return new Set(rows.map(({ handler }) => handler))
}

/** What has an order takes its turn once those before it are matched. */
async function withoutTooEarly(
  session: Session,
  plans: readonly Plan[],
  found: readonly Undispatched[],
): Promise<Undispatched[]> {
  const ordered = new Set(plans.filter(({ tasks }) => tasks.some(({ key }) => key !== undefined)).map(({ id }) => id))
  if (!found.some(({ id }) => ordered.has(id))) return [...found]
  const earliest = await session.get<{ id: number | null }>(selectEarliest, idsOf(found))
  const limit = earliest?.id ?? Number.POSITIVE_INFINITY
  return found.filter(({ id }) => id < limit || !ordered.has(id))
}

/** The end of a delivery that no handler shall see. */
function endOf(plan: Plan, replayed: boolean): { state: DeliveryState; reason: string } | undefined {
  if (plan.invalid !== undefined) return { state: 'dead', reason: plan.invalid }
  if (replayed && plan.discardReplay) return { state: 'discarded', reason: 'The same bytes came before' }
  return undefined
}

/** Those whose bytes came before among themselves, under another GUID or event. */
function replaysAmong(taken: readonly Undispatched[]): number[] {
  const bySha = Map.groupBy(taken, ({ sha256 }) => sha256.toString('base64'))
  return [...bySha.values()].flatMap((same) => {
    return idsOf(same.filter((one) => same.some((before) => before.id < one.id && isAnother(before, one))))
  })
}

const isAnother = (a: Undispatched, b: Undispatched): boolean => a.guid !== b.guid || a.event !== b.event

const idsOf = (rows: readonly { id: number }[]): number[] => rows.map(({ id }) => id)

const pairsOf = (tasks: readonly ExistingTask[]) => [
  tasks.map(({ delivery_id }) => delivery_id),
  tasks.map(({ handler }) => handler),
]

/** However often the same bytes came before, the first of them is enough; a bitmap would list them all. */
const oneByOne = 'set local enable_bitmapscan to off'

/** What another is dispatching, or an operator is ending, is left out. */
const selectUndispatched = `
  select
    id, guid, event, sha256, rerun, job,
    coalesce((
      select true from deliveries as before
      where before.dispatched and before.replay_key = deliveries.replay_key and before.sha256 = deliveries.sha256
        and before.id < deliveries.id and (before.guid <> deliveries.guid or before.event <> deliveries.event)
      order by before.id
      limit 1), false) as replayed,
    (select json_agg(tasks) from tasks where delivery_id = deliveries.id) as tasks
  from deliveries
  where id = any($1::bigint[]) and not dispatched
  order by id
  for update skip locked`

const selectEarliest = 'select min(id) as id from deliveries where not dispatched and not (id = any($1::bigint[]))'

const updateDispatched = `
  update deliveries
  set dispatched = true, rerun = false, job = null, state = told.state, reason = told.reason,
      replayed = told.replayed, action = told.action, repository = told.repository,
      sender = told.sender, title = told.title, ref = told.ref, sha = told.sha, number = told.number
  from json_to_recordset($1::json) as told (
    id bigint, state text, reason text, replayed boolean, action text, repository text,
    sender text, title text, ref text, sha text, number bigint)
  where deliveries.id = told.id`

const rearmDeliveries = `
  update deliveries
  set state = 'pending', dispatched = false, next_at = null, reason = null, rerun = $3, job = told.job
  from unnest($1::bigint[], $2::uuid[]) as told (id, job)
  where deliveries.id = told.id`

const upsertTasks = `
  insert into tasks (delivery_id, handler, state, next_at, job, order_key, line, attempt, spent, worker, started_at)
  select delivery_id, handler, state, next_at, job, order_key, line, spent, spent, worker, started_at
  from json_to_recordset($1::json) as told (
    delivery_id bigint, handler text, state text, next_at bigint, job uuid, order_key text, line bigint,
    spent int, worker bigint, started_at bigint)
  on conflict (delivery_id, handler) do update
  set state = excluded.state, next_at = excluded.next_at, waits = null, job = excluded.job,
      order_key = excluded.order_key, line = excluded.line, attempt = tasks.attempt + excluded.attempt,
      spent = excluded.spent, worker = excluded.worker, started_at = excluded.started_at
  returning delivery_id, handler, attempt`

const loseTasks = `
  update tasks set state = 'gone', next_at = null, waits = null, job = null
  from unnest($1::bigint[], $2::text[]) as told (delivery_id, handler)
  where tasks.delivery_id = told.delivery_id and tasks.handler = told.handler`
