import type { MissedDeliveryCounts } from './missed-deliveries.ts'

/**
 * The deliveries of an inbox, as the dashboard, the API and the command line show them.
 *
 * A task is `pending` until a worker claims it, `running` during an attempt, and `retrying` between a failed attempt
 * and the next one. It ends as `done` (it has succeeded), `discarded`, `dead` (it failed, and has no attempts left) or
 * `gone` (its handler is not registered any more, or no longer matches).
 *
 * A delivery that no worker has matched yet is `pending`. The state of a matched delivery follows from the states of
 * its tasks, see `deliveryStateOf`; `matchTasks` describes the exceptions. `pending`, `running` and `retrying`
 * deliveries have not ended. An ended delivery runs again if an operator retries it. It also runs again if a copy of it
 * arrives, unless it is `done`.
 */
export const deliveryStates = ['pending', 'running', 'retrying', 'dead', 'discarded', 'done', 'ignored'] as const
/** The state of a delivery. */
export type DeliveryState = (typeof deliveryStates)[number]
export const taskStates = ['pending', 'running', 'retrying', 'done', 'dead', 'discarded', 'gone'] as const
/** The state of a task: of one handler of a delivery. */
export type TaskState = (typeof taskStates)[number]

/** The source of the deliveries that operators create. */
export const operatorSource = 'dashboard'

/** Stored instead of the value of a header that authenticates the sender. */
export const notStored = '[not kept]'

/** A delivery to store, with the bytes of its body. */
export interface NewDelivery {
  /**
   * The name of the mount that received it. The identity of a delivery consists of source, hook id, GUID and secret id.
   * The GUID is not enough, because GitHub sends the same GUID to all webhooks that receive one event.
   */
  source: string
  /** `X-GitHub-Hook-ID`, or empty. */
  hookId: string
  /** `X-GitHub-Delivery`. */
  guid: string
  /** `X-GitHub-Event`, without the action. */
  event: string
  /** The values of headers with credentials or signatures are replaced by `notStored`. */
  headers: Readonly<Record<string, string | undefined>>
  /** The bytes that were verified. For a form, these contain the payload in its member `payload`. */
  body: Uint8Array
  /** `json` for `application/json`, `form` for `application/x-www-form-urlencoded`. */
  form: 'json' | 'form'
  /** The client's address, if known. */
  address: string | undefined
  /** When the request arrived, in milliseconds since 1970. */
  receivedAt: number
  /** The `id` that the secret resolver returned, if there is one. */
  secretId: string | undefined
  /** The position of the secret in the list of secrets, from 0. `undefined` if no signature was checked. */
  secretIndex: number | undefined
  /** The algorithm of the signature; `undefined` if none was checked. */
  algorithm: string | undefined
  /**
   * Whether the delivery was read from GitHub's API. The bytes of its body are then not those that GitHub sent. So the
   * store compares such a delivery with other deliveries by the identity alone.
   */
  pulled?: boolean | undefined
  /** Id of the delivery that an operator edited to make this one. */
  editedFrom?: number | undefined
  /** `traceparent` (W3C Trace Context) of the span of the request that the delivery arrived in. */
  trace?: string | undefined
}

/** The result of storing a delivery. */
export interface StoreResult {
  /** The id of the stored delivery. 0 for a `duplicate` of a pruned delivery. */
  id: number
  /** `rearmed`: a copy of a delivery that ended without success. Its handlers that have not succeeded run again. */
  outcome: 'stored' | 'duplicate' | 'rearmed'
  /** Whether the stored delivery has the identity of an older delivery, but other bytes. */
  conflict: boolean
}

/**
 * The fields that a worker reads from the payload when it matches the delivery. The store has a column for each of
 * them, for lists and searches.
 */
export interface PayloadSummary {
  /** Such as `opened`. */
  action?: string | undefined
  /** As `owner/name`. */
  repository?: string | undefined
  /** The login of the user who caused the delivery. */
  sender?: string | undefined
  /** The title of the issue or pull request, the message of the commit, or the result of the run. */
  title?: string | undefined
  /** The branch or tag. */
  ref?: string | undefined
  /** The commit. */
  sha?: string | undefined
  /** The number of the issue, pull request or discussion. */
  number?: number | undefined
}

/** A failure of a handler. */
export interface LastError {
  /** The name of the handler that failed. */
  handler: string
  /** The first line of the error. */
  error: string | undefined
}

/** The latest failure of a handler. */
export interface Failure extends LastError {
  /** The id of the delivery. */
  id: number
  /** When the attempt ended, in milliseconds since 1970. */
  at: number
}

/** A delivery in a list. Times are in milliseconds since 1970. */
export interface DeliverySummary
  extends PayloadSummary,
    Pick<NewDelivery, 'source' | 'hookId' | 'guid' | 'event' | 'receivedAt'> {
  /** Given by the store, in the order of insertion. */
  id: number
  /** Follows from the states of its tasks. */
  state: DeliveryState
  /** Bytes of the body. */
  size: number
  /**
   * When its next attempt may start, if the delivery is `retrying`, or if it is `pending` and its tasks start later.
   * Otherwise `undefined`.
   */
  nextAttemptAt: number | undefined
  /** Number of attempts of the handler with the most attempts, including a running attempt. */
  attempts: number
  /** Milliseconds of all attempts together; `undefined` while none has ended. */
  duration: number | undefined
  /** The newest failed attempt of a task that is `retrying` or `dead`. */
  failure: LastError | undefined
  /** The paused handlers that still have to handle the delivery, in alphabetical order; `undefined` if none. */
  pausedHandlers: string[] | undefined
  /** How many copies of the delivery arrived after it. */
  duplicates: number
  /** A delivery with the same identity and other bytes was received before. */
  conflict: boolean
  /** The same bytes were received before under another GUID or event. */
  replayed: boolean
  /** Read from GitHub's API. */
  pulled: boolean
  /** The id of the delivery that an operator edited to make this one. */
  editedFrom: number | undefined
}

/** A delivery with all its data except the body. */
export interface DeliveryDetail
  extends DeliverySummary,
    Pick<NewDelivery, 'headers' | 'form' | 'address' | 'secretId' | 'secretIndex' | 'algorithm'> {
  /** Hexadecimal. */
  sha256: string
  /** When the store inserted it, in milliseconds since 1970. */
  storedAt: number
  /**
   * When the commit of the delivery was complete. hookserver replies to GitHub after this time. The store can write
   * this time to the inbox only in a later transaction. Until then, it is `undefined`. It stays `undefined` if the
   * process ends before that transaction.
   */
  ackedAt: number | undefined
  /** Why an operator discarded it, why it ended before any handler saw it, or why a task of it ended as `gone`. */
  reason: string | undefined
  /** If it is `replayed`: the id of the oldest delivery with the same body. `undefined` if that one was pruned. */
  sameBodyAs: number | undefined
  /** If it waits for its match: whether handlers that have succeeded run again. Left out after the match. */
  rerun?: boolean | undefined
  /** One for each handler that matched. Empty until a worker has matched the delivery. */
  tasks: TaskDetail[]
}

/** The task of one handler. */
export interface TaskDetail {
  /** The name of the handler. */
  handler: string
  /** Of this handler only. The state of the delivery follows from those of all tasks. */
  state: TaskState
  /** The order key, if the handler has the option `order`. */
  key: string | undefined
  /**
   * If it waits because of its order key: the id of the delivery whose task with the same key has to end first. Left out
   * otherwise.
   */
  blockedBy?: number | undefined
  /** When its next attempt may start, in milliseconds since 1970. */
  nextAttemptAt: number | undefined
  /** The failure group of its latest failure; left out if it has not failed, or if the failure is resolved. */
  failureGroup?: number | undefined
  /**
   * How many attempts do not count against the limit, besides released ones: those before an operator retried the
   * delivery or a copy rearmed it, and those whose leases expired after the task was claimed ahead, or would expire. Left
   * out if all of them count.
   */
  uncounted?: number | undefined
  /** Oldest first. */
  attempts: AttemptDetail[]
}

/**
 * `released`: a shutdown interrupted the attempt, or the worker returned the task before it called the handler, for
 * example because its other tasks took too long. `cut off`: its lease expired, for example because its process died.
 */
export const attemptOutcomes = ['running', 'succeeded', 'failed', 'dead', 'discarded', 'released', 'cut off'] as const

/** One attempt of a handler, with its outcome, its log and its error. */
export interface AttemptDetail {
  /** From 1. */
  number: number
  /** In milliseconds since 1970. */
  startedAt: number
  /**
   * Milliseconds. `undefined` while the attempt runs, if its lease expired, or if an operator discarded the delivery
   * during the attempt.
   */
  duration: number | undefined
  /** `running` until the attempt ends. */
  outcome: (typeof attemptOutcomes)[number]
  /** The error and its causes, with their stacks: at most 16,384 characters. */
  error: string | undefined
  /** The value that the handler returned, as text: at most 16,384 characters. `undefined` without a value. */
  result: string | undefined
  /** The lines that the handler wrote to `delivery.log`: at most 32,768 characters. */
  log: string | undefined
}

/** One page of the deliveries that match a query, newest first. */
export interface Page {
  /** May be empty although there is a `next`, if the time of the search was over. */
  deliveries: DeliverySummary[]
  /** `before` of the query for the next page; `undefined` on the last page. */
  next: number | undefined
  /** How many deliveries were examined for this page. */
  scanned: number
  /** An upper bound of the number of deliveries that are older than the examined deliveries. */
  left: number
  /** How many payloads were not searched because parsing them may take too much memory; left out if none. */
  tooLarge?: number | undefined
}

/** Maximum rows of the change log. A reader that is further behind reads the whole list again. */
export const maxChanges = 20_000

/** The deliveries that changed since a position. */
export interface Changes {
  /** New and changed deliveries, each once and in its current state. Deleted deliveries are left out. */
  deliveries: DeliverySummary[]
  /** The position to pass to the next call, which any process may make. */
  position: string
  /** Whether more changes than these are available already. The caller then need not wait before the next call. */
  more: boolean
  /**
   * Whether changes since the position that the caller passed may be missing. The caller must then read the whole list
   * again.
   */
  gap: boolean
}

/** The state of an inbox. */
export interface InboxOverview {
  /** How many deliveries are in each state. */
  states: Record<DeliveryState, number>
  /** When the oldest unfinished delivery was received. */
  oldestUnfinished: number | undefined
  /** Handlers of all registered workers. */
  handlers: string[]
  /** Paused handlers; `'*'` stands for all. */
  paused: string[]
  /** Bytes on disk. */
  size: number
  /** How many missed deliveries are in each state. */
  missedDeliveries: MissedDeliveryCounts
  /** The parts of this process's maintenance whose latest run failed. Absent if there are none. */
  failing?: readonly MaintenanceFailure[] | undefined
  /** PostgreSQL only: the oldest transaction, if it has been open for more than a minute. */
  oldTransaction?: OldTransaction | undefined
}

/** A part of the maintenance of an inbox whose latest run in this process failed. The next run tries again. */
export interface MaintenanceFailure {
  /** Such as `heartbeats` or `pruning`. */
  work: string
  /** The message of the error. */
  message: string
}

/** A transaction of any client of the database that keeps PostgreSQL from removing deleted rows. */
export interface OldTransaction {
  /** The process of the server. */
  pid: number
  /** The role in PostgreSQL. */
  user: string
  /** Empty if the client has set no name. */
  application: string
  /** Milliseconds. */
  age: number
}

/** Maximum rejected requests that an inbox keeps. */
export const maxRejections = 1000

/** A rejected request: at most 4 KiB of its headers, and not its body. */
export interface Rejection {
  /** In milliseconds since 1970. */
  at: number
  /** The code of the error, as in `docs/errors.md`. */
  code: string
  /** The status of the reply. */
  status: number
  /** The reason in detail, which only the operator sees. */
  reason: string | undefined
  /** The name of the mount that rejected the request. */
  source: string
  /** The address of the client, if it is known. */
  address: string | undefined
  /** `X-GitHub-Event`, which is not verified. */
  event: string | undefined
  /** `X-GitHub-Delivery`, which is not verified. */
  guid: string | undefined
  /** At most 4 KiB. Signatures, cookies and authorization are replaced. */
  headers: Readonly<Record<string, string | undefined>>
}

/** The newest rejected requests, and the number of all by code. */
export interface Rejections {
  /** At most 1,000, newest first. */
  latest: Rejection[]
  /** All rejected requests since the inbox was created, by code. */
  counts: Record<string, number>
}
