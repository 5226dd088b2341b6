/**
 * What happens, as spans of OpenTelemetry: `hookserver receive`, `hookserver store`, `hookserver attempt <handler>`.
 * `docs/observability.md` says what each of them has. The conventions are those of semconv 1.44.
 */
import type { Delivery } from '../delivery.ts'
import type { HookError } from '../errors.ts'
import type { Registration } from '../handler.ts'
import type { HookReply, HookRequest } from '../http.ts'
import type { AttemptResult, StoreResult } from '../inbox/inbox.ts'
import { type Attributes, isTraced, Span } from './span.ts'

/** Begins the span of a request; nothing if nobody traces, which costs one look at a property. */
export function traceReceive({ headers }: HookRequest): Span | undefined {
  if (!isTraced()) return undefined
  const { 'x-github-event': event, 'x-github-delivery': guid } = headers // as they are claimed: nothing is verified yet
  return Span.ofRequest('hookserver receive', about({ event, guid }), headers)
}

/**
 * A request's way to its reply. A refusal is an answer and no exception. Conventions for HTTP servers: a 4xx leaves
 * the status unset, a 5xx is an error, and what the code says is not said again in a description.
 */
export async function traceReply(span: Span, work: () => Promise<HookReply>): Promise<HookReply> {
  try {
    const reply = await span.within(work)
    span.end({ 'http.response.status_code': reply.status })
    return reply
  } catch (error) {
    const { code, status } = error as HookError
    if (status >= 500) span.fail(undefined, code)
    span.end({ 'http.response.status_code': status, 'hookserver.code': code })
    throw error
  }
}

/** A delivery's way to the disk, as a part of its reception. */
export async function traceStore(
  parent: Span,
  delivery: { event: string; guid: string },
  work: () => Promise<StoreResult>,
): Promise<StoreResult> {
  const span = parent.child('hookserver store', about(delivery))
  if (!span) return work()
  try {
    const receipt = await span.within(work)
    span.end({ 'hookserver.outcome': receipt.outcome })
    return receipt
  } catch (error) {
    const { code, cause } = error as HookError
    span.fail(cause, code)
    span.end({ 'hookserver.code': code })
    throw error
  }
}

/** Handlers with a span for each time they are called. */
export interface TracedHandlers {
  matches: readonly Registration[]
  /** One of them failed, or has taken too long. */
  failed(thrown: unknown, registration: Registration): void
}

/**
 * Handlers that run before the answer, each as a part of the reception. They are INTERNAL: a CONSUMER's producer "does
 * not wait for the outcome" (SpanKind, trace API), and GitHub does.
 */
export function traceHandlers(parent: Span, matches: readonly Registration[]): TracedHandlers {
  const spans = new Map<Registration, Span | undefined>()
  const traced = matches.map((registration) => {
    const { name, handler } = registration
    const call: Registration['handler'] = (data, guid, delivery) => {
      const span = parent.child(`hookserver attempt ${name}`, aboutAttempt(name, delivery))
      if (!span) return handler(data, guid, delivery)
      spans.set(own, span)
      const returned = span.within(() => handler(data, guid, delivery))
      if (typeof (returned as PromiseLike<unknown> | null | undefined)?.then !== 'function') {
        endAttempt(span, { outcome: 'succeeded' })
        return returned
      }
      const promise = Promise.resolve(returned) // once: some begin their work with each `then`
      promise.then(
        () => endAttempt(span, { outcome: 'succeeded' }),
        () => {}, // `failed` is told
      )
      return promise
    }
    const own: Registration = { ...registration, handler: call }
    return own
  })
  const failed = (thrown: unknown, registration: Registration) => {
    const span = spans.get(registration)
    if (span) endAttempt(span, { outcome: 'failed', thrown })
  }
  return { matches: traced, failed }
}

/**
 * Begins the span of an attempt from an inbox; nothing if nobody traces. Conventions for messaging: "process" is a
 * CONSUMER span, and links to the context in which its message was made. GitHub sends none, so it is that of the span
 * that received it. It is no child of that: an attempt may come days later, when all have sent off that trace.
 * @param trace The `traceparent` of the span that received it, in whichever process.
 */
export function traceAttempt(handler: string, delivery: Delivery, trace: string | undefined): Span | undefined {
  if (!isTraced()) return undefined
  const attributes = {
    ...aboutAttempt(handler, delivery),
    'messaging.system': 'hookserver', // the inbox is the queue; a system that has no name in the conventions gives its own
    'messaging.operation.type': 'process',
    'messaging.operation.name': 'attempt',
    'messaging.destination.name': delivery.source,
    'messaging.message.id': delivery.guid,
  }
  return Span.ofMessage(`hookserver attempt ${handler}`, attributes, trace)
}

/** To discard is a handler's decision, and to be cut off by a shutdown is nobody's fault: neither is an error. */
export function endAttempt(
  span: Span,
  { outcome, thrown }: { outcome: AttemptResult['outcome']; thrown?: unknown },
): void {
  if (outcome === 'failed' || outcome === 'dead') span.fail(thrown)
  span.end({ 'hookserver.outcome': outcome })
}

function about({ event, guid }: { event: string | undefined; guid: string | undefined }): Attributes {
  return { 'hookserver.event': event, 'hookserver.guid': guid }
}

function aboutAttempt(handler: string, delivery: Delivery): Attributes {
  return { ...about(delivery), 'hookserver.handler': handler, 'hookserver.attempt': delivery.attempt }
}
