import type { LastError } from './failure.ts'
import type { GapState } from './gaps.ts'

/**
 * What an inbox shows of its deliveries.
 *
 * A task is `pending` until a worker begins it, `running` while an attempt is under way, `retrying` between attempts,
 * and ends `done`, `discarded`, `dead` (it failed too often) or `gone` (its handler is registered nowhere any more).
 *
 * The state of a delivery follows from its tasks: `running` if one runs, else `retrying` if one waits, else `pending`
 * if one has not claimed, or nobody has dispatched it yet; else `dead` if one died, else `discarded` if all were, else
 * `done`. It is `ignored` if no handler matched, or all are gone. Only `pending`, `running` and `retrying` are not ends,
 * and an end is left only when another copy comes, or an operator retries it.
 */
export const deliveryStates = ['pending', 'running', 'retrying', 'dead', 'discarded', 'done', 'ignored'] as const
export type DeliveryState = (typeof deliveryStates)[number]
export type TaskState = 'pending' | 'running' | 'retrying' | 'done' | 'dead' | 'discarded' | 'gone'

/** The end that a delivery's tasks add up to, or where they stand. */
export function deliveryStateOf(tasks: readonly TaskState[]): DeliveryState {
  for (const state of ['running', 'retrying', 'pending', 'dead'] as const) if (tasks.includes(state)) return state
  const lasting = tasks.filter((state) => state !== 'gone')
  if (lasting.length === 0) return 'ignored'
  return lasting.every((state) => state === 'discarded') ? 'discarded' : 'done'
}

/** Whether another copy has a delivery handled again that ended so. */
export function isRearmed(state: DeliveryState): boolean {
  return state === 'dead' || state === 'ignored' || state === 'discarded'
}

/** What payloads are listed and searched by, taken from them when they are dispatched. */
export interface PayloadSummary {
  action?: string | undefined
  repository?: string | undefined
  sender?: string | undefined
  title?: string | undefined
  ref?: string | undefined
  sha?: string | undefined
  number?: number | undefined
}

/** A delivery in a list. Times are in milliseconds since 1970. */
export interface DeliverySummary extends PayloadSummary {
  id: number
  source: string
  hookId: string
  guid: string
  event: string
  state: DeliveryState
  /** Bytes as they came. */
  size: number
  receivedAt: number
  /** When the first attempt that waits is due. */
  nextAttemptAt: number | undefined
  /** How many attempts were claimed, of all handlers together. */
  attempts: number
  /** Milliseconds that they took, all together; `undefined` while none has ended. */
  duration: number | undefined
  /** The last failure of a handler that has not succeeded since. */
  failure: LastError | undefined
  /** How many copies came after it. */
  duplicates: number
  /** Other bytes came before under the same identity. */
  conflict: boolean
  /** The same bytes came before under another GUID or event. */
  replayed: boolean
  /** Fetched from GitHub's API. */
  recovered: boolean
  /** The delivery that an operator made it from. */
  editedFrom: number | undefined
}

/** A delivery with all that is known of it, but its bytes. */
export interface DeliveryDetail extends DeliverySummary {
  headers: Readonly<Record<string, string | undefined>>
  /** Hexadecimal. */
  sha256: string
  form: 'json' | 'form'
  address: string | undefined
  secretId: string | undefined
  secretIndex: number | undefined
  algorithm: string | undefined
  storedAt: number
  /** When the answer was handed on; `undefined` where the process did not live to say so. */
  ackedAt: number | undefined
  /** Why it ended without a handler having seen it. */
  reason: string | undefined
  tasks: TaskDetail[]
}

/** A handler's part in a delivery. */
export interface TaskDetail {
  handler: string
  state: TaskState
  key: string | undefined
  nextAttemptAt: number | undefined
  attempts: AttemptDetail[]
}

export interface AttemptDetail {
  number: number
  startedAt: number
  /** Milliseconds; `undefined` while it runs, and where its process died. */
  duration: number | undefined
  /** `released` and `cut off`: a shutdown or the end of its process was quicker. */
  outcome: 'running' | 'succeeded' | 'failed' | 'dead' | 'discarded' | 'released' | 'cut off'
  error: string | undefined
  result: string | undefined
  log: string | undefined
}

/** Some of the deliveries that a query asks for, newest first. */
export interface Page {
  deliveries: DeliverySummary[]
  /** Where to go on, as `before` of the next query; `undefined` at the end. */
  next: number | undefined
  /** How many deliveries were looked at for this page, and how many are older than the last of them. */
  scanned: number
  left: number
  /** How many payloads were not searched, since parsing them may take more memory than there is; left out if none. */
  tooLarge?: number | undefined
}

/** What has changed since somebody looked last. */
export interface Changes {
  /** Those that are new or have changed, each once and as it is now. Those that were deleted are left out. */
  deliveries: DeliverySummary[]
  /** From which the next look goes on, in whatever process. */
  position: string
  /** Whether there is more to see at once. */
  more: boolean
  /** Nobody knows any more what changed since that position: look at everything anew. */
  gap: boolean
}

/** How an inbox stands. */
export interface InboxOverview {
  states: Record<DeliveryState, number>
  /** When the oldest delivery that has not ended was received. */
  oldestUnfinished: number | undefined
  /** Handlers that some worker has. */
  handlers: string[]
  /** Handlers that are paused; `'*'` is all of them. */
  paused: string[]
  /** Bytes on disk. */
  size: number
  /** What GitHub sent and did not come in, by what became of it. */
  gaps: Record<GapState, number>
  /** What the inbox does by itself in this process, heartbeats or pruning, that failed the last time, and why. */
  failing?: string | undefined
}

/** Refusals that an inbox keeps. */
export const maxRejections = 1000

/** A request that was refused. Its body is not kept, and of its headers 4 KiB at most. */
export interface Rejection {
  at: number
  code: string
  status: number
  /** What only the operator is told. */
  reason: string | undefined
  source: string
  address: string | undefined
  event: string | undefined
  guid: string | undefined
  headers: Readonly<Record<string, string | undefined>>
}

export interface Rejections {
  /** The newest first, 1,000 at most. */
  latest: Rejection[]
  /** Of all that ever were, by their code. */
  counts: Record<string, number>
}
