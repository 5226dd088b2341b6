/** The rows that stores read. They are the same in both stores, except that SQLite has 1 and 0 for true and false. */
import type { StoredDelivery } from './inbox.ts'
import { isPaused } from './pauses.ts'
import type {
  AttemptDetail,
  DeliveryDetail,
  DeliveryState,
  DeliverySummary,
  Failure,
  PayloadSummary,
  Rejection,
  TaskDetail,
  TaskState,
} from './records.ts'
import { nextAttemptOf } from './states.ts'

/** A record as a row, which has null where the record has undefined. */
type RowOf<T> = { [Name in keyof T]-?: undefined extends T[Name] ? Exclude<T[Name], undefined> | null : T[Name] }

/** The columns that lists and workers read. */
interface SharedRow {
  id: number
  variant: number
  source: string
  hook_id: string
  guid: string
  event: string
  received_at: number
  size: number
  form: 'json' | 'form'
  pulled: boolean | number
  duplicates: number
  replayed: boolean | number
}

/** The columns that a worker reads, with the headers as JSON and the body as bytes. */
export interface StoredDeliveryRow extends SharedRow {
  trace: string | null
  secret_id: string | null
  secret_index: number | null
  headers: string
  body: Uint8Array
  damaged?: string
}

/** The columns of a list. */
export interface SummaryRow extends SharedRow, RowOf<PayloadSummary> {
  state: DeliveryState
  next_at: number | null
  headers_size: number
  edited_from: number | null
}

/** A row of `deliveries`. */
export interface DeliveryRow extends SummaryRow, Omit<StoredDeliveryRow, 'headers' | 'body' | 'damaged'> {
  stored_at: number
  acked_at: number | null
  sha256: Uint8Array
  address: string | null
  algorithm: string | null
  reason: string | null
  matched: number | boolean
  rerun: number | boolean
}

export interface TaskRow {
  handler: string
  state: TaskState
  next_at: number | null
  start_at: number | null
  order_key: string | null
  attempt: number
  attempts_used: number
  started_at: number | null
  claimed_ahead: number | boolean
  uncounted: number
  failure_group: number | null
  /** The delivery that it waits for, because of its order key. */
  blocked_by: number | null
}

export type AttemptRow = RowOf<Omit<AttemptDetail, 'startedAt'>> & { handler: string; started_at: number }

export type RejectionRow = RowOf<Omit<Rejection, 'headers'>> & { headers: string }

/** Statistics of the attempts of a delivery. A running attempt counts in `max_attempts`, and adds no duration. */
export interface AttemptStatsRow {
  id: number
  /** `null` while the delivery has no task. */
  max_attempts: number | null
  /** Milliseconds of all ended attempts together; `null` while none has ended. */
  duration: number | null
  /** The newest failed attempt of a task that is `dead` or `retrying`. */
  failure: Pick<FailureRow, 'handler' | 'error'> | null
  /** The paused handlers of the tasks that wait. `null` or empty if there are none. */
  paused_handlers: string[] | null
}

export type FailureRow = RowOf<Failure>

/** Maximum characters of an error in a list. The details of a delivery have the whole error. */
export const maxErrorLength = 300

/** Replaces null, which SQL has for missing values, with undefined. */
function withoutNulls<Row extends object>(row: Row): { [Name in keyof Row]: Exclude<Row[Name], null> | undefined } {
  const entries = Object.entries(row).map(([name, value]) => [name, value ?? undefined])
  return Object.fromEntries(entries)
}

/** The members that `StoredDelivery` and `DeliverySummary` share. */
function sharedMembers(row: SharedRow) {
  return {
    id: row.id,
    source: row.source,
    hookId: row.hook_id,
    guid: row.guid,
    event: row.event,
    receivedAt: row.received_at,
    conflict: row.variant > 0,
    replayed: Boolean(row.replayed),
    pulled: Boolean(row.pulled),
  }
}

export function toStoredDelivery(row: StoredDeliveryRow): StoredDelivery {
  return {
    ...sharedMembers(row),
    headers: JSON.parse(row.headers),
    body: row.body,
    form: row.form,
    secretId: row.secret_id ?? undefined,
    secretIndex: row.secret_index ?? undefined,
    trace: row.trace ?? undefined,
    redelivered: row.duplicates > 0,
    damaged: row.damaged,
  }
}

export function toSummaries(rows: readonly SummaryRow[], stats: readonly AttemptStatsRow[]): DeliverySummary[] {
  const byId = new Map(stats.map((one) => [one.id, one]))
  return rows.map((row) => toSummary(row, byId.get(row.id)))
}

function toSummary(row: SummaryRow, stats: AttemptStatsRow | undefined): DeliverySummary {
  const { max_attempts: attempts, duration, failure, paused_handlers: paused } = stats ?? {}
  const { action, repository, sender, title, ref, sha, number, next_at: nextAttemptAt, edited_from: editedFrom } = row
  return {
    ...sharedMembers(row),
    state: row.state,
    size: row.size,
    attempts: attempts ?? 0,
    duration: duration ?? undefined,
    failure: failure ? { handler: failure.handler, error: firstLine(failure.error) } : undefined,
    pausedHandlers: paused?.length ? paused : undefined,
    duplicates: row.duplicates,
    ...withoutNulls({ action, repository, sender, title, ref, sha, number, nextAttemptAt, editedFrom }),
  }
}

/** @param sameBodyAs The id of the oldest delivery with the same body. */
export function toDetail(
  row: DeliveryRow,
  headers: string,
  tasks: readonly TaskRow[],
  attempts: readonly AttemptRow[],
  paused: ReadonlySet<string>,
  sameBodyAs: number | undefined,
): DeliveryDetail {
  const { address, secret_id: secretId, secret_index: secretIndex, algorithm, acked_at: ackedAt, reason } = row
  return {
    ...toSummary(row, attemptStats(row.id, tasks, attempts, paused)),
    headers: JSON.parse(headers),
    sha256: Buffer.from(row.sha256).toString('hex'),
    form: row.form,
    storedAt: row.stored_at,
    ...withoutNulls({ address, secretId, secretIndex, algorithm, ackedAt, reason }),
    sameBodyAs,
    ...(!row.matched && { rerun: Boolean(row.rerun) }),
    tasks: tasks.map((task) => toTaskDetail(task, attempts)),
  }
}

/** Computes the statistics that lists select by SQL. */
function attemptStats(
  id: number,
  tasks: readonly TaskRow[],
  attempts: readonly AttemptRow[],
  paused: ReadonlySet<string>,
): AttemptStatsRow {
  const durations = attempts.flatMap(({ duration }) => duration ?? [])
  const duration = durations.length > 0 ? durations.reduce((sum, one) => sum + one) : null
  const failing = tasks.filter(({ state }) => state === 'dead' || state === 'retrying').map(({ handler }) => handler)
  const failed = attempts.filter(({ handler, outcome }) => {
    return failing.includes(handler) && (outcome === 'failed' || outcome === 'dead')
  })
  const failure = failed.toSorted((a, b) => a.started_at - b.started_at || a.number - b.number).at(-1) ?? null
  const waiting = tasks.filter(({ state }) => state === 'pending' || state === 'retrying').map(({ handler }) => handler)
  return {
    ...{ id, max_attempts: Math.max(0, ...tasks.map(({ attempt }) => attempt)), duration, failure },
    paused_handlers: waiting.filter((handler) => isPaused(paused, handler)),
  }
}

function toTaskDetail(task: TaskRow, all: readonly AttemptRow[]): TaskDetail {
  const { handler, state, order_key, attempt, attempts_used, started_at, claimed_ahead, failure_group } = task
  const attempts = all.filter((one) => one.handler === handler).map(toAttemptDetail)
  if (state === 'running') {
    const running = { number: attempt, startedAt: started_at ?? 0, outcome: 'running' } as const
    attempts.push({ ...running, duration: undefined, error: undefined, result: undefined, log: undefined })
  }
  const nextAttemptAt = nextAttemptOf(state, [{ state, nextAt: task.next_at ?? task.start_at }])
  const counted = attempts_used - task.uncounted - Number(state === 'running' && claimed_ahead)
  const uncounted = unreleased(attempts) - counted
  return {
    ...{ handler, state, key: order_key ?? undefined, nextAttemptAt, attempts },
    ...(task.blocked_by !== null && { blockedBy: task.blocked_by }),
    ...(uncounted > 0 && { uncounted }),
    ...(failure_group !== null && { failureGroup: failure_group }),
  }
}

/** The number of attempts that were not released. Released ones never count against the limit. */
const unreleased = (attempts: readonly AttemptDetail[]): number =>
  attempts.filter(({ outcome }) => outcome !== 'released').length

/** How many attempts of an imported task count against the limit. */
export const countedAttempts = ({ attempts, uncounted = 0 }: TaskDetail): number =>
  Math.max(0, unreleased(attempts) - uncounted)

export function toAttemptDetail({
  number,
  started_at,
  outcome,
  duration,
  error,
  result,
  log,
}: AttemptRow): AttemptDetail {
  return { number, startedAt: started_at, outcome, ...withoutNulls({ duration, error, result, log }) }
}

export function toRejection({ reason, address, event, guid, headers, ...row }: RejectionRow): Rejection {
  return { ...row, ...withoutNulls({ reason, address, event, guid }), headers: JSON.parse(headers) }
}

export const toFailure = ({ error, ...row }: FailureRow): Failure => ({ ...row, error: firstLine(error) })

/** The first line of an error, without its stack. */
export const firstLine = (error: string | null | undefined): string | undefined =>
  error?.trimStart().split('\n', 1)[0]?.slice(0, maxErrorLength)
