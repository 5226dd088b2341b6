/**
 * The port of the inbox: what a store must be able to do. SQLite and Postgres implement it; `inboxContract` in
 * `hookserver/testing` lists what each must hold to.
 *
 * A delivery is *stored* by a receiver and *dispatched* by a worker, which matches it with handlers; from then on it
 * has one *task* for each handler. A task is run in *attempts* until it succeeds, is discarded, or has failed too
 * often. A running task is leased to its worker, whose heartbeats the store sends by itself; those of a worker that
 * died fall due again.
 *
 * A store never decides when to retry and never calls the user's code. Times are in milliseconds since 1970; where
 * one decides what is due, it is the argument `now`, so that the caller owns the clock.
 */
import type { Count, CountQuery } from './counts.ts'
import type { Failure } from './failure.ts'
import type { Gap, Sought } from './gaps.ts'
import type { Restored } from './imported-delivery.ts'
import type { Presence, SeenPresence } from './processes.ts'
import type { Query, Selection } from './query/query.ts'
import type { ValueQuery } from './query/values.ts'
import type { Changes, DeliveryDetail, DeliveryState, Facts, Page, Refusal, Refusals, Tally } from './records.ts'

export interface Inbox {
  /** Milliseconds after which an idle worker looks again for what other processes have stored. */
  readonly pollInterval: number

  /**
   * Commits a delivery, or recognises it as one that is known.
   * @returns once it is safe on disk.
   * @throws whatever kept it from being stored.
   */
  store(parcel: Parcel): Promise<Receipt>
  /**
   * Stores a delivery on trial: writes it, rolls it back, and commits a small row. No other method shows either of them.
   * @throws whatever would keep a delivery from being stored.
   */
  checkWritable(): Promise<void>

  /**
   * Enlists a worker and begins its heartbeats.
   * @param onWork Called when a process may have made work available; a store that does not call it is polled.
   * @returns its id, for the calls below.
   */
  enlist(handlers: readonly HandlerPolicy[], onWork?: (work: AvailableWork) => void): Promise<number>
  /** Says that the worker has other handlers by now. */
  announce(worker: number, handlers: readonly HandlerPolicy[]): Promise<void>
  /** Gives back what the worker still holds, counting no attempt, and ends its heartbeats. */
  dismiss(worker: number): Promise<void>

  /**
   * Offers deliveries that are not matched with handlers yet to `plan`, oldest first, and records the plans it returns.
   * A delivery without a plan stays unmatched. A plan is left out if another worker matched the delivery meanwhile, if
   * an operator ended it, or if a task of it has a key while an older delivery is unmatched: that one may share the key.
   * @param plan Called at most once for each attempt of the store to record plans; only the last call counts.
   */
  match(worker: number, offer: MatchOffer, plan: Planner): Promise<MatchResult>
  /**
   * Counts an attempt to read the payload of a delivery, and commits that before the payload is read: a payload that
   * ends the process is recognised by its count.
   * @returns how many attempts there were, including this one.
   */
  countMatchAttempt(id: number): Promise<number>
  /** Forgets the attempts: the process has survived. */
  forgetMatchAttempts(id: number): Promise<void>
  /**
   * Begins tasks that are due, for each handler as many as are wanted and while `bytes` last; none that is paused.
   * @param largest Bytes of a body; tasks of deliveries with larger ones are passed over. Default: no limit.
   */
  claim(
    worker: number,
    wanted: Readonly<Record<string, number>>,
    bytes: number,
    now: number,
    largest?: number,
  ): Promise<Begun[]>
  /** The deliveries of tasks that have begun. */
  load(ids: readonly number[]): Promise<StoredDelivery[]>
  /** Records how attempts ended, except of those whose lease has passed to another. @returns the deliveries' states. */
  finish(worker: number, outcomes: readonly Outcome[]): Promise<Standing[]>

  /** A page of deliveries, newest first. */
  list(query: Query): Promise<Page>
  get(id: number): Promise<DeliveryDetail | undefined>
  /** The bytes as they came. */
  body(id: number): Promise<Uint8Array | undefined>
  tally(): Promise<Tally>
  /**
   * What a column has in it, in alphabetical order: of a column that the store has in order whatever there is, of another
   * one what the newest few thousand deliveries have.
   */
  values(query: ValueQuery): Promise<string[]>
  /** The last failure of each handler that had one in the attempts of the newest few thousand deliveries. */
  failures(): Promise<Failure[]>
  /**
   * What any process has changed since a look before.
   * @param after The `position` of that look. Default: nothing is shown but the position to begin at.
   */
  changes(after?: string): Promise<Changes>

  /**
   * Has deliveries handled again: of one that is `done` every handler; else those that have not succeeded, at once.
   * @returns How many it concerned.
   */
  retry(selection: Selection): Promise<number>
  /** Ends deliveries that have not ended, and those that are dead. @returns How many there were. */
  discard(selection: Selection, reason: string): Promise<number>
  /** Takes in deliveries of another inbox. @returns How many of them were not here yet. */
  restore(deliveries: readonly Restored[]): Promise<number>
  /** Keeps a handler, or `'*'` for all of them, from being begun, in every process and until `resume`. */
  pause(handler: string): Promise<void>
  resume(handler: string): Promise<void>
  /** Deletes what ended and is older than the store keeps it. @returns How many deliveries. */
  prune(now: number): Promise<number>

  /** Keeps the newest of the requests that were refused, 1,000 of them, and adds to the counts by code. */
  refuse(refusals: readonly Refusal[], counts: Readonly<Record<string, number>>): Promise<void>
  refusals(): Promise<Refusals>

  /** Adds to what is counted. */
  addCounts(counts: readonly Count[]): Promise<void>
  /** The sums by step, of steps in which there was any. */
  counts(query: CountQuery): Promise<Count[]>

  /** Those of the GUIDs that are here under this hook, or were here and have been pruned. */
  held(sought: Sought): Promise<string[]>
  /** Keeps what was found missing, and how it stands by now. */
  noteGaps(gaps: readonly Gap[]): Promise<void>
  /** The newest first, and all that can still be filled; of those that ended the old ones are left out. */
  gaps(): Promise<Gap[]>
  /**
   * Takes what only one process may do at a time, for so many milliseconds, or keeps it for so many more.
   * @returns Whether it is the holder's.
   */
  lease(name: string, holder: string, ms: number): Promise<boolean>
  /** When this inbox was made, in milliseconds since 1970. */
  born(): Promise<number>

  /** Keeps a text under a name, in place of the one that was there: for what has to be known after a restart. */
  remember(name: string, text: string): Promise<void>
  recall(name: string): Promise<string | undefined>
  /**
   * Sets the text of a name if it is still the expected one, `undefined` for none: so that of two processes that change
   * it at once, neither overwrites the other's change.
   * @returns Whether it was set.
   */
  compareAndSet(name: string, expected: string | undefined, text: string): Promise<boolean>

  /** Says that a process is there; one that has not said so for a minute is left out. */
  present(presence: Presence): Promise<void>
  /** Takes that back. */
  absent(id: string): Promise<void>
  /** The processes that are there, in the order in which they started. */
  presences(): Promise<SeenPresence[]>

  /** Waits for what is under way and lets go of the store. */
  close(): Promise<void>
}

/** A verified delivery, as bytes. */
export interface Parcel {
  /** With `hookId`, `guid` and `secretId` the identity: GitHub sends one GUID to all hooks that an event concerns. */
  source: string
  /** `X-GitHub-Hook-ID`, or empty. */
  hookId: string
  guid: string
  event: string
  /** Without the values of the signatures. */
  headers: Readonly<Record<string, string | undefined>>
  body: Uint8Array
  form: 'json' | 'form'
  /** The client's address, where it is known. */
  address: string | undefined
  receivedAt: number
  secretId: string | undefined
  secretIndex: number | undefined
  /** The algorithm of the signature; `undefined` if none was checked. */
  algorithm: string | undefined
  /** Fetched from GitHub's API: matched by its identity alone, since its bytes are not those that were sent. */
  recovered?: boolean | undefined
  /** The delivery that an operator made it from. */
  editedFrom?: number | undefined
  /** The trace that it came in with, as `traceparent` (W3C Trace Context). */
  trace?: string | undefined
}

export interface Receipt {
  id: number
  /** `rearmed`: it was known, had ended without success, and is handled again. */
  outcome: 'stored' | 'duplicate' | 'rearmed'
  /** Other bytes came before under the same identity. */
  conflict: boolean
}

/** What a store must know of a handler to take over from a worker that died. */
export interface HandlerPolicy {
  name: string
  /** Milliseconds of the first wait after a failure. */
  backoff: number
  /** Milliseconds that an attempt may take: a process that is silent for longer is taken to be dead. Default: 15 minutes. */
  timeout?: number
  /** The most attempts of a delivery. Default: 12. */
  attempts?: number
}

/** A delivery as a worker gets it. */
export interface StoredDelivery extends Omit<Parcel, 'recovered' | 'editedFrom' | 'algorithm' | 'address'> {
  id: number
  recovered: boolean
  /** Whether it came more than once. */
  redelivered: boolean
  conflict: boolean
  replayed: boolean
  /** Why its bytes cannot be read any more; `body` is empty then. */
  damaged?: string | undefined
}

/** Unmatched deliveries, or due tasks. */
export type AvailableWork = 'unmatched' | 'due'

/** Which deliveries `match` offers. */
export interface MatchOffer {
  /** Deliveries at most. */
  limit: number
  /** Bytes of their bodies together; the first delivery is offered whatever its size. */
  bytes: number
  /** Whether a plan may have a task with a key. Then one worker at a time is offered deliveries, the others none. */
  ordered: boolean
  now: number
}

/** Decides which handlers the offered deliveries are matched with. */
export type Planner = (offered: readonly StoredDelivery[]) => readonly Plan[] | Promise<readonly Plan[]>

/** How many plans were recorded, and the tasks that this worker has to run now. */
export interface MatchResult {
  matched: number
  begun: Begun[]
}

/** Whom a delivery is matched with. */
export interface Plan {
  id: number
  facts: Facts
  /** Empty: nothing matched, and it ends `ignored`. */
  tasks: readonly PlannedTask[]
  /** Why it ends `dead` without a handler having seen it. */
  invalid?: string | undefined
  /** Whether it ends `discarded` if its bytes came before under another GUID or event. */
  discardReplay?: boolean
}

export interface PlannedTask {
  handler: string
  /** One at a time for each key, in order of receipt. */
  key?: string | undefined
  /** The worker has room to begin it now. */
  begin: boolean
}

/** A task that has begun: the worker holds its lease. */
export interface Begun {
  id: number
  handler: string
  /** Counted from 1 over the whole life of the task: no two leases of it have the same. */
  attempt: number
  /** How many attempts count by now, this one included: not those that a shutdown cut off, nor those before a retry by hand. */
  spent: number
  replayed: boolean
}

/** How an attempt ended. */
export interface Outcome {
  id: number
  handler: string
  attempt: number
  /** `released`: cut off by a shutdown, goes back at once and does not count. `dead`: failed for the last time. */
  outcome: 'succeeded' | 'failed' | 'dead' | 'discarded' | 'released'
  startedAt: number
  /** Milliseconds. */
  duration: number
  /** When one that `failed` is due again. */
  nextAt?: number | undefined
  /** What was thrown, with its stack. */
  error?: string | undefined
  /** What the handler returned, as text. */
  result?: string | undefined
  /** What the handler logged, a line each. */
  log?: string | undefined
  /**
   * Begins the next task with the same key in the place of this one, if its body has at most so many bytes. It saves the
   * worker a claim. Default: the task becomes due, and any worker may claim it.
   */
  nextBytes?: number | undefined
}

export interface Standing {
  id: number
  state: DeliveryState
  /** The task that began in its place, which this worker has to run now. */
  next?: Begun | undefined
}
