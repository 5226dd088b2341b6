/**
 * Publishes the operations of the receiver and the worker on tracing channels of `node:diagnostics_channel`:
 * `hookserver:receive`, `hookserver:store` and `hookserver:attempt`. `hookserver/opentelemetry` subscribes to them;
 * `docs/observability.md` describes their messages. Without a subscriber an operation costs three property reads.
 */
import { builtinModule } from '../runtime/platform.ts'

interface Channel<Message> {
  readonly hasSubscribers: boolean
  publish(message: Message): void
  runStores<Result>(message: Message, work: () => Result): Result
}

type TracingEvent = 'start' | 'end' | 'asyncStart' | 'asyncEnd' | 'error'
type TracingHandlers<Message> = { [Event in TracingEvent]?: (message: Message) => void }

/** The members of Node.js's `TracingChannel` that hookserver uses. */
interface TracingChannel<Message> extends Readonly<Record<TracingEvent, Channel<Message>>> {
  subscribe(handlers: TracingHandlers<Message>): void
  unsubscribe(handlers: TracingHandlers<Message>): void
}

/** An operation. All events of one operation publish the same object. */
export interface Operation {
  /**
   * A subscriber to `start` may set this function to run the operation, for example with a span active. The function
   * must call `work` once, synchronously, and return the result of `work`.
   */
  run?: <Result>(work: () => Result) => Result
  /** Why the operation failed; missing if it did not. */
  error?: unknown
}

/** The message of each tracing channel. It contains no payload. Only the `headers` of `receive` may contain secrets. */
export interface TracingMessages {
  /** From a request to its reply. `guid` and `event` are unverified headers. */
  receive: Operation & {
    guid: string | undefined
    event: string | undefined
    headers: Readonly<Record<string, string | undefined>>
    method: string
    /** The path without its query and mount prefix; `undefined` if a router has already matched the route. */
    path: string | undefined
    /** The path of deliveries, if the request has this path, and no router has already matched the route. */
    route: string | undefined
    /** The address at the other end of the connection, if it is known. */
    address: string | undefined
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
    /** The operation of the request that waits for the handler. `undefined` with an inbox. */
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

/**
 * Whether the channel has a subscriber to `start`, `asyncEnd` or `error`. Asks the three channels, because Bun has no
 * `TracingChannel.hasSubscribers`.
 */
export function isTraced<Message>(channel: TracingChannel<Message> | undefined): channel is TracingChannel<Message> {
  return (
    channel !== undefined &&
    (channel.start.hasSubscribers || channel.asyncEnd.hasSubscribers || channel.error.hasSubscribers)
  )
}

/** Begins an operation: publishes `start`, calls `work`, publishes `end` when `work` has returned. */
function begin<Message extends Operation, Result>(
  channel: TracingChannel<Message>,
  message: Message,
  work: () => Result,
): Result {
  try {
    return channel.start.runStores(message, () => (message.run ? message.run(work) : work()))
  } finally {
    channel.end.publish(message)
  }
}

/** Ends an operation: publishes `error` if it failed, then `asyncStart` and `asyncEnd`. */
function finish<Message extends Operation>(channel: TracingChannel<Message>, message: Message): void {
  if ('error' in message) channel.error.publish(message)
  channel.asyncStart.publish(message)
  channel.asyncEnd.publish(message)
}

interface Traced<Message, Result> {
  message: Message
  work(): Result
  /** The members to add to the message once `work` has succeeded. */
  succeeded(result: Awaited<Result>): Partial<Message>
  /** The members to add to the message, besides `error`, once `work` has failed. */
  failed?(error: unknown): Partial<Message>
}

async function trace<Message extends Operation, Result>(
  channel: TracingChannel<Message>,
  { message, work, succeeded, failed }: Traced<Message, Result>,
): Promise<Awaited<Result>> {
  try {
    const result = await begin(channel, message, work)
    Object.assign(message, succeeded(result))
    return result
  } catch (error) {
    Object.assign(message, { error }, failed?.(error))
    throw error
  } finally {
    finish(channel, message)
  }
}

/** Traces a request. The channel must have a subscriber. @param url The path of deliveries, unless a router has it. */
export function traceReceive<Reply extends { status: number }>(
  channel: TracingChannel<TracingMessages['receive']>,
  { headers, method, path, address }: Pick<TracingMessages['receive'], 'headers' | 'method' | 'path' | 'address'>,
  url: string | false,
  work: (message: TracingMessages['receive']) => Promise<Reply>,
): Promise<Reply> {
  const { 'x-github-delivery': guid, 'x-github-event': event } = headers
  const message: TracingMessages['receive'] = {
    ...{ guid, event, headers, method, path, address },
    route: path === url ? path : undefined,
  }
  return trace(channel, {
    message,
    work: () => work(message),
    succeeded: ({ status }) => ({ status }),
    failed: (error) => ({ status: (error as { status: number }).status }),
  })
}

/** Traces the storing of a delivery. The channel must have a subscriber. */
export function traceStore<Stored extends { outcome: string }>(
  channel: TracingChannel<TracingMessages['store']>,
  message: TracingMessages['store'],
  work: () => Promise<Stored>,
): Promise<Stored> {
  return trace(channel, { message, work, succeeded: ({ outcome }) => ({ outcome }) })
}

type AttemptedDelivery = Pick<TracingMessages['attempt'], 'guid' | 'event' | 'source' | 'attempt'>

/** Traces a handler that runs before the reply. The channel must have a subscriber. */
export function traceAttempt(
  channel: TracingChannel<TracingMessages['attempt']>,
  handler: string,
  { guid, event, source, attempt }: AttemptedDelivery,
  parent: TracingMessages['receive'] | undefined,
  work: () => unknown,
): Promise<unknown> {
  return trace(channel, {
    message: { guid, event, source, handler, attempt, parent, id: undefined, traceparent: undefined },
    work,
    succeeded: () => ({ outcome: 'succeeded' }),
    failed: () => ({ outcome: 'failed' }),
  })
}

/**
 * Starts an attempt of a stored delivery, and traces the attempt if the channel has a subscriber.
 * @param work Starts the attempt. The `result` that it returns must never reject.
 */
export function traceStoredAttempt<Running extends { result: Promise<{ outcome: string; thrown?: unknown }> }>(
  handler: string,
  { guid, event, source, attempt }: AttemptedDelivery,
  { id, trace: traceparent }: { id: number; trace?: string | undefined },
  work: () => Running,
): Running {
  const channel = tracing.attempt
  if (!isTraced(channel)) return work()
  const about = { guid, event, source, handler, attempt }
  const message: TracingMessages['attempt'] = { ...about, id, parent: undefined, traceparent }
  const running = begin(channel, message, work)
  void running.result.then(({ outcome, thrown }) => {
    message.outcome = outcome
    // Neither a handler that discards a delivery nor a shutdown that interrupts an attempt is an error.
    if (outcome === 'failed' || outcome === 'dead') message.error = thrown
    finish(channel, message)
  })
  return running
}
