import type { NewAuditEntry } from '../inbox/audit-log.ts'
import type { GoneTasks, HandlerPolicy, Match, RetryOptions, Store, StoreResult } from '../inbox/inbox.ts'
import type { Query, SelectedIds } from '../inbox/query/query.ts'
import type { Page } from '../inbox/records.ts'
import type { StoredDeliveryRow } from '../inbox/rows.ts'
import { type OnBatch, ThreadClient, threadFile } from '../runtime/thread-client.ts'
import type { Answer, Call } from '../runtime/thread-server.ts'
import { diagnostics } from '../telemetry/diagnostics.ts'
import { type BatchAnswer, batchLength, type DeliveryBatch } from './delivery-store/delivery-batch.ts'
import type { EncodedDelivery } from './delivery-store/store.ts'
import type { SqliteSettings } from './options.ts'
import type { RecordedMatches } from './task-queue/match.ts'

export interface ThreadSettings extends SqliteSettings {
  role: 'writer' | 'maintenance'
  path: string
}

/** Methods of the inbox as a thread serves them: without a promise. */
type Served<Name extends keyof Store> = {
  [Method in Name]: NonNullable<Store[Method]> extends (...args: infer Args) => Promise<infer Result>
    ? (...args: Args) => Result
    : never
}

/** The methods of the inbox that are one call to the writer thread. */
export const writerMethods = [
  'checkWritable',
  'countMatchAttempt',
  'forgetMatchAttempts',
  'claim',
  'finish',
  'releaseLeases',
  'importDeliveries',
  'pause',
  'resume',
  'recordAction',
  'recordRejections',
  'addCounts',
  'saveMissedDeliveries',
  'lease',
  'setValue',
  'compareAndSet',
  'heartbeat',
  'unregister',
] as const

/** The calls that the writer thread serves. */
export interface WriterCalls
  extends Served<(typeof writerMethods)[number] | 'registerWorker' | 'updateWorker' | 'releaseWorker'> {
  store(delivery: EncodedDelivery): StoreResult
  storeBatch(batch: DeliveryBatch): BatchAnswer
  recordMatches(worker: number, matches: readonly Match[], now: number, sources?: readonly string[]): RecordedMatches
  retry(selected: SelectedIds, options?: RetryOptions): number
  discard(selected: SelectedIds, reason: string, entry?: NewAuditEntry): number
  /** Retries the tasks of a failure group and of these deliveries. */
  retryFailures(group: number, ids: readonly number[], entry?: NewAuditEntry): number
  discardFailures(group: number, ids: readonly number[], reason: string, entry?: NewAuditEntry): number
}

/** The methods of the inbox that are one call to the maintenance thread. */
export const maintenanceMethods = [
  'dueHandlers',
  'nextDueAt',
  'timeCounts',
  'get',
  'body',
  'overview',
  'maintenanceFailures',
  'values',
  'failures',
  'failureGroups',
  'failureGroup',
  'changes',
  'auditEntries',
  'rejections',
  'counts',
  'handlerLoads',
  'knownGuids',
  'missedDeliveries',
  'createdAt',
  'getValue',
  'processes',
] as const

/** The calls that the maintenance thread serves. */
export interface MaintenanceCalls extends Served<(typeof maintenanceMethods)[number]> {
  /** Sends the heartbeats of a worker from now on. */
  addWorker(worker: number, handlers: readonly HandlerPolicy[]): void
  removeWorker(worker: number): void
  /** Reads unmatched deliveries with larger ids than `after`, oldest first. */
  readUnmatched(limit: number, bytes: number, after: number, sources?: readonly string[]): StoredDeliveryRow[]
  load(ids: readonly number[]): StoredDeliveryRow[]
  list(query: Query): Page
  deliveriesOfFailure(group: number): number[]
  /** Prunes one batch of deliveries. @returns the number of deleted deliveries. */
  prune(now: number): number
}

type Settings = Omit<ThreadSettings, 'role'>

/** The thread in which deliveries are stored: it commits once for each batch of calls. */
export function writerThread(settings: Settings): ThreadClient<WriterCalls> {
  return new ThreadClient({ ...optionsOf('writer', settings), sizeOf: largeSize, onBatch: publishCommitted })
}

/**
 * The thread that reads, renews leases, makes checkpoints and prunes.
 * @param prelude Calls that add the workers again after the thread has died.
 * @param onGone Called when the thread has ended tasks as `gone`.
 */
export function maintenanceThread(
  settings: Settings,
  prelude: () => Call<MaintenanceCalls>[],
  onGone: (tasks: GoneTasks) => void,
): ThreadClient<MaintenanceCalls> {
  const onEvent = (event: unknown) => onGone(event as GoneTasks)
  return new ThreadClient({ ...optionsOf('maintenance', settings), prelude, onEvent })
}

/** @throws {Error} in the bundle of an application, which lacks the program of the threads. */
function optionsOf(role: ThreadSettings['role'], settings: Settings) {
  const program = threadFile(() => new URL('../sqlite/thread.js', import.meta.url), 'sqlite')
  const data: ThreadSettings = { ...settings, role }
  return { program, name: `hookserver ${role}`, data, closedMessage: 'The inbox is closed' }
}

/** Bytes of a large delivery, which is a call of its own. 0 for other calls. */
function largeSize(call: Call<WriterCalls>): number {
  return call.method === 'store' && call.args[0].sha256 ? call.args[0].content.length : 0
}

/** Publishes how many deliveries one transaction stored, copies included. */
const publishCommitted: OnBatch<WriterCalls> = (calls, answers, duration) => {
  const { committed } = diagnostics
  if (!committed?.hasSubscribers) return
  const deliveries = calls.reduce((sum, call, index) => sum + committedBy(call, answers[index] as Answer), 0)
  if (deliveries > 0) committed.publish({ deliveries, duration })
}

function committedBy({ method, args }: Call<WriterCalls>, answer: Answer): number {
  if (!('value' in answer)) return 0
  if (method === 'store') return 1
  return method === 'storeBatch' ? batchLength(args[0]) - (answer.value as BatchAnswer).errors.length : 0
}
