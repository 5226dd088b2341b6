/**
 * The request and reply types between adapters and the receiver. An adapter converts the request of its framework to a
 * `HookRequest`, passes it to the `Receiver` from `hooks.mount()`, and writes the `HookReply`. All frameworks share the
 * code of the receiver.
 */
import type { HookError } from './errors.ts'

/** One request. An adapter may compute a member when it is read, because a rejected request needs few members. */
export interface HookRequest {
  /** Such as `POST`. */
  readonly method: string
  /** The path without its query and mount prefix; `undefined` if a router has already matched the route. */
  readonly path: string | undefined
  /** Names in lower case. The values of a repeated header are joined. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /**
   * Returns one header. An adapter has this function if it must copy the headers to create `headers`, because most
   * deliveries need only a few of them.
   * @param name In lower case.
   */
  header?(name: string): string | undefined
  /**
   * The address at the other end of the connection; `'unix'` for a Unix socket. Reading it may throw a `HookError`
   * with the code `body_aborted`: the sender has disconnected.
   */
  readonly address: string | undefined
  /** The address that the framework found (`req.ip`), for `clientAddress: 'framework'`. */
  readonly frameworkAddress?: string | undefined
  /**
   * The arguments for a `clientAddress` function: the framework's request, then any other arguments that the platform
   * passes to its handler.
   */
  readonly native: readonly [request: unknown, ...platform: unknown[]]
  /** The id of the delivery that an operator edited to create this one. */
  readonly editedFrom?: number | undefined
  /** The body. The receiver calls this at most once, when it begins to read the body. */
  body(): Body
  /**
   * Creates an HMAC that takes its message in chunks. Missing on platforms without `node:crypto`: there, WebCrypto
   * computes the HMAC.
   */
  readonly createHmac?: CreateHmac | undefined
  /** Keeps the platform running for work that ends after the reply. */
  waitUntil?(work: Promise<unknown>): void
}

/** The members of a `HookRequest` that contain its headers. */
export type HeaderSource = Pick<HookRequest, 'headers' | 'header'>

/** Returns one header, without a copy of all headers. @param name In lower case. */
export function headerOf(source: HeaderSource, name: string): string | undefined {
  return source.header ? source.header(name) : source.headers[name]
}

/** A body: complete, still to be read, or consumed by other software (then with a text on how to prevent that). */
export type Body = CompleteBody | ConsumedBody | BodyInChunks | BodyInOneCall
/** `cure` says how to prevent that other software sets an encoding, which turns the bytes of the stream into text. */
export type BodyInChunks = { read: ReadBody; cure?: string | undefined }
/** A body that has arrived completely. */
export type CompleteBody = { bytes: Uint8Array }
/** A body that other software has read. `consumed` says how to prevent that. */
export type ConsumedBody = { consumed: string }

/**
 * A body that one call can read, which costs less than to read its chunks. But the call reads without a limit, and
 * cannot be stopped. So the receiver calls `readAtOnce` only for a small body with a `Content-Length`, and `inChunks`
 * for any other body.
 */
export interface BodyInOneCall {
  /** Reads the whole body, if it is known to be small. */
  readAtOnce(): Promise<CompleteBody | ConsumedBody>
  /** The same body, to read as it arrives. */
  inChunks(): Exclude<Body, BodyInOneCall>
}

/**
 * Starts to read the body: calls `onChunk` for each chunk, then `onEnd` once. If the stream failed, `onEnd` gets the
 * error. `ReadBody` returns before it calls `onChunk` or `onEnd`. If `onChunk` returns a promise, `ReadBody` reads no
 * more until the promise resolves. The returned function ends the reading.
 */
export type ReadBody = (onChunk: OnChunk, onEnd: (error?: unknown) => void) => () => void
/** Takes one chunk of a body. The reader waits for the promise before it reads more. */
export type OnChunk = (chunk: Uint8Array) => Promise<void> | undefined

/** The hash algorithm of a signature. */
export type HashName = 'sha256' | 'sha1'

/** An HMAC that takes its message in chunks (`crypto.createHmac` of Node.js fits). */
export type CreateHmac = (algorithm: HashName, key: Uint8Array) => Hmac
/** The HMAC of a message that arrives in chunks. */
export interface Hmac {
  update(chunk: Uint8Array): unknown
  digest(): Uint8Array
}

/** A reply: its parts, or the `Response` that a hook returned. */
export type HookReply = PlainReply | Response
/** A reply in its parts, for an adapter that does not use `Response`. */
export interface PlainReply {
  /** The HTTP status. */
  status: number
  /** Each name once. */
  headers: Record<string, string>
  /** `null` for a reply without a body. */
  body: string | null
}

/**
 * Whether a value is a `Response`. Compares its `Symbol.toStringTag`, because the `Response` of a polyfill or another
 * realm is not an instance of the global class.
 */
export function isResponse(value: unknown): value is Response {
  return Object.prototype.toString.call(value) === '[object Response]'
}

/** The receiver of one mount. */
export interface Receiver {
  /** The path of deliveries. `false` for any path, if a router has already matched the route. */
  readonly path: string | false
  /** Whether deliveries have this path. Adapters with a `next()` call this first. */
  matches(path: string): boolean
  /**
   * Resolves when deliveries can be accepted: immediately, unless the list of addresses has to be fetched first.
   * @throws {HookError} `ranges_unavailable`; `inbox_unavailable` for 15 s after a delivery could not be stored, unless
   * a later delivery was stored.
   */
  ready(): Promise<void>
  /** The current state, for monitoring. */
  status(): ReceiverStatus
  /**
   * Processes a request, from its headers to the reply.
   * @throws {HookError} (rejects) In a framework with an error handler, the adapter passes the error to this handler.
   *   Other adapters reply with the error.
   */
  receive(request: HookRequest): Promise<HookReply>
  /**
   * Signs a body as GitHub does, with the first secret for a delivery with these headers.
   * @returns `X-Hub-Signature-256`; `undefined` if signatures are not checked.
   * @throws {HookError} `secret_unavailable`
   */
  sign(headers: HookRequest['headers'], body: Uint8Array): Promise<string | undefined>
}

/** The state of a receiver: its address ranges and its memory. */
export interface ReceiverStatus {
  /** `undefined` if no list is fetched: the origin is not checked, or the option `ranges` is a list. */
  ranges: RangesStatus | undefined
  /**
   * Bytes of memory that are reserved for bodies now, in all mounts of the `Hooks` with the same `bodyMemory`.
   */
  heldBytes: number
  /** The option `bodyMemory`. */
  heldLimit: number
  /** The option `validateIp`. */
  origin: boolean | 'warn'
  /** The option `validateSignature`. */
  signature: boolean
}

/** The state of the list of addresses that deliveries may come from. */
export interface RangesStatus {
  /** The number of ranges in the list; 0 while there is none. */
  count: number
  /**
   * When the list was last fetched, or when GitHub last confirmed it, in milliseconds since 1970. `undefined` while
   * there is no list.
   */
  fetchedAt: number | undefined
  /** Why the last fetch failed, if it did. */
  failing: string | undefined
}

/** An error as `application/problem+json` (RFC 9457), for adapters of platforms without an error path. */
export function problemReply(error: Pick<HookError, 'status' | 'headers' | 'problem'>): PlainReply {
  return {
    status: error.status,
    headers: { ...error.headers, 'content-type': 'application/problem+json' },
    body: JSON.stringify(error.problem()),
  }
}

/** The reply if no hook returned anything. */
export const noContent = (): HookReply => ({ status: 204, headers: {}, body: null })

/**
 * The reply for the return value of a hook: a string as text, a `Response` unchanged, anything else as JSON.
 * @throws {TypeError} for a value that cannot be sent.
 */
export function replyOf(returned: unknown): HookReply {
  if (typeof returned === 'string') return textReply(returned)
  if (isResponse(returned)) {
    if (returned.bodyUsed || returned.body?.locked) {
      throw new TypeError('A hook returned a Response whose body has been read')
    }
    if (returned.status < 200) throw new TypeError(`A hook returned a Response with status ${returned.status}`)
    return returned
  }
  const body: string | undefined = JSON.stringify(returned)
  if (body === undefined) throw new TypeError(`A hook returned a ${typeof returned}, which cannot be sent as JSON`)
  return { status: 200, headers: { 'content-type': 'application/json' }, body }
}

/** Plain text, so that a browser never renders text from a payload as a page. */
export function textReply(text: string, status = 200): HookReply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: text }
}

/** Headers that `createdHeaders` leaves out: they describe the connection, the body or the sender of the original. */
const headersNotCopied = new Set([
  ...['content-type', 'content-length', 'content-encoding', 'transfer-encoding', 'connection', 'expect'],
  ...['x-hub-signature', 'x-hub-signature-256', 'authorization', 'proxy-authorization', 'cookie'],
])

/** The headers of a delivery that did not arrive as an HTTP request, or that an operator creates. */
export function createdHeaders(original: HookRequest['headers'], event: string, guid: string): HookRequest['headers'] {
  const copied = Object.entries(original)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !headersNotCopied.has(name))
  return {
    ...Object.fromEntries(copied),
    'content-type': 'application/json',
    'x-github-event': event,
    'x-github-delivery': guid,
  }
}
