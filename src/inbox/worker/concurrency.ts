/**
 * Limits how many tasks a worker runs at a time: slots for each handler, and memory for the payloads of all handlers.
 */
import type { Registration } from '../../handler.ts'
import { MemoryPool, type Release } from '../../runtime/memory-pool.ts'

/** Maximum attempts of a handler that run at a time in one process, if it has no `concurrency`. */
export const defaultConcurrency = 25

/** The right to run one task of a handler. It has one owner at a time, from the claim of the task to its end. */
export interface Slot {
  /** Has no effect if the slot has been released before. */
  release(): void
}

/** Slots of one handler that a claim has taken, and that no task owns yet. */
export interface FreeSlots {
  readonly length: number
  /** @returns a slot, if one is left. */
  pop(): Slot | undefined
  /** Releases the slots that are left. */
  release(): void
}

/** Gives out the slots of handlers. */
export class Slots {
  readonly #taken = new Map<string, number>()

  /** The number of slots that are taken, of all handlers. */
  get taken(): number {
    return [...this.#taken.values()].reduce((sum, count) => sum + count, 0)
  }

  /** The number of free slots of a handler. It is negative if `concurrency` was lowered while its tasks run. */
  free({ name, options }: Registration): number {
    return (options.concurrency ?? defaultConcurrency) - (this.#taken.get(name) ?? 0)
  }

  /** @returns a slot, if one is free. */
  take(registration: Registration): Slot | undefined {
    if (this.free(registration) < 1) return undefined
    this.#add(registration.name, 1)
    return this.#slot(registration.name)
  }

  /** Takes all free slots of a handler. */
  takeAll(registration: Registration): FreeSlots {
    const { name } = registration
    let left = Math.max(0, this.free(registration))
    this.#add(name, left)
    return {
      get length() {
        return left
      },
      pop: () => {
        if (left < 1) return undefined
        left--
        return this.#slot(name)
      },
      release: () => {
        this.#add(name, -left)
        left = 0
      },
    }
  }

  #slot(handler: string): Slot {
    let isReleased = false
    return {
      release: () => {
        if (!isReleased) this.#add(handler, -1)
        isReleased = true
      },
    }
  }

  #add(handler: string, change: number): void {
    this.#taken.set(handler, (this.#taken.get(handler) ?? 0) + change)
  }
}

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
