import { errorTable, HookError } from '../errors.ts'
import type { Body, BodyInChunks, BodyInOneCall } from '../http.ts'
import type { Deadline } from '../runtime/deadline.ts'
import type { Release } from '../runtime/memory-pool.ts'
import { BodyBuffer, type ReceivedBody } from './body-buffer.ts'
import type { Reservation } from './memory-limit.ts'

export interface BodyLimits {
  /** The maximum size in bytes. */
  limit: number
  /** The size in `Content-Length`, if the request has one. */
  expected: number | undefined
  deadline: Deadline
  reservation: Reservation
  /** The permit to read the body with one call. It is released when the body has its memory, or is not read further. */
  permit?: Release | undefined
}

/**
 * @param onChunk Called with every chunk as it arrives, to update an HMAC.
 * @returns A promise if the body has not arrived yet, or if it has to wait until the memory limit leaves room for it.
 *   Otherwise, the body itself.
 * @throws {HookError} `payload_too_large`, `body_timeout`, `body_aborted`, `body_already_parsed`, `overloaded`
 */
export function readBody(
  body: Body,
  limits: BodyLimits,
  onChunk?: (chunk: Uint8Array) => void,
): Promise<ReceivedBody> | ReceivedBody {
  if ('readAtOnce' in body) {
    if (limits.permit) return readAtOnce(body, limits, onChunk)
    return readBody(body.inChunks(), limits, onChunk)
  }
  if ('consumed' in body) throw consumedBody(body.consumed)
  const reader = new BodyReader(limits, onChunk)
  return 'read' in body ? reader.collect(body) : reader.receive(body.bytes)
}

/** Reads a small body with one call. If the deadline expires, ignores the result of the call, which cannot be stopped. */
async function readAtOnce(
  body: BodyInOneCall,
  limits: BodyLimits,
  onChunk: ((chunk: Uint8Array) => void) | undefined,
): Promise<ReceivedBody> {
  const { deadline, permit: release } = limits
  try {
    if (deadline.expired) throw new HookError('body_timeout')
    const read = await deadline.race(body.readAtOnce(), () => new HookError('body_timeout'))
    if ('consumed' in read) throw consumedBody(read.consumed)
    return await new BodyReader(limits, onChunk).receive(read.bytes)
  } catch (error) {
    throw error instanceof HookError ? error : streamError(error)
  } finally {
    release?.()
  }
}

/** The error for a body whose bytes other software has read or decoded. @param cure How to prevent that here. */
function consumedBody(cure: string, cause?: string): HookError {
  return new HookError('body_already_parsed', { detail: `${errorTable.body_already_parsed[1]}: ${cure}`, cause })
}

/**
 * The error for a stream that failed. A framework that limits the size of bodies itself, such as SvelteKit, makes the
 * stream fail if the body exceeds that limit.
 */
function streamError(cause: unknown): HookError {
  const { status, statusCode, code } = (cause ?? {}) as { status?: unknown; statusCode?: unknown; code?: unknown }
  const isTooLarge = status === 413 || statusCode === 413 || code === 'ERR_BODY_LIMIT'
  return new HookError(isTooLarge ? 'payload_too_large' : 'body_aborted', { cause })
}

/** The cure for a stream of texts, unless the adapter has one for its framework. */
const setNoEncoding = 'pass on the stream before other software sets an encoding'

/** Reads one body. */
class BodyReader {
  readonly #buffer: BodyBuffer
  /** Resolves when there is memory for the bytes that have arrived. Until then, nothing more may be read. */
  #memoryAvailable: Promise<void> | undefined
  readonly #limits: BodyLimits
  readonly #onChunk: ((chunk: Uint8Array) => void) | undefined

  constructor(limits: BodyLimits, onChunk: ((chunk: Uint8Array) => void) | undefined) {
    this.#limits = limits
    this.#onChunk = onChunk
    this.#buffer = new BodyBuffer(limits.expected)
  }

  /** Takes a body that other software has read. */
  receive(bytes: Uint8Array): Promise<ReceivedBody> | ReceivedBody {
    const waiting = this.#add(bytes)
    if (!waiting) return this.#complete()
    return this.#limits.deadline.race(waiting, () => new HookError('overloaded')).then(() => this.#complete())
  }

  /** Collects the chunks of a body until the body ends or fails, or the deadline expires. */
  collect({ read, cure = setNoEncoding }: BodyInChunks): Promise<ReceivedBody> {
    const { deadline } = this.#limits
    return new Promise((resolve, reject) => {
      if (deadline.expired) throw new HookError('body_timeout')
      const stop = read(
        (chunk) => {
          try {
            if (typeof chunk === 'string') throw consumedBody(cure, 'other software has set an encoding of the stream')
            return this.#add(chunk)
          } catch (error) {
            fail(error)
          }
        },
        (cause) => {
          if (this.#memoryAvailable && cause === undefined) void this.#memoryAvailable.then(() => finish())
          else finish(cause)
        },
      )
      const finish = (cause?: unknown) => {
        forget()
        if (cause === undefined) return resolve(this.#complete())
        this.#buffer.discard()
        reject(streamError(cause))
      }
      const fail = (error: unknown) => {
        forget()
        stop()
        this.#buffer.discard()
        reject(error)
      }
      const forget = deadline.onExpire(() => fail(new HookError(this.#memoryAvailable ? 'overloaded' : 'body_timeout')))
    })
  }

  /** @returns A promise if nothing more may be read until it resolves. */
  #add(chunk: Uint8Array): Promise<void> | undefined {
    const { limit, reservation } = this.#limits
    const size = this.#buffer.size + chunk.length
    if (size > limit) throw new HookError('payload_too_large')
    const waiting = reservation.grow(size)
    this.#buffer.append(chunk)
    this.#onChunk?.(chunk)
    if (waiting && waiting !== this.#memoryAvailable) {
      this.#memoryAvailable = waiting
      void waiting.then(() => {
        this.#memoryAvailable = undefined
      })
    }
    return waiting
  }

  #complete(): ReceivedBody {
    this.#limits.reservation.complete()
    return this.#buffer.take()
  }
}
