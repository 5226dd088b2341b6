import type { DeliveryState, NewDelivery, PayloadSummary } from './records.ts'

/** The options of a handler that a store needs to find stuck processes, and to reclaim tasks from dead workers. */
export interface HandlerPolicy {
  /** The name of the handler. */
  name: string
  /** The maximum delay before the second attempt, in milliseconds. */
  backoff: number
  /**
   * Milliseconds that an attempt may take. Default: 15 minutes. A process counts as dead if its event loop is blocked
   * for more than a minute, and for longer than the `timeout` of each of its handlers.
   */
  timeout?: number
  /** Maximum attempts of a task. Default: 12. */
  attempts?: number
}

/** A delivery as a worker reads it. */
export interface StoredDelivery extends Omit<NewDelivery, 'pulled' | 'editedFrom' | 'algorithm' | 'address'> {
  /** The id in the store. */
  id: number
  /** Whether it was read from GitHub's API. */
  pulled: boolean
  /** Whether another copy of it has arrived. */
  redelivered: boolean
  /** Whether an older delivery has the same identity and other bytes. */
  conflict: boolean
  /** Whether the same bytes were received before under another GUID or event. */
  replayed: boolean
  /** Why its bytes can no longer be read; `body` is empty then. */
  damaged?: string | undefined
}

/** Unmatched deliveries, or due tasks. */
export type AvailableWork = 'unmatched' | 'due'

/** Tasks of a handler that the store has ended as `gone`. */
export interface GoneTasks {
  /** The name of the handler that is not registered any more. */
  handler: string
  /** How many tasks ended as `gone`. */
  count: number
}

/** Which deliveries `match` offers. */
export interface MatchOffer {
  /** Maximum deliveries. */
  limit: number
  /** Maximum bytes of all bodies. The first delivery is offered even if its body is larger. */
  bytes: number
  /**
   * Whether a match may have a task with an order key. If two workers call `match` with `true` at the same time, a
   * store is allowed to offer nothing to one of them.
   */
  ordered: boolean
  /**
   * The mounts whose deliveries the worker handles, by `source`. The others are not offered, and do not delay the
   * matches of ordered tasks. Default: all.
   */
  sources?: readonly string[] | undefined
  /** The time of the call, in milliseconds since 1970. */
  now: number
}

/** Decides which handlers the offered deliveries are matched with. */
export type DecideMatches = (offered: readonly StoredDelivery[]) => readonly Match[] | Promise<readonly Match[]>

/** The number of recorded matches, and the tasks of these matches that this worker has claimed. */
export interface MatchResult {
  /** How many deliveries these matches have changed. */
  matched: number
  /** The new tasks that this call has claimed for the worker. */
  claimed: ClaimedTask[]
  /** The deliveries that these matches have ended as `dead`, because they are `invalid`. Absent if there are none. */
  invalid?: readonly number[]
  /** The tasks that these matches have ended as `gone`, because their handlers no longer match. Default: none. */
  gone?: readonly GoneTasks[]
}

/** The handlers of a delivery. */
export interface Match {
  /** The id of the delivery. */
  id: number
  /** Fills the columns of the delivery that lists and searches use. */
  summary: PayloadSummary
  /** Empty if no handler matches: the delivery ends `ignored`. */
  tasks: readonly MatchedTask[]
  /** Why the delivery ends `dead` before any handler sees it. */
  invalid?: string | undefined
  /** Whether the delivery ends `discarded` if its bytes were received before under another GUID or event. */
  discardReplay?: boolean
}

/** A task that a match creates: a handler that has to run for the delivery. */
export interface MatchedTask {
  /** The name of the handler. */
  handler: string
  /** Tasks of one handler with the same key run one at a time, in order of receipt. */
  key?: string | undefined
  /**
   * The repository or installation of the delivery. Of the due tasks of a handler, the store claims one of each fair key,
   * then the next one of each, and so on. Default: the oldest task first.
   */
  fairKey?: string | undefined
  /** Whether the worker claims it, to run it now or soon. */
  claim: boolean
  /** Whether the worker claims it ahead, see `ClaimRequest.ahead`. */
  ahead?: boolean | undefined
  /**
   * When the task is due, in milliseconds since 1970. Until then, it is `pending` and blocks later tasks with its order
   * key. Default: at once.
   */
  startAt?: number | undefined
}

/** The tasks that a worker can run now. */
export interface ClaimRequest {
  /** Maximum tasks of each handler. */
  wanted: Readonly<Record<string, number>>
  /**
   * How many of the wanted tasks of each handler the worker claims ahead: the last ones. They wait until other tasks have
   * ended, so if the lease of such a task expires, the attempt does not count against the limit. An attempt of a suspect
   * always counts. Default: none.
   */
  ahead?: Readonly<Record<string, number>> | undefined
  /** Maximum bytes of all bodies together. The first task is claimed even if its body is larger. */
  bytes: number
  /** Maximum bytes of one body; tasks of larger deliveries are skipped. Default: no limit. */
  largest?: number | undefined
  /**
   * Whether to claim a suspect, which is a task whose two latest leases have expired. At most one is claimed. Default:
   * the call claims any number of them.
   */
  suspect?: boolean | undefined
  /** As in `MatchOffer`: tasks of other deliveries are not claimed. */
  sources?: readonly string[] | undefined
  /** The time of the worker's clock. Only tasks that are due at this time are claimed. */
  now: number
}

/** The number of suspects that a call of `claim` may claim. */
export function maxSuspects(suspect: ClaimRequest['suspect']): number {
  return suspect === undefined ? Number.POSITIVE_INFINITY : Number(suspect)
}

/**
 * The handlers, beginning at a random one. A claim takes its suspect from the first handler that has any. So the suspects of
 * a fast handler do not wait until all suspects of a slow one have run.
 */
export function fromRandom<T>(handlers: readonly T[]): T[] {
  const start = Math.floor(Math.random() * handlers.length)
  return [...handlers.slice(start), ...handlers.slice(0, start)]
}

/**
 * How many more tasks than wanted a claim searches for among those whose time has come. They get their passes then, and
 * each task needs that once. With fewer, the first tasks of a backlog of one repository would hide those of others.
 */
export const moreScheduled = 100

/** A task whose lease this worker holds. */
export interface ClaimedTask {
  /** The id of the delivery. */
  id: number
  /** The name of the handler. */
  handler: string
  /** Counted from 1 over the whole life of the task: no two leases of a task have the same number. */
  attempt: number
  /**
   * The number of attempts, including this one. Attempts that a shutdown interrupted do not count, nor do those before
   * an operator retried the delivery or a copy rearmed it.
   */
  attemptsUsed: number
  /**
   * How many of them do not count against the limit: their leases expired after the task was claimed ahead, so the
   * handler may not have begun. Default: 0.
   */
  uncounted?: number | undefined
  /** Whether the same bytes were received before under another GUID or event. */
  replayed: boolean
  /** True if the task has an order key, even if its handler no longer has the option `order`. */
  ordered?: boolean
  /** True if the leases of the two latest attempts expired: the task may have ended its processes. */
  suspect?: boolean
}

/** Identifies the lease of a task. */
export type LeasedAttempt = Pick<ClaimedTask, 'id' | 'handler' | 'attempt'>

/** Whether a list has the attempt. */
export function includesAttempt(list: readonly LeasedAttempt[], { id, handler, attempt }: LeasedAttempt): boolean {
  return list.some((one) => one.id === id && one.handler === handler && one.attempt === attempt)
}

/** How an attempt ended. */
export interface AttemptResult {
  /** The id of the delivery. */
  id: number
  /** The name of the handler. */
  handler: string
  /** The number of the attempt: that of the claim. */
  attempt: number
  /**
   * `released`: a shutdown interrupted the attempt, or the worker could not begin it. The attempt does not count, and
   * the task is due again immediately. `dead`: the attempt failed, and the task has no attempts left.
   */
  outcome: 'succeeded' | 'failed' | 'dead' | 'discarded' | 'released'
  /** In milliseconds since 1970. */
  startedAt: number
  /** Milliseconds. */
  duration: number
  /** When the task is due again, if the outcome is `failed`. */
  nextAt?: number | undefined
  /** The text of the thrown value, with its stack. */
  error?: string | undefined
  /** The text of the returned value. */
  result?: string | undefined
  /** The log of the attempt, one line for each entry. */
  log?: string | undefined
  /**
   * The maximum size of a body, in bytes. If the body of the next task with the same order key is not larger, the store
   * claims this task for the same worker, which saves a call of `claim`. If the body is larger, the task only becomes
   * due, and any worker may claim it. Default: the task only becomes due.
   */
  nextBytes?: number | undefined
  /** As in `MatchOffer`: if the next task is of another delivery, it only becomes due. */
  nextSources?: readonly string[] | undefined
  /** Whether the worker claims the next task ahead, see `ClaimRequest.ahead`. Default: no. */
  nextAhead?: boolean | undefined
}

/** The state of a delivery after the result of an attempt. */
export interface DeliveryStatus {
  /** The id of the delivery. */
  id: number
  /** The state after the change. */
  state: DeliveryState
  /** True if the delivery has ended by another result than this one. */
  endedByOther?: boolean
  /** The next task with the same order key, which this worker has claimed. */
  next?: ClaimedTask | undefined
}

/** Tells the time in milliseconds since 1970. */
export interface Clock {
  /** Returns milliseconds since 1970. */
  now(): number
}

/** Hands out work to workers. A worker needs no more. */
export interface TaskQueue {
  /**
   * The clock of all times that a worker reads or sets, for a store that machines with different clocks share. Default:
   * the clock of the machine.
   */
  readonly clock?: Clock
  /** Milliseconds until an idle worker polls again. A poll finds the work that other processes have made available. */
  readonly pollInterval: number
  /**
   * Milliseconds. If a process sends no heartbeats for longer than this, for example because it was suspended, the
   * leases of its workers may have expired.
   */
  readonly leaseDuration: number
  /**
   * Registers a worker and starts its heartbeats.
   * @param onWork Called when a process may have made work available. A store need not call it, because workers also
   *   poll the store.
   * @param onGone Called when this process has ended due tasks as `gone`, because no worker had registered their handler.
   *   Called once for each handler.
   * @returns the id of the worker, for the calls below.
   */
  registerWorker(
    handlers: readonly HandlerPolicy[],
    onWork?: (work: AvailableWork) => void,
    onGone?: (tasks: GoneTasks) => void,
  ): Promise<number>
  /** Replaces the handlers of a worker. */
  updateWorker(worker: number, handlers: readonly HandlerPolicy[]): Promise<void>
  /** Releases the leases that a worker still holds, without counting an attempt, and stops its heartbeats. */
  releaseWorker(worker: number): Promise<void>
  /**
   * Releases the leases of a worker without counting an attempt, except those of the given attempts. A worker calls this
   * method after a failed call, which may have leased tasks that the worker does not know.
   */
  releaseLeases(worker: number, except: readonly LeasedAttempt[]): Promise<void>

  /**
   * Offers unmatched deliveries to `decide`, oldest first, and records the matches that it returns. If `decide` returns
   * no `Match` for an offered delivery, the delivery stays unmatched. A match is ignored if another worker has matched
   * the delivery meanwhile, or if an operator has ended the delivery. A match with an order key is also ignored while
   * an older delivery is unmatched, because the older delivery may have the same key.
   * @param decide Called only if the store offers at least one delivery. Called again if the store repeats a failed
   * transaction; only the last call counts.
   */
  match(worker: number, offer: MatchOffer, decide: DecideMatches): Promise<MatchResult>
  /**
   * Counts an attempt to parse the payload of a delivery, and commits the count before the payload is parsed. The count
   * identifies a payload that ends the process.
   * @returns the number of attempts, including this one. `undefined` if another process parses the payload now: the
   *   worker then leaves the delivery unmatched. A store that offers a delivery to one process at a time needs no
   *   `undefined`.
   */
  countMatchAttempt(id: number): Promise<number | undefined>
  /** Resets the count of `countMatchAttempt`, once the payload is parsed. */
  forgetMatchAttempts(id: number): Promise<void>
  /**
   * The handlers that have due tasks and are not paused. A worker with many handlers asks this first, so that it wants
   * tasks of these handlers only. Without this method, the worker wants tasks of all its handlers at each poll.
   * @param now As in `ClaimRequest`.
   * @param sources As in `ClaimRequest`.
   */
  dueHandlers?(now: number, sources?: readonly string[]): Promise<string[]>
  /** Claims due tasks, except those of paused handlers. */
  claim(worker: number, request: ClaimRequest): Promise<ClaimedTask[]>
  /**
   * When there is work for these handlers: the earliest time at which one of their tasks is due. 0 if a delivery is
   * unmatched. `undefined` if there is no such task. Leaves out tasks of paused handlers, running tasks, and tasks that
   * wait for another task with their order key.
   * @param sources As in `MatchOffer`: other deliveries and their tasks do not count.
   */
  nextDueAt(handlers: readonly string[], sources?: readonly string[]): Promise<number | undefined>
  /** The deliveries with these ids, except those that were deleted. */
  load(ids: readonly number[]): Promise<StoredDelivery[]>
  /**
   * Records results. Ignores the result of an attempt if this worker no longer holds the lease of the attempt. If a
   * result has `nextBytes`, also claims the next task with the same order key.
   * @returns the states of the deliveries, with the next tasks.
   */
  finish(worker: number, results: readonly AttemptResult[]): Promise<DeliveryStatus[]>
}
