import { MemoryPool, type Release } from '../../runtime/memory-pool.ts'

/** Bytes. Payloads that take no more have a reserve of their own. */
const small = 1024 * 1024

/** Bytes of a body whose parsed payload is most likely small. */
export const smallBody: number = 128 * 1024

/** Milliseconds for which large payloads may find no room before that is reported. */
const reportAfter = 10_000

/** The share of the limit that is reserved for small payloads. */
const reserve = 1 / 4

/**
 * Bounds the memory that the payloads of running handlers take, as `estimateParsedSize` has it. Large payloads wait for
 * one another; small ones never wait for large ones.
 */
export class PayloadMemory {
  readonly #small: MemoryPool
  readonly #large: MemoryPool
  #fullSince: number | undefined

  /** @param limit Bytes. A payload that takes more runs when no other large one does. */
  constructor(limit: number) {
    this.#small = new MemoryPool(limit * reserve)
    this.#large = new MemoryPool(limit * (1 - reserve))
  }

  /** Bytes. */
  get held(): number {
    return this.#small.held + this.#large.held
  }

  /** Whether there has been no room for a large payload for so long that it should be reported. */
  get isExhausted(): boolean {
    if (this.hasRoom(small + 1)) this.#fullSince = undefined
    else this.#fullSince ??= performance.now()
    return this.#fullSince !== undefined && performance.now() - this.#fullSince >= reportAfter
  }

  /** Whether a payload could be held now, beside `more` bytes that are about to be. */
  hasRoom(bytes: number, more = 0): boolean {
    return this.#poolOf(bytes).hasRoom(bytes, more)
  }

  /** Bytes of the largest body that it makes sense to claim now. */
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
