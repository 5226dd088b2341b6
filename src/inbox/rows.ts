import { type AttemptStatsRow, sumAttempts, toAttemptStats } from './attempt-stats.ts'
import type { StoredDelivery } from './inbox.ts'
import type {
  AttemptDetail,
  DeliveryDetail,
  DeliveryState,
  DeliverySummary,
  Rejection,
  TaskDetail,
  TaskState,
} from './records.ts'

/** A row of `deliveries`, the same in all stores, except that SQLite has 1 and 0 for true and false. */
export interface DeliveryRow {
  id: number
  variant: number
  source: string
  hook_id: string
  guid: string
  event: string
  state: DeliveryState
  next_at: number | null
  received_at: number
  stored_at: number
  acked_at: number | null
  sha256: Uint8Array
  headers_size: number
  size: number
  trace: string | null
  form: 'json' | 'form'
  address: string | null
  secret_id: string | null
  secret_index: number | null
  algorithm: string | null
  recovered: boolean | number
  duplicates: number
  replayed: boolean | number
  reason: string | null
  action: string | null
  repository: string | null
  sender: string | null
  title: string | null
  ref: string | null
  sha: string | null
  number: number | null
  edited_from: number | null
}

/** The columns that a worker reads, with the headers as JSON and the body as GitHub sent it. */
export interface StoredDeliveryRow
  extends Pick<
    DeliveryRow,
    | 'id'
    | 'variant'
    | 'source'
    | 'hook_id'
    | 'guid'
    | 'event'
    | 'received_at'
    | 'size'
    | 'trace'
    | 'form'
    | 'secret_id'
    | 'secret_index'
    | 'recovered'
    | 'duplicates'
    | 'replayed'
  > {
  headers: string
  body: Uint8Array
  damaged?: string
}

/** The columns of a list. */
export type SummaryRow = Omit<
  DeliveryRow,
  'stored_at' | 'acked_at' | 'sha256' | 'trace' | 'address' | 'secret_id' | 'secret_index' | 'algorithm' | 'reason'
>

export interface TaskRow {
  handler: string
  state: TaskState
  next_at: number | null
  order_key: string | null
  attempt: number
  started_at: number | null
}

export interface AttemptRow {
  handler: string
  number: number
  started_at: number
  duration: number | null
  outcome: AttemptDetail['outcome']
  error: string | null
  result: string | null
  log: string | null
}

export interface RejectionRow {
  at: number
  code: string
  status: number
  reason: string | null
  source: string
  address: string | null
  event: string | null
  guid: string | null
  headers: string
}

/** The members that `StoredDelivery` and `DeliverySummary` share. */
function sharedMembers(row: Pick<DeliveryRow, keyof StoredDeliveryRow & keyof SummaryRow>) {
  return {
    id: row.id,
    source: row.source,
    hookId: row.hook_id,
    guid: row.guid,
    event: row.event,
    receivedAt: row.received_at,
    conflict: row.variant > 0,
    replayed: Boolean(row.replayed),
    recovered: Boolean(row.recovered),
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
  return {
    ...sharedMembers(row),
    state: row.state,
    size: row.size,
    nextAttemptAt: row.next_at ?? undefined,
    ...toAttemptStats(stats),
    duplicates: row.duplicates,
    action: row.action ?? undefined,
    repository: row.repository ?? undefined,
    sender: row.sender ?? undefined,
    title: row.title ?? undefined,
    ref: row.ref ?? undefined,
    sha: row.sha ?? undefined,
    number: row.number ?? undefined,
    editedFrom: row.edited_from ?? undefined,
  }
}

export function toDetail(
  row: DeliveryRow,
  headers: string,
  tasks: readonly TaskRow[],
  attempts: readonly AttemptRow[],
): DeliveryDetail {
  return {
    ...toSummary(row, sumAttempts(row.id, tasks, attempts)),
    headers: JSON.parse(headers),
    sha256: Buffer.from(row.sha256).toString('hex'),
    form: row.form,
    address: row.address ?? undefined,
    secretId: row.secret_id ?? undefined,
    secretIndex: row.secret_index ?? undefined,
    algorithm: row.algorithm ?? undefined,
    storedAt: row.stored_at,
    ackedAt: row.acked_at ?? undefined,
    reason: row.reason ?? undefined,
    tasks: tasks.map((task) => toTaskDetail(task, attempts)),
  }
}

function toTaskDetail(
  { handler, state, next_at, order_key, attempt, started_at }: TaskRow,
  all: readonly AttemptRow[],
): TaskDetail {
  const attempts = all.filter((one) => one.handler === handler).map(toAttemptDetail)
  if (state === 'running') {
    const running = { number: attempt, startedAt: started_at ?? 0, outcome: 'running' } as const
    attempts.push({ ...running, duration: undefined, error: undefined, result: undefined, log: undefined })
  }
  const nextAttemptAt = state === 'retrying' ? (next_at ?? undefined) : undefined
  return { handler, state, key: order_key ?? undefined, nextAttemptAt, attempts }
}

function toAttemptDetail({ number, started_at, duration, outcome, error, result, log }: AttemptRow): AttemptDetail {
  return {
    number,
    startedAt: started_at,
    duration: duration ?? undefined,
    outcome,
    error: error ?? undefined,
    result: result ?? undefined,
    log: log ?? undefined,
  }
}

export function toRejection({ reason, address, event, guid, headers, ...row }: RejectionRow): Rejection {
  return {
    ...row,
    reason: reason ?? undefined,
    address: address ?? undefined,
    event: event ?? undefined,
    guid: guid ?? undefined,
    headers: JSON.parse(headers),
  }
}
