/**
 * HTTP as the receiver sees it. An adapter turns its framework's request into a `HookRequest`, hands it to
 * the `Receiver` that `hooks.mount()` made, and writes the `HookReply`; everything between is the same everywhere.
 */

/** One request. Adapters implement it lazily: what a refused request never needed is never computed. */
export interface HookRequest {
  readonly method: string
  /** The path without its query and mount prefix; `undefined` where a router has chosen already. */
  readonly path: string | undefined
  /** Names in lower case; repeated headers joined as their framework does. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The address at the other end of the connection; `'unix'` for a Unix socket. */
  readonly address: string | undefined
  /** The address as the framework worked it out (`req.ip`), for `clientAddress: 'framework'`. */
  readonly frameworkAddress?: string | undefined
  /** What a `clientAddress` function is called with: the framework's request, then the platform's arguments. */
  readonly native: readonly [request: unknown, ...platform: unknown[]]
  /** The delivery that an operator made this one from. */
  readonly editedFrom?: number | undefined
  /** The body, asked for once and only when it is about to be read. */
  body(): Body
  /** Where the platform can finish an HMAC that was fed by chunks; elsewhere WebCrypto serves. */
  readonly createHmac?: CreateHmac
  /** Keeps the platform awake for work that outlasts the reply. */
  waitUntil?(work: Promise<unknown>): void
}

/** A body: kept by somebody in full, still to be read, or consumed and gone (with the cure for this framework). */
export type Body = { bytes: Uint8Array } | { read: ReadBody } | { consumed: string }

/**
 * Starts reading: `onChunk` for each piece, then `onEnd` once, with an error if the sender went away.
 * Neither is called before it has returned. What it returns stops the reading for good.
 */
export type ReadBody = (onChunk: (chunk: Uint8Array) => void, onEnd: (error?: unknown) => void) => () => void

export type HashName = 'sha256' | 'sha1'

/** An HMAC that takes its message in pieces (`crypto.createHmac` of Node.js fits). */
export type CreateHmac = (algorithm: HashName, key: Uint8Array) => Hmac
export interface Hmac {
  update(chunk: Uint8Array): unknown
  digest(): Uint8Array
}

/** What to answer: plain parts, or the `Response` that a hook returned. */
export type HookReply = PlainReply | Response
export interface PlainReply {
  status: number
  headers: Record<string, string>
  body: string | null
}

/** By its tag, since a polyfill's or another realm's `Response` is no instance of ours. */
export function isResponse(value: unknown): value is Response {
  return Object.prototype.toString.call(value) === '[object Response]'
}

/** The receiving end of a `Hooks` for one mount. */
export interface Receiver {
  /** The path that deliveries come to; `false` where a router has chosen already. */
  readonly url: string | false
  /** Whether a request for this path is ours. Adapters with a `next()` ask before anything else. */
  matches(path: string): boolean
  /**
   * Resolves once a delivery could be let in: at once, unless a list of addresses has to be had first.
   * @throws {HookError} `ranges_unavailable`; `inbox_unavailable` for 15 s after a delivery could not be stored, unless
   * another was stored since.
   */
  ready(): Promise<void>
  /** How it stands now, for whoever watches. */
  status(): ReceiverStatus
  /**
   * Takes a delivery through to its reply.
   * @throws {HookError} the refusal or failure, to travel the framework's own error path.
   */
  receive(request: HookRequest): Promise<HookReply>
  /**
   * Signs a body as GitHub would, with the first secret of a delivery that has these headers.
   * @returns `X-Hub-Signature-256`; `undefined` where signatures are not checked.
   * @throws {HookError} `secret_unavailable`
   */
  sign(headers: HookRequest['headers'], body: Uint8Array): Promise<string | undefined>
}

export interface ReceiverStatus {
  /** `undefined` where no list is fetched: the origin is not checked, or against a list that was given. */
  ranges: RangesStatus | undefined
  /** Bytes of memory that bodies have been given room for, over all mounts with the same limit, and that limit. */
  heldBytes: number
  heldLimit: number
  /** The options `validateIp` and `validateSignature`. */
  origin: boolean | 'warn'
  signature: boolean
}

/** The list of addresses that deliveries may come from. */
export interface RangesStatus {
  count: number
  /** When its source last gave it, or said that it has not changed; `undefined` while there is none. */
  fetchedAt: number | undefined
  /** Why the last try to fetch it failed, if it did. */
  failing: string | undefined
}

/** A failure as `application/problem+json` (RFC 9457), for adapters that have no framework's error path. */
export function problemReply(error: {
  status: number
  headers: Record<string, string>
  problem(): object
}): PlainReply {
  return {
    status: error.status,
    headers: { ...error.headers, 'content-type': 'application/problem+json' },
    body: JSON.stringify(error.problem()),
  }
}
