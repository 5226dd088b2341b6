import { HookError } from '../errors.ts'
import type { Deadline } from '../runtime/deadline.ts'
import { MemoryPool, type Release } from '../runtime/memory-pool.ts'

/** Bytes. */
const largeBody = 1024 * 1024

/**
 * Limits the bytes of request bodies in memory. A request reserves memory for its whole body before it reads any of it.
 * Large and small bodies have half of the memory each, so that a large one never delays the small ones.
 */
export class MemoryLimit {
  readonly #small: MemoryPool
  readonly #large: MemoryPool
  /** Bytes. */
  readonly limit: number

  constructor(limit: number) {
    this.limit = limit
    this.#small = new MemoryPool(limit / 2)
    this.#large = new MemoryPool(limit / 2)
  }

  /** Bytes that are reserved. */
  get held(): number {
    return this.#small.held + this.#large.held
  }

  /**
   * Reserves memory for a body. Returns a promise only if it has to wait.
   * @param size From `Content-Length`. A body without one counts as small until it proves larger: see `Reservation.grow`.
   * @throws {HookError} `overloaded` if there is no memory before the deadline.
   */
  reserve(size: number | undefined, deadline: Deadline): Reservation | Promise<Reservation> {
    const pool = size !== undefined && size > largeBody ? this.#large : this.#small
    const bytes = size ?? largeBody
    const release = pool.takeAtOnce(bytes)
    if (release) return new Reservation(bytes, release, this.#large)
    const { room, giveUp } = pool.wait(bytes)
    const overloaded = () => {
      giveUp()
      return new HookError('overloaded')
    }
    return deadline.race(room, overloaded).then((later) => new Reservation(bytes, later, this.#large))
  }
}

/** The memory that is reserved for one body. */
export class Reservation {
  #size: number
  #release: Release
  readonly #large: MemoryPool

  constructor(size: number, release: Release, large: MemoryPool) {
    this.#size = size
    this.#release = release
    this.#large = large
  }

  /**
   * Ensures that `size` bytes are reserved. A body that exceeds its reservation is already arriving, so it cannot wait:
   * it moves to the pool of the large bodies, with `limit` bytes.
   * @throws {HookError} `overloaded` if that pool has no room at once.
   */
  grow(size: number, limit: number): void {
    if (size <= this.#size) return
    const release = this.#large.takeAtOnce(limit)
    if (!release) throw new HookError('overloaded')
    this.#release()
    this.#release = release
    this.#size = limit
  }

  /** Releases the memory. A repeated call has no effect. */
  release(): void {
    this.#release()
  }
}
