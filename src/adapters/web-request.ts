/** A web-standard `Request`, as Workers, Deno, Bun, Next.js, SvelteKit and Hono pass it on. */
import type { Body, BodyInOneCall, CreateHmac, HookRequest, ReadBody } from '../http.ts'
import { createHmac } from './hmac.ts'

interface WebContext {
  path: string | undefined
  native: HookRequest['native']
  address?: string | undefined
  waitUntil: ((work: Promise<unknown>) => void) | undefined
  /** The body, if the framework has read and kept it. */
  kept?: () => Promise<string | ArrayBuffer> | undefined
  cure: string
}

export class WebRequest implements HookRequest {
  readonly method: string
  readonly path: string | undefined
  readonly address: string | undefined
  readonly native: HookRequest['native']
  readonly waitUntil: (work: Promise<unknown>) => void
  /** The HMAC of `node:crypto`, if it exists. On Node.js, WebCrypto would start a thread-pool job for each HMAC. */
  readonly createHmac: CreateHmac | undefined = createHmac
  readonly #request: Request
  readonly #headers: Headers
  #headersCopy: Readonly<Record<string, string>> | undefined
  readonly #context: WebContext

  constructor(request: Request, context: WebContext) {
    this.method = request.method
    this.path = context.path
    this.native = context.native
    this.address = context.address
    this.waitUntil = context.waitUntil ?? (() => {})
    this.#request = request
    this.#headers = request.headers // Deno does not allow this access any more after the reply
    this.#context = context
  }

  get headers(): Readonly<Record<string, string>> {
    this.#headersCopy ??= Object.fromEntries(this.#headers)
    return this.#headersCopy
  }

  /** Saves 4 µs of a request's 50 µs in Bun, 8 of 70 in Deno and 9 of 80 in Node.js, compared with `headers`. */
  header(name: string): string | undefined {
    return this.#headers.get(name) ?? undefined
  }

  body(): Body {
    const kept = this.#context.kept?.()
    if (kept) return { read: readKept(kept) }
    const request = this.#request
    const { cure } = this.#context
    if (request.bodyUsed) return { consumed: cure }
    return { readAtOnce: () => readAtOnce(request, cure), inChunks: () => inChunks(request, cure) }
  }
}

/**
 * Does not access the stream of the body, because in Node.js, `@hono/node-server` would create the stream, which takes
 * longer than the rest of the request. Saves 10 µs of a request's 60 µs in Bun, 25 of 90 in Deno, and 90 of 170 in
 * Node.js.
 */
async function readAtOnce(request: Request, cure: string): Promise<{ bytes: Uint8Array } | { consumed: string }> {
  try {
    return { bytes: new Uint8Array(await request.arrayBuffer()) }
  } catch (error) {
    if (request.bodyUsed) throw error
    return { consumed: cure } // other software has locked the stream
  }
}

function inChunks({ body }: Request, cure: string): Exclude<Body, BodyInOneCall> {
  if (body?.locked) return { consumed: cure }
  return body ? { read: readWebStream(body), cure } : { bytes: new Uint8Array() }
}

function readWebStream(stream: ReadableStream<Uint8Array>): ReadBody {
  return (onChunk, onEnd) => {
    const reader = stream.getReader()
    let stopped = false
    const pump = async () => {
      for (;;) {
        const { done, value } = await reader.read()
        if (stopped) return
        if (done) return onEnd()
        const waiting = onChunk(value)
        if (waiting) await waiting
      }
    }
    pump().catch((error: unknown) => onEnd(error ?? new Error('The stream of the body failed')))
    return () => {
      stopped = true
      reader.cancel().catch(() => {}) // a stream that has failed cannot be cancelled, and need not be
    }
  }
}

function readKept(kept: Promise<string | ArrayBuffer>): ReadBody {
  return (onChunk, onEnd) => {
    let stopped = false
    const read = async () => {
      const body = await kept
      if (stopped) return
      await onChunk(typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body))
      onEnd()
    }
    read().catch((error: unknown) => onEnd(error ?? new Error('The body could not be read')))
    return () => {
      stopped = true
    }
  }
}
