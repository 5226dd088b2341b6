/**
 * Spans of OpenTelemetry: `hookserver receive`, `hookserver store` and `hookserver attempt <handler>`, from the tracing
 * channels. `docs/observability.md` lists their attributes, which follow the semantic conventions 1.44.
 */
import { type TracingMessages, tracing } from '../tracing.ts'
import { type Attributes, Span } from './span.ts'

/** The span of each operation, by the message of the operation. */
const spans = new WeakMap<object, Span>()

let stop: (() => void) | undefined

/**
 * Traces all deliveries of this process with the OpenTelemetry SDK that is registered when a delivery arrives, if any.
 * A repeated call changes nothing.
 * @returns A function that stops the tracing.
 */
export function traceHooks(): () => void {
  stop ??= subscribe()
  return stop
}

function subscribe(): () => void {
  const receive = { start: startReceive, asyncEnd: endReceive }
  const store = { start: startStore, asyncEnd: endStore }
  const attempt = { start: startAttempt, asyncEnd: endAttempt }
  tracing.receive?.subscribe(receive)
  tracing.store?.subscribe(store)
  tracing.attempt?.subscribe(attempt)
  return () => {
    tracing.receive?.unsubscribe(receive)
    tracing.store?.unsubscribe(store)
    tracing.attempt?.unsubscribe(attempt)
    stop = undefined
  }
}

/** Stores the span, if there is one, and makes the operation run with the span active. */
function begin(message: TracingMessages[keyof TracingMessages], span: Span | undefined): void {
  if (!span) return
  spans.set(message, span)
  message.run = (work) => span.within(work)
}

function startReceive(message: TracingMessages['receive']): void {
  const attributes = { ...attributesOf(message), ...httpAttributesOf(message) }
  const span = Span.ofRequest('hookserver receive', attributes, message.headers)
  begin(message, span)
  if (span) message.traceparent = span.traceparent
}

/**
 * Conventions for HTTP servers: after a 4xx, the status of the span stays unset. After a 5xx, the status of the span is
 * `ERROR`. It has no description, because the attribute `http.response.status_code` already tells the reason. A
 * rejection is a reply, not an exception.
 */
function endReceive(message: TracingMessages['receive']): void {
  const span = spans.get(message)
  const { status, error, internalError } = message
  const code = codeOf(error)
  if (internalError !== undefined) span?.recordException(internalError)
  if (code !== undefined && status !== undefined && status >= 500) span?.fail(undefined, code)
  span?.end({ 'http.response.status_code': status, ...(code !== undefined && { 'hookserver.code': code }) })
}

function startStore(message: TracingMessages['store']): void {
  begin(message, parentOf(message)?.child('hookserver store', attributesOf(message)))
}

function endStore(message: TracingMessages['store']): void {
  const span = spans.get(message)
  const code = codeOf(message.error)
  if (code === undefined) {
    span?.end({ 'hookserver.outcome': message.outcome })
  } else {
    span?.fail((message.error as Error).cause, code)
    span?.end({ 'hookserver.code': code })
  }
}

function startAttempt(message: TracingMessages['attempt']): void {
  begin(message, message.id === undefined ? inlineAttempt(message) : storedAttempt(message))
}

/**
 * The span of an attempt without an inbox. The attempt runs before the reply, and GitHub waits for the reply, so the
 * span is INTERNAL. A CONSUMER span is for a message whose producer "does not wait for the outcome" (SpanKind, trace
 * API).
 */
function inlineAttempt(message: TracingMessages['attempt']): Span | undefined {
  return parentOf(message)?.child(`hookserver attempt ${message.handler}`, attemptAttributesOf(message))
}

/**
 * Conventions for messaging: "process" is a CONSUMER span with a link to the span that created its message, here the
 * span of the request. It is not a child of that span, because an attempt may come days later, when the trace has been
 * exported.
 */
function storedAttempt(message: TracingMessages['attempt']): Span | undefined {
  const attributes = {
    ...attemptAttributesOf(message),
    'messaging.system': 'hookserver', // the conventions have no name for hookserver
    'messaging.operation.type': 'process',
    'messaging.operation.name': 'attempt',
    'messaging.destination.name': message.source,
    'messaging.message.id': message.guid,
  }
  return Span.ofMessage(`hookserver attempt ${message.handler}`, attributes, message.traceparent)
}

function endAttempt(message: TracingMessages['attempt']): void {
  const span = spans.get(message)
  if ('error' in message) span?.fail(message.error)
  span?.end({ 'hookserver.outcome': message.outcome })
}

function parentOf({ parent }: { parent: TracingMessages['receive'] | undefined }): Span | undefined {
  return parent && spans.get(parent)
}

/** The methods that the conventions know. */
const knownMethods = /^(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|QUERY)$/

/**
 * Conventions for HTTP servers. The query is left out, because it may contain secrets. Node.js shows neither the scheme
 * nor the name of the server, so they are those of the headers.
 */
function httpAttributesOf({ method, path, route, address, headers }: TracingMessages['receive']): Attributes {
  const [scheme] = /^https?(?=,|$)/i.exec(headers['x-forwarded-proto'] ?? '') ?? []
  const { hostname, port } = URL.parse(`any://${headers.host}`) ?? {}
  const known = knownMethods.test(method)
  return {
    'http.request.method': known ? method : '_OTHER',
    'http.request.method_original': known ? undefined : method,
    'http.route': route,
    'url.path': path,
    'url.scheme': scheme?.toLowerCase(),
    'server.address': headers.host === undefined ? undefined : hostname,
    'server.port': port ? Number(port) : undefined,
    'network.peer.address': address,
    'user_agent.original': headers['user-agent'],
  }
}

const codeOf = (error: unknown): string | undefined => (error as { code?: string } | undefined)?.code

function attributesOf({ event, guid }: { event: string | undefined; guid: string | undefined }): Attributes {
  return { 'hookserver.event': event, 'hookserver.guid': guid }
}

function attemptAttributesOf(message: TracingMessages['attempt']): Attributes {
  return { ...attributesOf(message), 'hookserver.handler': message.handler, 'hookserver.attempt': message.attempt }
}
