/** Runs the operations of the receiver and the worker, and publishes their events on the tracing channels. */
import { isTraced, type Operation, type TracingChannel, type TracingMessages, tracing } from './tracing.ts'

/** Begins an operation: publishes `start`, calls `work`, publishes `end` when that has returned. */
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

/** Traces a request. The channel must have a subscriber. */
export async function traceReceive<Reply extends { status: number }>(
  channel: TracingChannel<TracingMessages['receive']>,
  headers: Readonly<Record<string, string | undefined>>,
  work: (message: TracingMessages['receive']) => Promise<Reply>,
): Promise<Reply> {
  const { 'x-github-delivery': guid, 'x-github-event': event } = headers
  const message: TracingMessages['receive'] = { guid, event, headers }
  try {
    const reply = await begin(channel, message, () => work(message))
    message.status = reply.status
    return reply
  } catch (error) {
    message.status = (error as { status: number }).status
    message.error = error
    throw error
  } finally {
    finish(channel, message)
  }
}

/** Traces the storing of a delivery. The channel must have a subscriber. */
export async function traceStore<Stored extends { outcome: string }>(
  channel: TracingChannel<TracingMessages['store']>,
  message: TracingMessages['store'],
  work: () => Promise<Stored>,
): Promise<Stored> {
  try {
    const stored = await begin(channel, message, work)
    message.outcome = stored.outcome
    return stored
  } catch (error) {
    message.error = error
    throw error
  } finally {
    finish(channel, message)
  }
}

/** The members of a delivery that an attempt's message has. */
interface AttemptedDelivery {
  guid: string
  event: string
  source: string
  attempt: number
}

/** Traces a handler that runs before the reply. The channel must have a subscriber. */
export async function traceAttempt(
  channel: TracingChannel<TracingMessages['attempt']>,
  handler: string,
  { guid, event, source, attempt }: AttemptedDelivery,
  parent: TracingMessages['receive'] | undefined,
  work: () => unknown,
): Promise<unknown> {
  const about = { guid, event, source, handler, attempt }
  const message: TracingMessages['attempt'] = { ...about, parent, id: undefined, traceparent: undefined }
  try {
    const returned = await begin(channel, message, work)
    message.outcome = 'succeeded'
    return returned
  } catch (error) {
    message.outcome = 'failed'
    message.error = error
    throw error
  } finally {
    finish(channel, message)
  }
}

/** An attempt that runs: the promise of its outcome never rejects. */
interface RunningAttempt {
  result: Promise<{ outcome: string; thrown?: unknown }>
}

/** Starts an attempt of a stored delivery, and traces it if the channel has a subscriber. */
export function traceStoredAttempt<Running extends RunningAttempt>(
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
