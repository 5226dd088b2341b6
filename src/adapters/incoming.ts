/**
 * A request of `node:http`, which Express, Fastify, Koa and Hono's Node server pass on. The types are structural, so
 * that compiling against them needs neither a framework nor `@types/node`.
 */
import { HookError } from '../errors.ts'
import type { Body, CreateHmac, HookRequest, ReadBody } from '../http.ts'
import { startTimer } from '../runtime/timer.ts'
import { createHmac } from './hmac.ts'

/** The members of `http.IncomingMessage` that are used. */
export interface Incoming {
  method?: string | undefined
  url?: string | undefined
  headers: object
  /** The stream of an HTTP/2 request. */
  stream?: { close(): unknown; once(event: string, listener: () => void): unknown } | undefined
  socket?: { remoteAddress?: string | undefined; localAddress?: string | undefined; destroyed?: boolean } | null
  readableDidRead: boolean
  readableEnded: boolean
  destroyed: boolean
  complete: boolean
  // biome-ignore lint/suspicious/noExplicitAny: as in the types of Node.js, so that they match
  on(event: string, listener: (...args: any[]) => void): unknown
  // biome-ignore lint/suspicious/noExplicitAny: as in the types of Node.js, so that they match
  off(event: string, listener: (...args: any[]) => void): unknown
  pause(): unknown
  resume(): unknown
  destroy(): unknown
}

/** The members of `http.ServerResponse` that the adapters use. */
export interface Outgoing {
  once(event: string, listener: () => void): unknown
  destroy(): unknown
}

/** How an adapter reads the request of its framework. This request is the first item of `HookRequest.native`. */
export interface IncomingTraits<Request> {
  /** The places where other software may have kept the body: bytes, or text that was decoded as UTF-8. */
  kept?(request: Request): readonly unknown[]
  frameworkAddress?(request: Request): string | undefined
  /** How to keep other software in this framework from consuming the body. */
  cure: string
}

export class IncomingRequest<Request> implements HookRequest {
  readonly path: string | undefined
  readonly native: readonly [Request]
  readonly #incoming: Incoming
  readonly #traits: IncomingTraits<Request>
  #headers: Readonly<Record<string, string | undefined>> | undefined

  constructor(incoming: Incoming, path: string | undefined, request: Request, traits: IncomingTraits<Request>) {
    this.path = path
    this.native = [request]
    this.#incoming = incoming
    this.#traits = traits
  }

  get method(): string {
    return this.#incoming.method ?? ''
  }

  get headers(): Readonly<Record<string, string | undefined>> {
    this.#headers ??= textHeaders(this.#incoming.headers)
    return this.#headers
  }

  get createHmac(): CreateHmac | undefined {
    return createHmac
  }

  /**
   * A TCP connection that the sender has reset has no remote address, as a Unix socket has none. But it keeps its local
   * address.
   * @throws {HookError} `body_aborted` if the sender has disconnected, so that its address is unknown.
   */
  get address(): string | undefined {
    const { socket } = this.#incoming
    if (socket?.remoteAddress !== undefined || socket?.destroyed === undefined) return socket?.remoteAddress
    if (socket.destroyed || socket.localAddress !== undefined) {
      throw new HookError('body_aborted', { cause: disconnected() })
    }
    return 'unix'
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
    return { read: readIncoming(this.#incoming), cure: this.#traits.cure }
  }
}

const disconnected = (): Error => new Error('The sender disconnected')

/**
 * The headers of a request, each with one text. Node.js makes a list of `set-cookie`, which any sender can add. In
 * HTTP/2, it also adds pseudo-headers, such as `:path`, which are no headers.
 */
function textHeaders(headers: object): Readonly<Record<string, string | undefined>> {
  if (!('set-cookie' in headers || ':method' in headers)) return headers as Record<string, string>
  const named = Object.entries(headers as Record<string, string | string[]>).filter(([name]) => !name.startsWith(':'))
  return Object.fromEntries(named.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]))
}

/** Reads a stream of Node.js by its events, which takes half as long as iterating over the stream. */
function readIncoming(stream: Incoming): ReadBody {
  return (onChunk, onEnd) => {
    let ended = false
    const end = (error?: unknown) => {
      if (ended) return
      ended = true
      onEnd(error)
    }
    const onData = (chunk: Uint8Array) => {
      const waiting = onChunk(chunk)
      if (!waiting) return
      stream.pause()
      void waiting.then(() => ended || stream.resume())
    }
    const onFinish = () => end()
    // Node.js also emits 'close' after 'end'. Ignoring it costs less than removing the listeners.
    const onClose = () => ended || end(disconnected())
    if (stream.readableEnded) queueMicrotask(onFinish)
    else if (stream.destroyed) queueMicrotask(onClose)
    else {
      stream.on('end', onFinish)
      stream.on('error', end)
      stream.on('close', onClose)
      stream.on('data', onData)
      stream.resume()
    }
    return () => {
      ended = true
      stream.off('data', onData)
    }
  }
}

/** The path of a request line's target, without its query. */
export function pathOf(target: string | undefined): string {
  if (target === undefined) return '/'
  if (!target.startsWith('/')) return URL.parse(target)?.pathname ?? target // absolute-form, RFC 9112, 3.2.2
  const end = target.search(/[?#]/)
  return end < 0 ? target : target.slice(0, end)
}

/** Maximum bytes and milliseconds to go on reading after a rejection is sent, so that the sender can read the reply. */
const [maxUnread, unreadTimeout] = [1024 * 1024, 1000]
/**
 * The limits until the reply is sent. They are higher than the limits after the reply, because Express's error handler
 * replies only when the request has been read to its end.
 */
const [maxUnanswered, unansweredTimeout] = [32 * 1024 * 1024, 10_000]

/**
 * Discards the rest of the body of a rejected request. Before the reply is sent, it reads at most 32 MiB, for at most
 * 10 s after this call. Then it reads at most 1 MiB, for at most 1 s after the reply. Beyond these limits, it closes
 * the connection, or the stream of an HTTP/2 request. It does nothing if the sender has disconnected: then 'close' has
 * fired, and would not end the timer.
 */
export function leaveUnread(request: Incoming, response: Outgoing): void {
  if (request.complete || request.destroyed) return
  let rest = maxUnanswered
  const close = () => {
    if (request.complete) return
    request.destroy()
    request.stream?.close() // in HTTP/2, `destroy` leaves the stream open
  }
  let stop = startTimer(close, unansweredTimeout)
  // Add the listener before the reply ends: otherwise Node.js reads the rest of the body after the reply, without a
  // limit.
  request.on('data', (chunk: Uint8Array) => {
    rest -= chunk.length
    if (rest < 0) close()
  })
  request.resume()
  // In HTTP/2, the response emits 'finish' only when the stream is closed.
  const reply = request.stream ?? response
  reply.once('finish', () => {
    rest = maxUnread
    stop()
    stop = startTimer(close, unreadTimeout)
  })
  request.on('close', () => stop())
}
