/**
 * Spans of OpenTelemetry, without `@opentelemetry/api`. An SDK that is switched on stands under a global symbol, where
 * each copy of the API 1.x in a process looks for it, and where Deno puts its own; so we look there as well.
 * Nothing is loaded, a bundler has nothing to resolve, and an SDK counts from the next delivery on, whenever it came.
 *
 * What it throws is dropped: nothing that is traced may fail for it.
 */

/** The part of the API's objects that is used, so that published types compile without it. */
interface Api {
  trace?: { getTracer(name: string): { startSpan(name: string, options: object, parent: Context): ApiSpan } }
  context?: { active(): Context; with(context: Context, work: () => void): unknown }
  propagation?: { extract(context: Context, headers: Headers, getter: typeof headerGetter): Context }
}

interface Context {
  getValue(key: symbol): unknown
  setValue(key: symbol, value: unknown): Context
  deleteValue(key: symbol): Context
}

interface ApiSpan {
  spanContext(): SpanContext
  setAttributes(attributes: Attributes): unknown
  setStatus(status: { code: number; message?: string }): unknown
  recordException(exception: Error | string): void
  end(): void
}

interface SpanContext {
  traceId: string
  spanId: string
  traceFlags: number
  isRemote?: boolean
}

type Headers = Readonly<Record<string, string | undefined>>
export type Attributes = Readonly<Record<string, string | number | undefined>>

/** What copies of the API agree upon: where the SDK stands, and where a context has its span. */
const apiKey = Symbol.for('opentelemetry.js.api.1')
const spanKey = Symbol.for('OpenTelemetry Context Key SPAN')
/** `SpanKind`. */
const kinds = { internal: 0, server: 1, consumer: 4 }
/** `SpanStatusCode.ERROR`. */
const errorStatus = 2

const api = (): Api | undefined => (globalThis as { [apiKey]?: Api })[apiKey]

/** Whether there is somebody to tell. */
export const isTraced = (): boolean => api()?.trace !== undefined

/** A span that is under way. */
export class Span {
  readonly #span: ApiSpan
  readonly #context: Context
  #ended = false

  private constructor(span: ApiSpan, parent: Context) {
    this.#span = span
    this.#context = parent.setValue(spanKey, span)
  }

  /**
   * The span of a request. Below the application's own HTTP span it is INTERNAL, since a SERVER span "covers
   * server-side handling of a remote request" (SpanKind, trace API), which that one does. Alone it is that span, and
   * goes on with the trace that a proxy began, if a propagator is registered that finds it in the headers.
   */
  static ofRequest(name: string, attributes: Attributes, headers: Headers): Span | undefined {
    return quietly(() => {
      const { context, propagation } = api() ?? {}
      const active = context?.active() ?? root
      const outer = active.getValue(spanKey) as ApiSpan | undefined
      const parent = outer ? active : (propagation?.extract(active, headers, headerGetter) ?? active)
      const kind = outer && !outer.spanContext().isRemote ? kinds.internal : kinds.server
      return Span.#start(name, attributes, { kind }, parent)
    })
  }

  /**
   * The span of a message's handling, in a trace of its own.
   * @param cause The `traceparent` of the span that the message comes from, to link to.
   */
  static ofMessage(name: string, attributes: Attributes, cause: string | undefined): Span | undefined {
    const context = parseTraceparent(cause)
    const options = { kind: kinds.consumer, links: context ? [{ context }] : [] }
    // Not the active context: whatever woke the worker is no part of this.
    return quietly(() => Span.#start(name, attributes, options, root))
  }

  /** A part of this one. */
  child(name: string, attributes: Attributes): Span | undefined {
    return quietly(() => Span.#start(name, attributes, { kind: kinds.internal }, this.#context))
  }

  static #start(name: string, attributes: Attributes, options: object, parent: Context): Span | undefined {
    const known = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined))
    const span = api()
      ?.trace?.getTracer('hookserver')
      .startSpan(name, { ...options, attributes: known }, parent)
    return span && new Span(span, parent)
  }

  /** This span for another process to link to, as W3C Trace Context writes it. */
  get traceparent(): string | undefined {
    return quietly(() => {
      const { traceId, spanId, traceFlags } = this.#span.spanContext()
      const flags = (traceFlags & 0xff).toString(16).padStart(2, '0')
      return /[1-9a-f]/.test(traceId) ? `00-${traceId}-${spanId}-${flags}` : undefined // zeros: nobody records it
    })
  }

  /** Runs `work` with this span active: those that it begins become children. It runs once, whatever goes wrong here. */
  within<T>(work: () => T): T {
    let ended: (() => T) | undefined
    const run = () => {
      ended = outcomeOf(work)
    }
    quietly(() => api()?.context?.with(this.#context, run))
    return (ended ?? outcomeOf(work))()
  }

  /** Sets the status ERROR. @param type Short, and one of few. Default: the class of what was thrown. */
  fail(thrown: unknown, type?: string): void {
    const error = quietly(() => (thrown instanceof Error ? thrown : undefined)) // anything may have been thrown
    const message = quietly(() => error?.message)
    const kind = type ?? quietly(() => error?.name) ?? '_OTHER' // the conventions' word for what has no class
    quietly(() => this.#span.setAttributes({ 'error.type': kind }))
    quietly(() => this.#span.setStatus({ code: errorStatus, ...(message && { message }) }))
    if (thrown !== undefined) this.recordException(thrown)
  }

  recordException(thrown: unknown): void {
    quietly(() => this.#span.recordException(thrown instanceof Error ? thrown : String(thrown)))
  }

  /** Ends it; only the first call counts. */
  end(attributes: Attributes): void {
    if (this.#ended) return
    this.#ended = true
    quietly(() => this.#span.setAttributes(attributes))
    quietly(() => this.#span.end())
  }
}

/** Calls `work` now; what it returned or threw comes out when the result is called. */
function outcomeOf<T>(work: () => T): () => T {
  try {
    const value = work()
    return () => value
  } catch (error) {
    return () => {
      throw error
    }
  }
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined // an SDK has its own log
  }
}

/** The context of what has no parent, and of everything where no context manager is registered. */
const root = contextOf(new Map())

function contextOf(values: ReadonlyMap<symbol, unknown>): Context {
  return {
    getValue: (key) => values.get(key),
    setValue: (key, value) => contextOf(new Map([...values, [key, value]])),
    deleteValue: (key) => contextOf(new Map([...values].filter(([other]) => other !== key))),
  }
}

const headerGetter = {
  get: (headers: Headers, name: string): string | undefined => headers[name.toLowerCase()],
  keys: (headers: Headers): string[] => Object.keys(headers),
}

function parseTraceparent(text = ''): SpanContext | undefined {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text) ?? []
  if (!traceId || !spanId || !flags) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
}
