/**
 * Tracing channels of `node:diagnostics_channel`: the operations `hookserver:receive`, `hookserver:store` and
 * `hookserver:attempt`. `hookserver/opentelemetry` subscribes to them; `docs/observability.md` describes their messages.
 * Without a subscriber an operation costs three property reads.
 */
import { builtinModule } from '../runtime/platform.ts'

interface Channel<Message> {
  readonly hasSubscribers: boolean
  publish(message: Message): void
  runStores<Result>(message: Message, work: () => Result): Result
}

type TracingEvent = 'start' | 'end' | 'asyncStart' | 'asyncEnd' | 'error'
type TracingHandlers<Message> = { [Event in TracingEvent]?: (message: Message) => void }

/** The members of Node.js's `TracingChannel` that are used. */
export interface TracingChannel<Message> extends Readonly<Record<TracingEvent, Channel<Message>>> {
  subscribe(handlers: TracingHandlers<Message>): void
  unsubscribe(handlers: TracingHandlers<Message>): void
}

/** An operation. All events of one operation publish the same object. */
export interface Operation {
  /**
   * A subscriber to `start` may set this to run the operation, for example with its span active. It has to call `work`
   * once, synchronously, and return its result.
   */
  run?: <Result>(work: () => Result) => Result
  /** Why the operation failed; missing if it did not. */
  error?: unknown
}

/** The message of each tracing channel. It contains no secret and no payload. */
export interface TracingMessages {
  /** From a request to its reply. `guid` and `event` are unverified headers. */
  receive: Operation & {
    guid: string | undefined
    event: string | undefined
    headers: Readonly<Record<string, string | undefined>>
    /** The status of the reply, once the operation has ended. */
    status?: number
    /** An error in hookserver or an adapter, which is reported as `handler_failed`. */
    internalError?: unknown
    /** A subscriber may set this. It is stored with the delivery, and published with each attempt. */
    traceparent?: string | undefined
  }
  /** Storing a delivery in the inbox, until the commit. */
  store: Operation & {
    guid: string
    event: string
    source: string
    parent: TracingMessages['receive'] | undefined
    outcome?: string
  }
  /** One call of a handler. */
  attempt: Operation & {
    guid: string
    event: string
    source: string
    handler: string
    attempt: number
    /** The id of the delivery in the inbox; `undefined` without an inbox. */
    id: number | undefined
    /** Without an inbox: the request that waits for the handler. */
    parent: TracingMessages['receive'] | undefined
    /** With an inbox: the `traceparent` of the `receive` operation that stored the delivery, in any process. */
    traceparent: string | undefined
    outcome?: string
  }
}

type TracingChannels = { readonly [Name in keyof TracingMessages]: TracingChannel<TracingMessages[Name]> | undefined }

export const tracing: TracingChannels = {
  receive: tracingChannel('receive'),
  store: tracingChannel('store'),
  attempt: tracingChannel('attempt'),
}

function tracingChannel<Name extends keyof TracingMessages>(
  name: Name,
): TracingChannel<TracingMessages[Name]> | undefined {
  type Module = { tracingChannel?(name: string): TracingChannel<TracingMessages[Name]> }
  return builtinModule<Module>('node:diagnostics_channel')?.tracingChannel?.(`hookserver:${name}`)
}

/** Whether the channel has a subscriber. Bun has no `TracingChannel.hasSubscribers`. */
export function isTraced<Message>(channel: TracingChannel<Message> | undefined): channel is TracingChannel<Message> {
  return (
    channel !== undefined &&
    (channel.start.hasSubscribers || channel.asyncEnd.hasSubscribers || channel.error.hasSubscribers)
  )
}
