import type { OctokitSource, ParsedPayload } from '../../delivery.ts'
import type { Registration } from '../../handler.ts'
import type { HandlerFailure } from '../../options.ts'
import type { Json } from '../../runtime/json.ts'
import type { FullLogger } from '../../telemetry/logger.ts'
import type { EndedAttempt } from '../counters.ts'
import type { Clock, TaskQueue } from '../inbox.ts'
import type { PayloadMemory } from './payload-memory.ts'
import type { Slots } from './slots.ts'
import type { Suspensions } from './suspensions.ts'

/** Milliseconds before a failed call of the store is repeated. */
export const storeRetryDelay = 1000
/** How long `drain()` waits for the store to respond, in milliseconds. */
export const storeTimeout = 10_000
/**
 * How long each step of a shutdown waits for a store that does not respond, in milliseconds. Short, because supervisors
 * kill a process that takes longer than expected: `serve` takes at most three of these steps after the handlers.
 */
export const closeTimeout = 2000

/** The part of `Hooks` that its workers use. */
export interface WorkerHost {
  /** What happens to deliveries while no handler is registered: they wait, or end as `ignored`. */
  readonly withoutHandlers: 'wait' | 'ignore'
  /** The mounts whose deliveries the worker handles, by `source`. `undefined`: all. */
  readonly sources: readonly string[] | undefined
  /** Bytes of memory that the payloads of running handlers may take together. */
  readonly payloadMemory: number
  /** All handlers, without duplicates. */
  registrations(): readonly Registration[]
  match(event: string, action: string | undefined, source: string, payload: Json): readonly Registration[]
  /** Parses a body. @throws {Error} if it is not a payload. */
  parse(body: Uint8Array, form: 'json' | 'form'): ParsedPayload
  /** Resolves when no request is being answered, but after `timeout` ms at the latest. */
  whenIdle(timeout: number): Promise<void>
  /** Counts an attempt that has ended. */
  attempted(attempt: EndedAttempt): void
  readonly logger: FullLogger
  readonly octokits: OctokitSource
  readonly replays: 'run' | 'discard'
  onError(failure: HandlerFailure): void
  onDead(failure: HandlerFailure): void
}

/** The resources that all parts of a worker share. */
export interface WorkerContext {
  readonly inbox: TaskQueue
  readonly host: WorkerHost
  readonly clock: Clock
  readonly slots: Slots
  readonly memory: PayloadMemory
  readonly suspensions: Suspensions
  /** Whether a claimed task may start: the worker has not stopped, and its id is the current one. */
  mayStart(worker: number): boolean
  /** Logs a failure of the store, and retires the current id of the worker. */
  storeFailed(error: unknown): void
  /**
   * Retires the current id of the worker, because the store may have leased tasks to it that the worker does not know.
   * These leases are released at once, and the id itself is released once its tasks have ended.
   */
  retireId(): void
}

/** The handlers of a process, by name. */
export const registrationsOf = (host: WorkerHost): Map<string, Registration> =>
  new Map(host.registrations().map((registration) => [registration.name, registration]))
