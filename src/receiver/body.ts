import { errorTable, HookError } from '../errors.ts'
import type { Body, ReadBody } from '../http.ts'
import type { Deadline } from '../runtime/deadline.ts'
import type { Pass } from './memory-limit.ts'

/** A body in one piece. */
export interface ReceivedBody {
  bytes: Uint8Array
  /** Gives the memory of a large body back at once: the garbage collector would let several of them pile up. */
  free(): void
}

/** What bounds a body. */
export interface BodyBounds {
  /** The most bytes that are taken. */
  limit: number
  /** How many will come, where the sender said so. */
  expected: number | undefined
  deadline: Deadline
  pass: Pass
}

/**
 * Takes a body in.
 * @param onChunk is shown every piece on its way, for an HMAC.
 * @throws {HookError} `payload_too_large`, `body_timeout`, `body_already_parsed`, `overloaded`
 */
export function readBody(
  body: Body,
  { limit, expected, deadline, pass }: BodyBounds,
  onChunk?: (chunk: Uint8Array) => void,
): Promise<ReceivedBody> | ReceivedBody {
  if ('consumed' in body) throw consumedBody(body.consumed)
  const collected = new Collected(limit, expected)
  const take = (chunk: Uint8Array) => {
    const size = collected.size + chunk.length
    if (size > limit) throw new HookError('payload_too_large')
    pass.widen(size, limit)
    collected.add(chunk)
    onChunk?.(chunk)
  }
  if ('read' in body) return collect(body.read, take, collected, deadline)
  take(body.bytes)
  return collected.received()
}

/** The refusal of a body that something else has read. @param cure For the framework at hand. */
export function consumedBody(cure: string): HookError {
  return new HookError('body_already_parsed', { detail: `${errorTable.body_already_parsed[1]}: ${cure}` })
}

function collect(
  read: ReadBody,
  take: (chunk: Uint8Array) => void,
  collected: Collected,
  deadline: Deadline,
): Promise<ReceivedBody> {
  return new Promise((resolve, reject) => {
    if (deadline.expired) throw new HookError('body_timeout')
    const stop = read(
      (chunk) => {
        try {
          take(chunk)
        } catch (error) {
          refuse(error)
        }
      },
      (cause) => {
        forget()
        if (cause === undefined) resolve(collected.received())
        else reject(new HookError('body_timeout', { cause }))
      },
    )
    const refuse = (error: unknown) => {
      forget()
      stop()
      reject(error)
    }
    const forget = deadline.onExpire(() => refuse(new HookError('body_timeout')))
  })
}

/**
 * What has arrived. A body in a single chunk is taken as it is; of a longer one each chunk is copied to its place at
 * once, so that the buffers of the connection can go. Room grows with what has come, never by what was announced.
 */
class Collected {
  #bytes: Uint8Array = new Uint8Array()
  #room: ArrayBuffer | undefined
  readonly #limit: number
  readonly #expected: number

  constructor(limit: number, expected = 0) {
    this.#limit = limit
    this.#expected = expected
  }

  get size(): number {
    return this.#bytes.length
  }

  add(chunk: Uint8Array): void {
    const before = this.size
    const size = before + chunk.length
    if (before === 0) {
      this.#bytes = chunk
    } else {
      this.#bytes = new Uint8Array(this.#roomFor(size), 0, size)
      this.#bytes.set(chunk, before)
    }
  }

  received(): ReceivedBody {
    const room = this.#room
    return { bytes: this.#bytes, free: () => void (room?.detached || room?.transfer(0)) }
  }

  #roomFor(size: number): ArrayBuffer {
    if (this.#room && size <= this.#room.byteLength) return this.#room
    // Doubling, but straight to the announced size once a quarter of it is here.
    const announced = size <= this.#expected && this.#expected <= 4 * size
    const capacity = announced ? this.#expected : Math.min(2 * size, this.#limit)
    if (this.#room) this.#room = this.#room.transfer(capacity)
    else new Uint8Array((this.#room = new ArrayBuffer(capacity))).set(this.#bytes)
    return this.#room
  }
}
