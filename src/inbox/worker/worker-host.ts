import type { OctokitSource, ReceivedDelivery } from '../../delivery.ts'
import type { Registration } from '../../handler.ts'
import type { Json } from '../../runtime/json.ts'
import type { FullLogger } from '../../telemetry/logger.ts'
import type { HandlerPolicy } from '../inbox.ts'
import { defaultAttempts, defaultBackoff } from '../retry.ts'
import { defaultTimeout } from './attempt.ts'

/** What a worker is told by the `Hooks` it works for. */
export interface WorkerHost {
  /** Whether there is something to do while there is no handler: to record that nothing matched. */
  readonly capture: boolean
  /** Bytes of memory that the payloads of running handlers may take together. */
  readonly runningLimit: number
  /** All handlers, each once. */
  registrations(): readonly Registration[]
  match(event: string, action: string | undefined): readonly Registration[]
  /** Reads a body. @throws whatever is wrong with it. */
  parse(body: Uint8Array, form: 'json' | 'form'): Json
  /** Resolves when no request is being answered, but after `patience` ms at the latest. */
  whenIdle(patience: number): Promise<void>
  /** An attempt has ended. */
  attempted(handler: string, outcome: string): void
  readonly logger: FullLogger
  readonly octokits: OctokitSource
  readonly onReplay: 'run' | 'discard'
  onError(error: unknown, delivery: ReceivedDelivery): void
  onDead(error: unknown, delivery: ReceivedDelivery): void
}

/** Milliseconds since 1970. Tests bring a clock of their own. */
export interface Clock {
  now(): number
}

/** The handlers of a process, by name. */
export const registrationsOf = (host: WorkerHost): Map<string, Registration> =>
  new Map(host.registrations().map((registration) => [registration.name, registration]))

/** The policies of the handlers, which a store needs to take over from a dead worker. */
export function policiesOf(host: WorkerHost): HandlerPolicy[] {
  return host.registrations().map(({ name, options }) => {
    const { backoff = defaultBackoff, timeout = defaultTimeout, attempts = defaultAttempts } = options
    return { name, backoff, timeout, attempts }
  })
}
