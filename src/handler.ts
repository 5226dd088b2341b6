import type { Delivery } from './delivery.ts'
import type { PayloadOf } from './events.ts'

/**
 * A user's function. What a hook returns is the reply: a string as text, an object as JSON, a `Response` as it
 * is, nothing as 204. What a listener returns is ignored.
 */
export type Handler<Name extends string = string> = (
  data: PayloadOf<Name>,
  guid: string,
  delivery: Delivery<Name>,
) => unknown

export interface HandlerOptions {
  /** The handler's name in logs. Default: `hook:<event>` and `on:<event>`. */
  name?: string | undefined
}

/** A handler and what it was registered for. */
export interface Registration {
  readonly name: string
  /** A `hook` gives the reply, a listener does not. */
  readonly replies: boolean
  readonly handler: Handler
}
