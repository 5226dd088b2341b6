import { hashKey } from '../inbox/identity.ts'
import type { ClaimedTask, Match, MatchedTask, MatchResult } from '../inbox/inbox.ts'
import { type DeliveryState, deliveryStateOf, type TaskState } from '../inbox/records.ts'
import type { Connection } from './connection.ts'
import { mayBegin } from './order.ts'
import { markGone } from './tasks.ts'

interface UnmatchedRow {
  guid: string
  event: string
  sha256: Uint8Array
  rerun: number
  replay_key: number | null
}

/** Records whom deliveries are matched with, in the transaction of the caller. */
export function recordMatches(
  connection: Connection,
  worker: number,
  plans: readonly Match[],
  now: number,
): MatchResult {
  const paused = pausedHandlers(connection)
  const claimed: ClaimedTask[] = []
  let matched = 0
  for (const plan of [...plans].sort((a, b) => a.id - b.id)) {
    const row = connection.get<UnmatchedRow>(selectUnmatched, plan.id)
    if (!row) continue
    const ordered = plan.tasks.some(({ key }) => key !== undefined)
    if (ordered && connection.get(selectEarlier, plan.id)) continue // its turn comes once those before it are matched
    const replayKey = hashKey(row.sha256)
    const replayed = connection.get(selectReplay, replayKey, row.sha256, plan.id, row.guid, row.event) !== undefined
    const end = endState(plan, replayed)
    const existing = row.replay_key === null ? [] : connection.all<ExistingTask>(selectTasks, plan.id)
    const planned = end
      ? []
      : matchTasks(connection, plan, existing, row.rerun === 1, (handler) => {
          return paused.has(handler) || paused.has('*') ? undefined : { worker, now }
        })
    for (const { begins } of planned) if (begins) claimed.push({ id: plan.id, ...begins, replayed })
    const states = planned.map(({ state }) => state)
    const { action, repository, sender, title, ref, sha, number } = plan.summary
    connection.run(
      updateMatched,
      ...[end?.state ?? deliveryStateOf(states), end?.reason ?? null, replayKey, replayed ? 1 : 0],
      ...[action ?? null, repository ?? null, sender ?? null, title ?? null, ref ?? null, sha ?? null, number ?? null],
      plan.id,
    )
    connection.run(deleteAttempts, plan.id)
    matched++
    connection.changed.add(plan.id)
  }
  return { matched, claimed }
}

/** Counts an attempt to read a payload. @returns how many there were, including this one. */
export function countMatchAttempt(connection: Connection, id: number): number {
  return connection.get<{ count: number }>(upsertAttempt, id)?.count ?? 1
}

/** Has a delivery matched anew. @param rerun Whether those handlers run again too that have succeeded. */
export function rearmDelivery(connection: Connection, id: number, rerun: boolean): void {
  connection.run(updateRearmed, rerun ? 1 : 0, id)
  connection.changed.add(id)
}

export function pausedHandlers(connection: Connection): Set<string> {
  return new Set(connection.all<{ handler: string }>('select handler from pauses').map(({ handler }) => handler))
}

/** The end of a delivery that no handler shall see. */
function endState(plan: Match, replayed: boolean): { state: DeliveryState; reason: string | null } | undefined {
  if (plan.invalid !== undefined) return { state: 'dead', reason: plan.invalid }
  if (replayed && plan.discardReplay) return { state: 'discarded', reason: 'The same bytes came before' }
  return undefined
}

interface ExistingTask {
  handler: string
  state: TaskState
  order_key: string | null
}

/** How a task of a delivery stands once it is matched, and what begins at once. */
interface InitialTaskState {
  state: TaskState
  begins?: Pick<ClaimedTask, 'handler' | 'attempt' | 'attemptsUsed'>
}

/** @param leaseFor Whose the task of a handler becomes if it begins now; nobody's while the handler is paused. */
function matchTasks(
  connection: Connection,
  plan: Match,
  existing: readonly ExistingTask[],
  rerun: boolean,
  leaseFor: (handler: string) => Claimant | undefined,
): InitialTaskState[] {
  const planned = plan.tasks.map((task): InitialTaskState => {
    const before = existing.find(({ handler }) => handler === task.handler)?.state
    if (before === 'running' || (before === 'done' && !rerun)) return { state: before }
    return matchTask(connection, plan.id, task, task.claim ? leaseFor(task.handler) : undefined)
  })
  return [...planned, ...endUnmatchedTasks(connection, plan, existing).map((state) => ({ state }))]
}

interface Claimant {
  worker: number
  now: number
}

/** Makes a task, or makes one anew that had ended. It begins at once if somebody takes it, and it is its turn. */
function matchTask(
  connection: Connection,
  id: number,
  { handler, key }: MatchedTask,
  lease: Claimant | undefined,
): InitialTaskState {
  const free = mayBegin(connection, id, handler, key)
  const begins = free && lease !== undefined
  const [state, attemptsUsed, nextAt] = begins
    ? (['running', 1, null] as const)
    : (['pending', 0, free ? 0 : null] as const)
  const holder = begins ? [lease.worker, lease.now] : [null, null]
  const values = [id, handler, state, nextAt, key ?? null, attemptsUsed, attemptsUsed, ...holder]
  const attempt = connection.get<{ attempt: number }>(upsertTask, ...values)?.attempt ?? attemptsUsed
  return begins ? { state, begins: { handler, attempt, attemptsUsed } } : { state }
}

/** A handler that has vanished is gone, unless it had done its part. @returns how those stand that have vanished. */
function endUnmatchedTasks(
  connection: Connection,
  { id, tasks }: Match,
  existing: readonly ExistingTask[],
): TaskState[] {
  const vanished = existing.filter(({ handler }) => tasks.every((task) => task.handler !== handler))
  return vanished.map(({ handler, state, order_key }) => {
    if (state === 'done' || state === 'running') return state
    markGone(connection, id, handler, order_key)
    return 'gone'
  })
}

export function forgetMatchAttempts(connection: Connection, id: number): void {
  connection.run(deleteAttempts, id)
}

const selectUnmatched = `
  select guid, event, sha256, rerun, replay_key from deliveries where id = ? and matched = 0`

const selectEarlier = 'select 1 from deliveries where matched = 0 and id < ? limit 1'

const selectReplay = `
  select 1 from deliveries
  where replay_key = ? and sha256 = ? and id < ? and (guid <> ? or event <> ?)
  limit 1`

const updateMatched = `
  update deliveries
  set matched = 1, rerun = 0, state = ?, reason = ?, replay_key = ?, replayed = ?,
      action = ?, repository = ?, sender = ?, title = ?, ref = ?, sha = ?, number = ?
  where id = ?`

const upsertAttempt = `
  insert into match_attempts (delivery_id, count) values (?, 1)
  on conflict (delivery_id) do update set count = count + 1
  returning count`

const deleteAttempts = 'delete from match_attempts where delivery_id = ?'

const updateRearmed = `
  update deliveries
  set state = 'pending', matched = 0, next_at = null, reason = null, rerun = ?
  where id = ?`

const selectTasks = 'select handler, state, order_key from tasks where delivery_id = ?'

const upsertTask = `
  insert into tasks (delivery_id, handler, state, next_at, order_key, attempt, attempts_used, worker, started_at)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (delivery_id, handler) do update
  set state = excluded.state, next_at = excluded.next_at, delay = null, order_key = excluded.order_key,
      attempt = attempt + excluded.attempt, attempts_used = excluded.attempts_used,
      worker = excluded.worker, started_at = excluded.started_at
  returning attempt`
