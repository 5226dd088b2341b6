import { type Linked, LinkedList } from '../runtime/linked-list.ts'

/** Bytes. */
const largeBody = 1024 * 1024

/**
 * Limits the bytes of request bodies in memory. A body takes memory for the bytes that have arrived, not for those that
 * `Content-Length` announces: a sender that announces a body and sends nothing must not delay other senders. Large and
 * small bodies have half of the memory each, so that a large one never delays the small ones.
 */
export class MemoryLimit {
  readonly #small: Pool
  readonly #large: Pool
  /** Bytes. */
  readonly limit: number

  constructor(limit: number) {
    this.limit = limit
    this.#small = new Pool(limit / 2)
    this.#large = new Pool(limit / 2)
  }

  /** Bytes that are reserved. */
  get held(): number {
    return this.#small.held + this.#large.held
  }

  /**
   * The reservation of one body, still without memory.
   * @param announced From `Content-Length`. A body without one counts as small until it proves larger.
   */
  reserve(announced: number | undefined): Reservation {
    if (announced === undefined) return new UnannouncedReservation(this.#small, this.#large)
    return new PoolReservation(announced > largeBody ? this.#large : this.#small)
  }
}

/** The memory of one body. */
export interface Reservation {
  /**
   * Reserves memory for the `size` bytes that have arrived so far.
   * @returns A promise if nothing more of the body may be read until it resolves.
   */
  grow(size: number): Promise<void> | undefined
  /** Says that the body has arrived completely. */
  complete(): void
  /** Releases the memory. A repeated call has no effect. */
  release(): void
}

/**
 * Memory for bodies that share a limit. Bodies that do not get memory at once wait, and get it in the order in which they
 * began to arrive. If incomplete bodies hold all the memory, they could wait for each other for ever. Then the oldest of
 * them may exceed the limit, so the memory in use is at most the limit and one body.
 */
class Pool {
  readonly #limit: number
  /** Incomplete bodies that hold memory or wait for it, oldest first. */
  readonly #arriving = new LinkedList<PoolReservation>()
  /** Oldest first. */
  readonly #waiting: PoolReservation[] = []
  #arrivals = 0
  #complete = 0
  held = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Adds a body that begins to arrive. @returns Its position in the order of arrival. */
  add(reservation: PoolReservation): number {
    this.#arriving.add(reservation)
    return this.#arrivals++
  }

  /** @returns Whether the body has got the memory. If not, it waits. */
  take(reservation: PoolReservation, bytes: number): boolean {
    const first = this.#waiting[0]
    if ((!first || reservation.position < first.position) && this.#has(bytes, reservation)) {
      this.held += bytes
      return true
    }
    const previous = this.#waiting.findLastIndex(({ position }) => position < reservation.position)
    this.#waiting.splice(previous + 1, 0, reservation)
    return false
  }

  complete(reservation: PoolReservation, bytes: number): void {
    this.#arriving.remove(reservation)
    this.#complete += bytes
    this.#grantNext()
  }

  /** @param isComplete Whether `complete` has been called for it. */
  release(reservation: PoolReservation, bytes: number, isComplete: boolean): void {
    if (isComplete) this.#complete -= bytes
    else this.#arriving.remove(reservation)
    this.held -= bytes
    const index = this.#waiting.indexOf(reservation)
    if (index >= 0) this.#waiting.splice(index, 1)
    this.#grantNext()
  }

  #has(bytes: number, reservation: PoolReservation): boolean {
    if (this.held + bytes <= this.#limit) return true
    return this.#complete === 0 && reservation === this.#arriving.first
  }

  #grantNext(): void {
    for (let next = this.#waiting[0]; next && this.#has(next.wanted, next); next = this.#waiting[0]) {
      this.#waiting.shift()
      this.held += next.wanted
      next.grant()
    }
  }
}

/** A reservation in one pool. */
class PoolReservation implements Reservation, Linked<PoolReservation> {
  previous: PoolReservation | undefined
  next: PoolReservation | undefined
  readonly #pool: Pool
  #state: 'new' | 'arriving' | 'complete' | 'released' = 'new'
  #bytes = 0
  #resume: (() => void) | undefined
  /** Bytes that it waits for. */
  wanted = 0
  /** In the order in which the bodies of the pool began to arrive. */
  position = 0

  constructor(pool: Pool) {
    this.#pool = pool
  }

  grow(size: number): Promise<void> | undefined {
    if (size <= this.#bytes || this.#state === 'released') return undefined
    if (this.#state === 'new') {
      this.#state = 'arriving'
      this.position = this.#pool.add(this)
    }
    this.wanted = size - this.#bytes
    if (this.#pool.take(this, this.wanted)) {
      this.#bytes = size
      return undefined
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#resume = resolve
    return promise
  }

  /** Called by the pool, which has added the bytes to its own count. */
  grant(): void {
    this.#bytes += this.wanted
    this.#resume?.()
  }

  complete(): void {
    if (this.#state !== 'arriving') return
    this.#state = 'complete'
    this.#pool.complete(this, this.#bytes)
  }

  release(): void {
    const state = this.#state
    this.#state = 'released'
    if (state === 'arriving' || state === 'complete') this.#pool.release(this, this.#bytes, state === 'complete')
  }
}

/** A reservation for a body of unknown size: moves from the small to the large bodies when it proves to be one. */
class UnannouncedReservation implements Reservation {
  readonly #small: PoolReservation
  readonly #large: PoolReservation
  #current: PoolReservation

  constructor(small: Pool, large: Pool) {
    this.#small = new PoolReservation(small)
    this.#large = new PoolReservation(large)
    this.#current = this.#small
  }

  grow(size: number): Promise<void> | undefined {
    if (size <= largeBody || this.#current === this.#large) return this.#current.grow(size)
    this.#current = this.#large
    const waiting = this.#large.grow(size)
    if (waiting) return waiting.then(() => this.#small.release())
    this.#small.release()
    return undefined
  }

  complete(): void {
    this.#current.complete()
  }

  release(): void {
    this.#small.release()
    this.#large.release()
  }
}
