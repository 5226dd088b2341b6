import type { OctokitSource, ReceivedDelivery } from '../../delivery.ts'
import type { Registration } from '../../handler.ts'
import type { Json } from '../../runtime/json.ts'
import type { FullLogger } from '../../telemetry/logger.ts'
import type { HandlerPolicy } from '../inbox.ts'
import { defaultAttempts, defaultBackoff } from '../retry.ts'
import { defaultTimeout } from './attempt.ts'

/** Milliseconds before a call of the store that failed is repeated. */
export const storeRetryDelay = 1000

/** The part of `Hooks` that its workers use. */
export interface WorkerHost {
  /** Whether deliveries are matched although no handler is registered: they end as `ignored`. */
  readonly capture: boolean
  /** Bytes of memory that the payloads of running handlers may take together. */
  readonly runningLimit: number
  /** All handlers, each once. */
  registrations(): readonly Registration[]
  match(event: string, action: string | undefined): readonly Registration[]
  /** Parses a body. @throws {Error} if it is not a payload. */
  parse(body: Uint8Array, form: 'json' | 'form'): Json
  /** Resolves when no request is being answered, but after `timeout` ms at the latest. */
  whenIdle(timeout: number): Promise<void>
  /** Counts an attempt that has ended. */
  attempted(handler: string, outcome: string): void
  readonly logger: FullLogger
  readonly octokits: OctokitSource
  readonly onReplay: 'run' | 'discard'
  onError(error: unknown, delivery: ReceivedDelivery): void
  onDead(error: unknown, delivery: ReceivedDelivery): void
}

/** Milliseconds since 1970. Tests replace it. */
export interface Clock {
  now(): number
}

/** The handlers of a process, by name. */
export const registrationsOf = (host: WorkerHost): Map<string, Registration> =>
  new Map(host.registrations().map((registration) => [registration.name, registration]))

/** The policies of all handlers, with which the store reclaims their tasks if this worker dies. */
export function policiesOf(host: WorkerHost): HandlerPolicy[] {
  return host.registrations().map(({ name, options }) => {
    const { backoff = defaultBackoff, timeout = defaultTimeout, attempts = defaultAttempts } = options
    return { name, backoff, timeout, attempts }
  })
}
