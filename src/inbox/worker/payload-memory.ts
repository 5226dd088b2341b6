import { MemoryPool, type Release } from '../../runtime/memory-pool.ts'

/** Maximum bytes of a small payload once it is parsed. A share of the memory is reserved for small payloads. */
const small = 1024 * 1024

/** Maximum bytes of a body whose parsed payload is most likely small. */
export const smallBody: number = 128 * 1024

/** Milliseconds. If there is no memory for large payloads for this long, the worker warns the operator. */
const reportAfter = 10_000

/** The share of the limit that is reserved for small payloads. */
const reserve = 1 / 4

/**
 * Limits the memory that the payloads of running handlers take, by the estimate of `estimateParsedSize`. Large payloads
 * wait for each other; small ones never wait for large ones.
 */
export class PayloadMemory {
  readonly #small: MemoryPool
  readonly #large: MemoryPool
  #fullSince: number | undefined

  /** @param limit Bytes. A payload above three quarters of the limit runs only while no other large payload runs. */
  constructor(limit: number) {
    this.#small = new MemoryPool(limit * reserve)
    this.#large = new MemoryPool(limit * (1 - reserve))
  }

  /** The bytes that payloads hold. */
  get held(): number {
    return this.#small.held + this.#large.held
  }

  /** Whether large payloads have been without memory for so long that the operator should be warned. */
  get isExhausted(): boolean {
    if (this.hasRoom(small + 1)) this.#fullSince = undefined
    else this.#fullSince ??= performance.now()
    return this.#fullSince !== undefined && performance.now() - this.#fullSince >= reportAfter
  }

  /** Whether a payload would get its memory now if the caller had first taken `more` bytes for other payloads. */
  hasRoom(bytes: number, more = 0): boolean {
    return this.#poolOf(bytes).hasRoom(bytes, more)
  }

  /** The largest body, in bytes, that a worker should claim now. */
  get largestBody(): number {
    return this.hasRoom(small + 1) ? Number.POSITIVE_INFINITY : smallBody
  }

  takeAtOnce(bytes: number): Release | undefined {
    return this.#poolOf(bytes).takeAtOnce(bytes)
  }

  wait(bytes: number): ReturnType<MemoryPool['wait']> {
    return this.#poolOf(bytes).wait(bytes)
  }

  #poolOf(bytes: number): MemoryPool {
    return bytes <= small ? this.#small : this.#large
  }
}
