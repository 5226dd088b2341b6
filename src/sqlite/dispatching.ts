import type { Begun, Plan, PlannedTask } from '../inbox/inbox.ts'
import { type DeliveryState, stateOf, type TaskState } from '../inbox/records.ts'
import type { Connection } from './connection.ts'
import { mayBegin, passOn } from './tasks.ts'

interface Undispatched {
  guid: string
  event: string
  sha256: Uint8Array
  rerun: number
  replay_key: number | null
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
    const replayed = connection.get(selectReplay, replayKey, row.sha256, plan.id, row.guid, row.event) !== undefined
    const end = endOf(plan, replayed)
    const states: TaskState[] = []
    if (!end) {
      const existing = row.replay_key === null ? [] : connection.all<ExistingTask>(selectTasks, plan.id)
      for (const task of plan.tasks) {
        const before = existing.find(({ handler }) => handler === task.handler)?.state
        if (before === 'running' || (before === 'done' && row.rerun === 0)) {
          states.push(before)
          continue
        }
        const begins = task.begin && !paused.has(task.handler) && !paused.has('*')
        const { state, ...counts } = planTask(connection, plan.id, task, begins ? worker : undefined, now)
        states.push(state)
        if (state === 'running') begun.push({ id: plan.id, handler: task.handler, ...counts, replayed })
      }
      states.push(...loseUnplanned(connection, plan, existing))
    }
    const { action, repository, sender, title, ref, sha, number } = plan.facts
    connection.run(
      updateDispatched,
      ...[end?.state ?? stateOf(states), end?.reason ?? null, replayKey, replayed ? 1 : 0],
      ...[action ?? null, repository ?? null, sender ?? null, title ?? null, ref ?? null, sha ?? null, number ?? null],
      plan.id,
    )
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

interface ExistingTask {
  handler: string
  state: TaskState
  order_key: string | null
}

/** Makes a task, or makes one anew that had ended. It begins at once if there is a worker for it, and it is its turn. */
function planTask(
  connection: Connection,
  id: number,
  { handler, key }: PlannedTask,
  worker: number | undefined,
  now: number,
): { state: 'running' | 'pending'; attempt: number; spent: number } {
  const free = mayBegin(connection, id, handler, key)
  const [state, spent] = free && worker !== undefined ? (['running', 1] as const) : (['pending', 0] as const)
  const lease = state === 'running' ? [worker as number, now] : [null, null]
  const nextAt = state === 'pending' && free ? 0 : null
  const made = connection.get<{ attempt: number }>(
    upsertTask,
    id,
    handler,
    state,
    nextAt,
    key ?? null,
    spent,
    spent,
    ...lease,
  )
  return { state, attempt: made?.attempt ?? spent, spent }
}

/** A handler that has vanished is gone, unless it had done its part. @returns how those stand that have vanished. */
function loseUnplanned(connection: Connection, { id, tasks }: Plan, existing: readonly ExistingTask[]): TaskState[] {
  const vanished = existing.filter(({ handler }) => tasks.every((task) => task.handler !== handler))
  return vanished.map(({ handler, state, order_key }) => {
    if (state === 'done' || state === 'running') return state
    connection.run(loseTask, id, handler)
    passOn(connection, handler, order_key)
    return 'gone'
  })
}

/** Short, for a small index; and exact as a number of JavaScript's. */
function hashKey(sha256: Uint8Array): number {
  return Buffer.from(sha256).readUIntBE(0, 6)
}

const selectUndispatched = `
  select guid, event, sha256, rerun, replay_key from deliveries where id = ? and dispatched = 0`

const selectEarlier = 'select 1 from deliveries where dispatched = 0 and id < ? limit 1'

const selectReplay = `
  select 1 from deliveries
  where replay_key = ? and sha256 = ? and id < ? and (guid <> ? or event <> ?)
  limit 1`

const updateDispatched = `
  update deliveries
  set dispatched = 1, rerun = 0, state = ?, reason = ?, replay_key = ?, replayed = ?,
      action = ?, repository = ?, sender = ?, title = ?, ref = ?, sha = ?, number = ?
  where id = ?`

const selectTasks = 'select handler, state, order_key from tasks where delivery_id = ?'

const upsertTask = `
  insert into tasks (delivery_id, handler, state, next_at, order_key, attempt, spent, worker, started_at)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (delivery_id, handler) do update
  set state = excluded.state, next_at = excluded.next_at, waits = null, order_key = excluded.order_key,
      attempt = attempt + excluded.attempt, spent = excluded.spent,
      worker = excluded.worker, started_at = excluded.started_at
  returning attempt`

const loseTask = `
  update tasks set state = 'gone', next_at = null, waits = null where delivery_id = ? and handler = ?`
