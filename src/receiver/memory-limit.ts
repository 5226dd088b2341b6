import { type Linked, LinkedList } from '../runtime/linked-list.ts'
import { MemoryPool, type Release } from '../runtime/memory-pool.ts'

/** A body with more bytes counts as large. */
const largeBody = 1024 * 1024

/** Maximum bytes of a body that one call may read. Most deliveries are smaller. */
const maxAtOnce = 64 * 1024
/** The share of the limit that all bodies together may announce while one call reads each of them. */
const shareAtOnce = 1 / 16

/**
 * Limits the bytes of request bodies in memory. A body takes memory for the bytes that have arrived, not for those that
 * `Content-Length` announces: a sender that announces a body and sends nothing must not delay other senders. Large and
 * small bodies have half of the memory each, so that a large one never delays the small ones.
 */
export class MemoryLimit {
  readonly #small: BodyPool
  readonly #large: BodyPool
  /**
   * The announced bytes of the bodies that one call reads now. Until such a body has arrived completely, the runtime
   * holds its bytes, and `#small` does not count them. If the pool is used up, for example by senders that announce
   * bodies and send nothing, other bodies do not wait: they are read in chunks.
   */
  readonly #atOnce: MemoryPool
  /** Bytes. */
  readonly limit: number

  constructor(limit: number) {
    this.limit = limit
    this.#small = new BodyPool(limit / 2)
    this.#large = new BodyPool(limit / 2)
    this.#atOnce = new MemoryPool(limit * shareAtOnce)
  }

  /** Bytes that are reserved. */
  get held(): number {
    return this.#small.held + this.#large.held
  }

  /**
   * The reservation of one body, still without memory.
   * @param announced From `Content-Length`. A body without this header counts as small until it exceeds `largeBody`.
   */
  reserve(announced: number | undefined): Reservation {
    if (announced === undefined) return new UnannouncedReservation(this.#small, this.#large)
    return new PoolReservation(announced > largeBody ? this.#large : this.#small, announced)
  }

  /**
   * Permits one call to read a body.
   * @param announced From `Content-Length`. Without this header, the body could have any size.
   * @returns A function that releases the permit; `undefined` if the body must be read in chunks.
   */
  permitReadAtOnce(announced: number | undefined): Release | undefined {
    return announced !== undefined && announced <= maxAtOnce ? this.#atOnce.takeAtOnce(announced) : undefined
  }
}

/** The memory of one body. */
export interface Reservation {
  /**
   * Reserves memory for the `size` bytes that have arrived so far.
   * @returns A promise if nothing more of the body may be read until it resolves.
   */
  grow(size: number): Promise<void> | undefined
  /** Reports that the body has arrived completely. */
  complete(): void
  /** Releases the memory. A repeated call has no effect. */
  release(): void
}

/** The shares of a pool that its incomplete bodies may hold together. */
const shares = [1 / 4, 1 / 2, 1] as const
const [quarter, half, all] = shares

/**
 * Memory for bodies that share a limit. A body takes more and more memory while it arrives. `runtime/memory-pool.ts` is
 * for users that take all of their memory in one step.
 *
 * - Bodies that do not get memory immediately wait. Those with the same share get it in the order in which they began to
 *   arrive.
 * - Incomplete bodies share a quarter of the memory, because reading a few bodies at a time takes less memory than
 *   reading all at once. The first 64 KiB of a body may use half of the memory, and the last bytes of a body all of it.
 *   So senders that stop in the middle of large bodies do not delay other deliveries.
 * - As an exception, the largest incomplete body may exceed this quarter, and use all memory that is free. While no
 *   complete body holds memory, the largest incomplete body may even exceed the limit: otherwise bodies could wait for
 *   each other forever. So the memory in use is at most the limit plus one body.
 */
class BodyPool {
  readonly #limit: number
  /** Incomplete bodies that hold memory or wait for it, oldest first. */
  readonly #arriving = new LinkedList<PoolReservation>()
  /** The bodies that wait for memory, by their share. In each list, the oldest is first. */
  readonly #waiting = shares.map((share): { share: number; bodies: PoolReservation[] } => ({ share, bodies: [] }))
  #arrivals = 0
  /** Bytes of complete bodies. These bodies are released soon. */
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

  /** @returns Whether the body has got the memory that it wants. After `false`, the body waits. */
  take(reservation: PoolReservation): boolean {
    if ((this.#isNext(reservation) && this.#fits(reservation)) || this.#fitsAsLargest(reservation)) {
      this.held += reservation.wanted
      return true
    }
    const bodies = this.#waiting.find(({ share }) => share === reservation.share)?.bodies as PoolReservation[]
    const previous = bodies.findLastIndex(({ position }) => position < reservation.position)
    bodies.splice(previous + 1, 0, reservation)
    reservation.waitingIn = bodies
    return false
  }

  complete(reservation: PoolReservation): void {
    this.#arriving.remove(reservation)
    this.#complete += reservation.bytes
    this.#grantNext()
  }

  /** @param isComplete Whether `complete` has been called for it. */
  release(reservation: PoolReservation, isComplete: boolean): void {
    if (isComplete) this.#complete -= reservation.bytes
    else this.#arriving.remove(reservation)
    this.held -= reservation.bytes
    this.#stopWaiting(reservation)
    this.#grantNext()
  }

  /** Whether no older body waits for the same share or a larger one. */
  #isNext({ share, position }: PoolReservation): boolean {
    return this.#waiting.every(({ share: other, bodies }) => {
      const first = bodies[0]
      return !first || other < share || first.position >= position
    })
  }

  #fits({ wanted, share }: PoolReservation): boolean {
    const held = this.held + wanted
    return held <= this.#limit && held - this.#complete <= this.#limit * share
  }

  #fitsAsLargest(reservation: PoolReservation): boolean {
    const fits = this.held + reservation.wanted <= this.#limit
    return (fits || this.#complete === 0) && reservation === this.#largest()
  }

  /** The incomplete body that holds the most bytes. If several hold as many, the oldest of these. */
  #largest(): PoolReservation | undefined {
    let largest = this.#arriving.first
    for (let one = largest; one; one = one.next) if (one.bytes > (largest?.bytes ?? 0)) largest = one
    return largest
  }

  #grantNext(): void {
    for (let next = this.#nextToGrant(); next; next = this.#nextToGrant()) {
      this.#stopWaiting(next)
      this.held += next.wanted
      next.grant()
    }
  }

  #nextToGrant(): PoolReservation | undefined {
    for (const { bodies } of this.#waiting) {
      const first = bodies[0]
      if (first && this.#isNext(first) && this.#fits(first)) return first
    }
    const largest = this.#largest()
    return largest?.waitingIn && this.#fitsAsLargest(largest) ? largest : undefined
  }

  #stopWaiting(reservation: PoolReservation): void {
    const { waitingIn } = reservation
    reservation.waitingIn = undefined
    waitingIn?.splice(waitingIn.indexOf(reservation), 1)
  }
}

/** A reservation in one pool. */
class PoolReservation implements Reservation, Linked<PoolReservation> {
  previous: PoolReservation | undefined
  next: PoolReservation | undefined
  readonly #pool: BodyPool
  readonly #announced: number | undefined
  #state: 'new' | 'arriving' | 'complete' | 'released' = 'new'
  /** Bytes that it holds. */
  bytes = 0
  #waiting: PromiseWithResolvers<void> | undefined
  /** The additional bytes that `grow` last asked for. */
  wanted = 0
  /** How many bodies of the pool began to arrive earlier. */
  position = 0
  /** The list of the pool in which it waits. */
  waitingIn: PoolReservation[] | undefined

  constructor(pool: BodyPool, announced?: number) {
    this.#pool = pool
    this.#announced = announced
  }

  /** The share of the pool that incomplete bodies may hold together when this body has the bytes that it wants. */
  get share(): number {
    const size = this.bytes + this.wanted
    if (size === this.#announced) return all
    return size <= maxAtOnce ? half : quarter
  }

  grow(size: number): Promise<void> | undefined {
    if (size <= this.bytes || this.#state === 'released') return undefined
    if (this.#state === 'new') {
      this.#state = 'arriving'
      this.position = this.#pool.add(this)
    }
    this.wanted = size - this.bytes
    if (this.#waiting) return this.#waiting.promise // a chunk arrived before the reader stopped reading
    if (this.#pool.take(this)) {
      this.bytes = size
      return undefined
    }
    this.#waiting = Promise.withResolvers()
    return this.#waiting.promise
  }

  /** Called by the pool, which has added the bytes to its own count. */
  grant(): void {
    this.bytes += this.wanted
    this.#waiting?.resolve()
    this.#waiting = undefined
  }

  complete(): void {
    if (this.#state !== 'arriving') return
    this.#state = 'complete'
    this.#pool.complete(this)
  }

  release(): void {
    const state = this.#state
    this.#state = 'released'
    if (state === 'arriving' || state === 'complete') this.#pool.release(this, state === 'complete')
  }
}

/**
 * A reservation for a body of unknown size. It moves from the small pool to the large one if the body becomes large.
 */
class UnannouncedReservation implements Reservation {
  readonly #small: PoolReservation
  readonly #large: PoolReservation
  #current: PoolReservation

  constructor(small: BodyPool, large: BodyPool) {
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
