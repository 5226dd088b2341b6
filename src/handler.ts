import type { Delivery } from './delivery.ts'
import type { PayloadOf } from './events.ts'
import { type Check, isWhole, that } from './runtime/check-options.ts'
import { longestTimer } from './runtime/timer.ts'

/**
 * A user's function. What a hook returns is the reply: a string as text, an object as JSON, a `Response` as it
 * is, nothing as 204. What a listener returns is ignored. With an inbox the reply has been sent by then, and what
 * either returns is kept beside the attempt.
 */
export type Handler<Name extends string = string> = (
  data: PayloadOf<Name>,
  guid: string,
  delivery: Delivery<Name>,
) => unknown

export interface HandlerOptions {
  /**
   * The handler's name, in logs and in the inbox, where attempts are remembered by it across restarts.
   * Default: `hook:<event>`; a listener's is `on:<event>`, and has to be given where there is an inbox.
   */
  name?: string | undefined
  /** The most attempts that are made for a delivery in an inbox. Default: 12, which take about a day. */
  attempts?: number | undefined
  /**
   * Milliseconds of the first wait after a failure in an inbox. Each further wait is three times as long, 6 h at
   * most, and is drawn from the upper half of it. Default: 5000.
   */
  backoff?: number | undefined
  /** Milliseconds until an attempt from an inbox has failed and `delivery.signal` aborts. Default: 900000, 15 minutes. */
  timeout?: number | undefined
  /** How many deliveries of an inbox it handles at once in each process. Default: 25. */
  concurrency?: number | undefined
  /**
   * Deliveries of an inbox with the same key are handled one at a time, in order of receipt; `'repository'` is
   * `delivery.repository`, and no key means no order. One that waits for a retry keeps its place. Default: no order.
   */
  order?: 'repository' | ((delivery: Delivery) => string | undefined) | undefined
}

/** Where a handler carries options of its own, which those given at registration override: `exec` makes use of it. */
export const handlerOptions: unique symbol = Symbol.for('hookserver.handlerOptions') as never

/** A handler and what it was registered for. */
export interface Registration {
  readonly name: string
  /** The names that it was registered for: `event`, `event.action` or `*`. */
  readonly events: readonly string[]
  /** A `hook` gives the reply, a listener does not. */
  readonly replies: boolean
  readonly handler: Handler
  readonly options: HandlerOptions
}

/** Attempts are remembered by the handler's name, so each must have one that stays, and no other may have it. @throws {TypeError} */
export function checkNames(registrations: readonly Registration[]): void {
  const names = new Set<string>()
  for (const { name, replies, options } of registrations) {
    if (!replies && options.name === undefined) {
      throw new TypeError(
        `The listener ${name} needs a name, since an inbox remembers attempts by it: on(…, handler, { name: '…' })`,
      )
    }
    if (names.has(name)) throw new TypeError(`Two handlers have the name "${name}": an inbox could not tell them apart`)
    names.add(name)
  }
}

/** @throws {TypeError} naming option and value. */
export function checkHandlerOptions(options: HandlerOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(checks, name)) throw new TypeError(`Unknown option "${name}" of a handler`)
    if (value !== undefined) checks[name as keyof HandlerOptions](value, `Option "${name}" of a handler`)
  }
}

const aCount = that((value) => isWhole(value, 1), 'a whole number, 1 at least')
const aTime = that(
  (value) => isWhole(value, 1, longestTimer),
  `a whole number of milliseconds, ${longestTimer} at most`,
)

const checks: Record<keyof HandlerOptions, Check> = {
  name: that((value) => typeof value === 'string' && value !== '' && value !== '*', 'a text, not empty and not "*"'),
  attempts: aCount,
  backoff: aTime,
  timeout: aTime,
  concurrency: aCount,
  order: that((value) => value === 'repository' || typeof value === 'function', "'repository' or a function"),
}
