import type { Begun, Plan } from '../inbox/inbox.ts'
import type { DeliveryState, TaskState } from '../inbox/records.ts'
import type { Connection } from './connection.ts'
import { begin, mayBegin, passOn, settle } from './tasks.ts'

interface Undispatched {
  guid: string
  event: string
  sha256: Uint8Array
  rerun: number
}

/** Records whom deliveries are matched with, in the transaction of the caller. */
export function dispatch(connection: Connection, worker: number, plans: readonly Plan[], now: number): Begun[] {
  const paused = pausedHandlers(connection)
  const begun: Begun[] = []
  for (const plan of [...plans].sort((a, b) => a.id - b.id)) {
    const row = connection.get<Undispatched>(selectUndispatched, plan.id)
    if (!row) continue
    const ordered = plan.tasks.some(({ key }) => key !== undefined)
    if (ordered && connection.get(selectEarlier, plan.id)) continue // its turn comes once those before it are matched
    const replayKey = hashKey(row.sha256)
    const replayed = connection.get(selectReplay, replayKey, row.sha256, row.guid, row.event) !== undefined
    const end = endOf(plan, replayed)
    const { action, repository, sender, title, ref, sha, number } = plan.facts
    connection.run(
      updateDispatched,
      ...[end?.state ?? 'pending', end?.reason ?? null, replayKey, replayed ? 1 : 0],
      ...[action ?? null, repository ?? null, sender ?? null, title ?? null, ref ?? null, sha ?? null, number ?? null],
      plan.id,
    )
    if (end) continue
    planTasks(connection, plan, row.rerun === 1)
    for (const task of plan.tasks) {
      if (!task.begin || paused.has(task.handler) || paused.has('*')) continue
      const one = begin(connection, worker, plan.id, task.handler, now)
      if (one) begun.push({ ...one, replayed })
    }
    settle(connection, plan.id)
  }
  return begun
}

export function pausedHandlers(connection: Connection): Set<string> {
  return new Set(connection.all<{ handler: string }>('select handler from pauses').map(({ handler }) => handler))
}

/** The end of a delivery that no handler shall see. */
function endOf(plan: Plan, replayed: boolean): { state: DeliveryState; reason: string | null } | undefined {
  if (plan.invalid !== undefined) return { state: 'dead', reason: plan.invalid }
  if (replayed && plan.discardReplay) return { state: 'discarded', reason: 'The same bytes came before' }
  return undefined
}

/** Those that have not succeeded are to run, or all of them; a new one joins; one that has vanished is gone. */
function planTasks(connection: Connection, plan: Plan, rerun: boolean): void {
  const tasks = connection.all<{ handler: string; state: TaskState; order_key: string | null }>(selectTasks, plan.id)
  const existing = new Map(tasks.map((task) => [task.handler, task]))
  for (const task of plan.tasks) {
    const state = existing.get(task.handler)?.state
    existing.delete(task.handler)
    if (state === 'running' || (state === 'done' && !rerun)) continue
    connection.run(upsertTask, plan.id, task.handler, task.key ?? null)
    if (!mayBegin(connection, plan.id, task.handler, task.key)) connection.run(holdTask, plan.id, task.handler)
  }
  for (const { handler, state, order_key } of existing.values()) {
    if (state === 'done' || state === 'running') continue
    connection.run(loseTask, plan.id, handler)
    passOn(connection, handler, order_key)
  }
}

/** Short, for a small index; and exact as a number of JavaScript's. */
function hashKey(sha256: Uint8Array): number {
  return Buffer.from(sha256).readUIntBE(0, 6)
}

const selectUndispatched = 'select guid, event, sha256, rerun from deliveries where id = ? and dispatched = 0'

const selectEarlier = 'select 1 from deliveries where dispatched = 0 and id < ? limit 1'

const selectReplay = `
  select 1 from deliveries
  where replay_key = ? and sha256 = ? and (guid <> ? or event <> ?)
  limit 1`

const updateDispatched = `
  update deliveries
  set dispatched = 1, rerun = 0, state = ?, reason = ?, replay_key = ?, replayed = ?,
      action = ?, repository = ?, sender = ?, title = ?, ref = ?, sha = ?, number = ?
  where id = ?`

const selectTasks = 'select handler, state, order_key from tasks where delivery_id = ?'

const upsertTask = `
  insert into tasks (delivery_id, handler, state, next_at, order_key) values (?, ?, 'pending', 0, ?)
  on conflict (delivery_id, handler)
  do update set state = 'pending', next_at = 0, waits = null, spent = 0, order_key = excluded.order_key`

const holdTask = 'update tasks set next_at = null where delivery_id = ? and handler = ?'

const loseTask = `
  update tasks set state = 'gone', next_at = null, waits = null where delivery_id = ? and handler = ?`
