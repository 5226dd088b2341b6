/**
 * A request of `node:http`, which Express, Fastify, Koa and Hono's Node server hand on.
 * The types are structural, so that neither a framework nor `@types/node` is needed to compile against them.
 */
import type { Body, CreateHmac, HookRequest, ReadBody } from '../http.ts'
import { startTimer } from '../runtime/timer.ts'

// biome-ignore lint/suspicious/noExplicitAny: as the types of Node.js have it, so that they fit
type Listener = (...args: any[]) => void

/** The few members of `http.IncomingMessage` that are used. `rawBody` and `body` are what other software leaves there. */
export interface Incoming {
  method?: string | undefined
  url?: string | undefined
  headers: object
  socket?: { remoteAddress?: string | undefined; destroyed?: boolean } | null
  readableDidRead: boolean
  readableEnded: boolean
  destroyed: boolean
  complete: boolean
  on(event: string, listener: Listener): unknown
  off(event: string, listener: Listener): unknown
  resume(): unknown
  destroy(): unknown
}

/** The few members of `http.ServerResponse` that are used to leave a request unread. */
export interface Outgoing {
  once(event: string, listener: () => void): unknown
}

/** What an adapter knows of the requests of its framework, which are the first of `HookRequest.native`. */
export interface IncomingTraits<Request> {
  /** Where software in front may have kept the body: bytes, or text that was decoded as UTF-8. */
  kept?(request: Request): readonly unknown[]
  frameworkAddress?(request: Request): string | undefined
  /** How a consumed body is prevented in this framework. */
  cure: string
  createHmac: CreateHmac
}

export class IncomingRequest<Request> implements HookRequest {
  readonly path: string | undefined
  readonly native: readonly [Request]
  readonly #incoming: Incoming
  readonly #traits: IncomingTraits<Request>

  constructor(incoming: Incoming, path: string | undefined, request: Request, traits: IncomingTraits<Request>) {
    this.path = path
    this.native = [request]
    this.#incoming = incoming
    this.#traits = traits
  }

  get method(): string {
    return this.#incoming.method ?? ''
  }

  /** Lists are only ever `set-cookie`, which no request has a use for. */
  get headers(): Readonly<Record<string, string | undefined>> {
    return this.#incoming.headers as Record<string, string | undefined>
  }

  get createHmac(): CreateHmac {
    return this.#traits.createHmac
  }

  get address(): string | undefined {
    const { socket } = this.#incoming
    return socket?.remoteAddress ?? (socket?.destroyed === false ? 'unix' : undefined)
  }

  get frameworkAddress(): string | undefined {
    return this.#traits.frameworkAddress?.(this.native[0])
  }

  body(): Body {
    for (const kept of this.#traits.kept?.(this.native[0]) ?? []) {
      if (kept instanceof Uint8Array) return { bytes: kept }
      if (typeof kept === 'string') return { bytes: new TextEncoder().encode(kept) }
    }
    if (this.#incoming.readableDidRead) return { consumed: this.#traits.cure }
    return { read: readIncoming(this.#incoming) }
  }
}

/** Reads a stream of Node.js by its events: half the cost of iterating over it. */
export function readIncoming(stream: Incoming): ReadBody {
  return (onChunk, onEnd) => {
    const stop = () => {
      stream.off('data', onChunk)
      stream.off('end', onFinish)
      stream.off('error', onFailure)
      stream.off('close', onClose)
    }
    const onFailure = (error?: unknown) => {
      stop() // at once, since 'close' follows 'end' before anybody who awaits us is called
      onEnd(error)
    }
    const onFinish = () => onFailure()
    const onClose = () => onFailure(new Error('The sender went away'))
    if (stream.readableEnded) queueMicrotask(onFinish)
    else if (stream.destroyed) queueMicrotask(onClose)
    else {
      stream.on('end', onFinish)
      stream.on('error', onFailure)
      stream.on('close', onClose)
      stream.on('data', onChunk)
      stream.resume()
    }
    return stop
  }
}

/** The path of a request line's target, without its query. */
export function pathOf(target: string | undefined): string {
  if (target === undefined) return '/'
  if (!target.startsWith('/')) return URL.parse(target)?.pathname ?? target // absolute-form, RFC 9112, 3.2.2
  const end = target.search(/[?#]/)
  return end < 0 ? target : target.slice(0, end)
}

/** How much of a body is still taken, and how long, once a refusal is answered, so that the sender can read the answer. */
const [mostUnread, longestUnread] = [1024 * 1024, 1000]
/** The same before it is answered: Express's own error handler waits for the end of the request. */
const [mostUnanswered, longestUnanswered] = [32 * 1024 * 1024, 10_000]

/** Lets go of a body that nobody wants: once the answer is out, the sender has 1 MiB or 1 s, then the connection is cut. */
export function leaveUnread(request: Incoming, response: Outgoing): void {
  if (request.complete) return
  let rest = mostUnanswered
  const cut = () => request.complete || request.destroy()
  let stop = startTimer(cut, longestUnanswered)
  // From now on and not from the end of the answer, when Node.js takes a stream that nobody reads out of our hands.
  request.on('data', (chunk: Uint8Array) => {
    rest -= chunk.length
    if (rest < 0) request.destroy()
  })
  request.resume()
  response.once('finish', () => {
    rest = mostUnread
    stop()
    stop = startTimer(cut, longestUnread)
  })
  request.on('close', () => stop())
}
