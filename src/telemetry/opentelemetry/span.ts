/**
 * A span of OpenTelemetry. The errors of a tracer are ignored, because a tracer must not make a delivery fail, nor make
 * a handler run twice.
 */
import {
  type Span as ApiSpan,
  type Context,
  context,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api'

type Headers = Readonly<Record<string, string | undefined>>
export type Attributes = Readonly<Record<string, string | number | undefined>>

export class Span {
  readonly #span: ApiSpan
  readonly #context: Context
  #ended = false

  private constructor(span: ApiSpan, parent: Context) {
    this.#span = span
    this.#context = trace.setSpan(parent, span)
  }

  /**
   * The span of a request: INTERNAL below the application's own HTTP span, else SERVER ("covers server-side handling of
   * a remote request": SpanKind, trace API). A SERVER span continues the trace of the active remote span. If no span is
   * active, it continues the trace that a propagator finds in the headers.
   */
  static ofRequest(name: string, attributes: Attributes, headers: Headers): Span | undefined {
    return quietly(() => {
      const active = context.active()
      const outer = trace.getSpan(active)
      const parent = outer ? active : propagation.extract(active, headers, headerGetter)
      const kind = outer && !outer.spanContext().isRemote ? SpanKind.INTERNAL : SpanKind.SERVER
      return Span.#start(name, attributes, { kind }, parent)
    })
  }

  /**
   * The span of an attempt, in a trace of its own. (In OpenTelemetry's terms, the delivery is the message.)
   * @param traceparent The `traceparent` of the span of the request that the delivery arrived in. The new span links to
   * that span.
   */
  static ofMessage(name: string, attributes: Attributes, traceparent: string | undefined): Span | undefined {
    const linked = parseTraceparent(traceparent)
    const options = { kind: SpanKind.CONSUMER, links: linked ? [{ context: linked }] : [] }
    // Not a child of the active span, which belongs to the code that started the worker.
    return quietly(() => Span.#start(name, attributes, options, ROOT_CONTEXT))
  }

  /** Starts a child of this span. */
  child(name: string, attributes: Attributes): Span | undefined {
    return quietly(() => Span.#start(name, attributes, { kind: SpanKind.INTERNAL }, this.#context))
  }

  /** @returns nothing if no SDK is registered. */
  static #start(name: string, attributes: Attributes, options: SpanOptions, parent: Context): Span | undefined {
    const known = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined))
    const tracer = trace.getTracer('hookserver')
    const span = tracer.startSpan(name, { ...options, attributes: known as Record<string, string | number> }, parent)
    return isSpanContextValid(span.spanContext()) ? new Span(span, parent) : undefined
  }

  /** This span in the format of W3C Trace Context, for another process to link to. */
  get traceparent(): string | undefined {
    return quietly(() => {
      const { traceId, spanId, traceFlags } = this.#span.spanContext()
      return `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`
    })
  }

  /** Runs `work` once with this span active, so that the spans that `work` starts become children of this span. */
  within<Result>(work: () => Result): Result {
    let ended: (() => Result) | undefined
    const run = () => {
      ended = capture(work)
    }
    quietly(() => context.with(this.#context, run))
    return (ended ?? capture(work))()
  }

  /**
   * Sets the status ERROR, and records `thrown` as an exception unless it is `undefined`.
   * @param type A short name from a small set, such as an error code. Default: the name of the error.
   */
  fail(thrown: unknown, type?: string): void {
    const error = quietly(() => (thrown instanceof Error ? thrown : undefined)) // a revoked proxy throws
    const message = quietly(() => error?.message)
    const kind = type ?? quietly(() => error?.name) ?? '_OTHER' // the conventions' fallback value
    quietly(() => this.#span.setAttributes({ 'error.type': kind }))
    quietly(() => this.#span.setStatus({ code: SpanStatusCode.ERROR, ...(message && { message }) }))
    if (thrown !== undefined) this.recordException(thrown)
  }

  recordException(thrown: unknown): void {
    quietly(() => this.#span.recordException(thrown instanceof Error ? thrown : String(thrown)))
  }

  /** Ends the span. Only the first call counts. */
  end(attributes: Attributes): void {
    if (this.#ended) return
    this.#ended = true
    quietly(() => this.#span.setAttributes(attributes))
    quietly(() => this.#span.end())
  }
}

/** Calls `work` now. The returned function returns its result, or throws its error. */
function capture<Result>(work: () => Result): () => Result {
  try {
    const value = work()
    return () => value
  } catch (error) {
    return () => {
      throw error
    }
  }
}

function quietly<Result>(work: () => Result): Result | undefined {
  try {
    return work()
  } catch {
    return undefined // the OpenTelemetry SDK logs its own errors
  }
}

const headerGetter: TextMapGetter<Headers> = {
  get: (headers, name) => headers[name.toLowerCase()],
  keys: (headers) => Object.keys(headers),
}

function parseTraceparent(text = ''): SpanContext | undefined {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text) ?? []
  if (!traceId || !spanId || !flags) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
}
