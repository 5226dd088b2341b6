import { errorTable, HookError } from '../errors.ts'
import type { Body, ReadBody } from '../http.ts'
import type { Deadline } from '../runtime/deadline.ts'
import type { Reservation } from './memory-limit.ts'

/** A body that has arrived completely. */
export interface ReceivedBody {
  bytes: Uint8Array
  /** Frees the memory of a large body at once; the garbage collector would let several of them accumulate. */
  free(): void
}

export interface BodyLimits {
  /** The maximum size in bytes. */
  limit: number
  /** The size in `Content-Length`, if the request has one. */
  expected: number | undefined
  deadline: Deadline
  reservation: Reservation
}

/**
 * @param onChunk Called with every chunk as it arrives, to update an HMAC.
 * @throws {HookError} `payload_too_large`, `body_timeout`, `body_already_parsed`, `overloaded`
 */
export function readBody(
  body: Body,
  { limit, expected, deadline, reservation }: BodyLimits,
  onChunk?: (chunk: Uint8Array) => void,
): Promise<ReceivedBody> | ReceivedBody {
  if ('consumed' in body) throw consumedBody(body.consumed)
  const buffer = new BodyBuffer(limit, expected)
  const append = (chunk: Uint8Array) => {
    const size = buffer.size + chunk.length
    if (size > limit) throw new HookError('payload_too_large')
    reservation.grow(size, limit)
    buffer.append(chunk)
    onChunk?.(chunk)
  }
  if ('read' in body) return collect(body.read, append, buffer, deadline)
  append(body.bytes)
  return buffer.received()
}

/** The error for a body that other software has read. @param cure How to prevent that in this framework. */
export function consumedBody(cure: string): HookError {
  return new HookError('body_already_parsed', { detail: `${errorTable.body_already_parsed[1]}: ${cure}` })
}

function collect(
  read: ReadBody,
  append: (chunk: Uint8Array) => void,
  buffer: BodyBuffer,
  deadline: Deadline,
): Promise<ReceivedBody> {
  return new Promise((resolve, reject) => {
    if (deadline.expired) throw new HookError('body_timeout')
    const stop = read(
      (chunk) => {
        try {
          append(chunk)
        } catch (error) {
          fail(error)
        }
      },
      (cause) => {
        forget()
        if (cause === undefined) resolve(buffer.received())
        else reject(new HookError('body_timeout', { cause }))
      },
    )
    const fail = (error: unknown) => {
      forget()
      stop()
      reject(error)
    }
    const forget = deadline.onExpire(() => fail(new HookError('body_timeout')))
  })
}

/**
 * The bytes that have arrived. A body in a single chunk is not copied; the chunks of a longer one are, so that the
 * connection can free them. The capacity grows with the bytes that have arrived, not with the announced size.
 */
class BodyBuffer {
  #bytes: Uint8Array = new Uint8Array()
  #memory: ArrayBuffer | undefined
  readonly #limit: number
  readonly #expected: number

  constructor(limit: number, expected = 0) {
    this.#limit = limit
    this.#expected = expected
  }

  get size(): number {
    return this.#bytes.length
  }

  append(chunk: Uint8Array): void {
    const before = this.size
    const size = before + chunk.length
    if (before === 0) {
      this.#bytes = chunk
    } else {
      this.#bytes = new Uint8Array(this.#ensureCapacity(size), 0, size)
      this.#bytes.set(chunk, before)
    }
  }

  received(): ReceivedBody {
    const memory = this.#memory
    return { bytes: this.#bytes, free: () => void (memory?.detached || memory?.transfer(0)) }
  }

  #ensureCapacity(size: number): ArrayBuffer {
    if (this.#memory && size <= this.#memory.byteLength) return this.#memory
    // Doubles, but allocates the announced size once a quarter of it has arrived.
    const announced = size <= this.#expected && this.#expected <= 4 * size
    const capacity = announced ? this.#expected : Math.min(2 * size, this.#limit)
    if (this.#memory) this.#memory = this.#memory.transfer(capacity)
    else new Uint8Array((this.#memory = new ArrayBuffer(capacity))).set(this.#bytes)
    return this.#memory
  }
}
