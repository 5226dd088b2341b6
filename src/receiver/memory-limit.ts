import { HookError } from '../errors.ts'
import type { Deadline } from '../runtime/deadline.ts'
import { MemoryPool, type Release } from '../runtime/memory-pool.ts'

/** Bodies larger than this wait in a line of their own, so that they never hold up the usual ones. */
const largeBody = 1024 * 1024

/**
 * Bounds the bytes of bodies that are held in memory, over all requests. A body is let in once there is room for
 * as much of it as may come; until then it stays with its sender, unread. Large bodies and usual ones each have
 * half of the room: eight pushes of 25 MB are taken one after the other, while pings pass beside them.
 */
export class Turnstile {
  readonly #usual: MemoryPool
  readonly #large: MemoryPool
  /** Bytes. */
  readonly limit: number

  constructor(limit: number) {
    this.limit = limit
    this.#usual = new MemoryPool(limit / 2)
    this.#large = new MemoryPool(limit / 2)
  }

  /** Bytes that the bodies within have room for. */
  get held(): number {
    return this.#usual.held + this.#large.held
  }

  /**
   * Waits for room for a body; a promise only where there is none at once.
   * @param size As announced. One that is not counts as a usual body until it proves to be larger, see `Pass.widen`.
   * @throws {HookError} `overloaded` if there is no room before the request's time is over.
   */
  enter(size: number | undefined, deadline: Deadline): Pass | Promise<Pass> {
    const pool = size !== undefined && size > largeBody ? this.#large : this.#usual
    const bytes = size ?? largeBody
    const pass = (release: Release) => new Pass(bytes, release, this.#large)
    const release = pool.takeAtOnce(bytes)
    if (release) return pass(release)
    const { room, giveUp } = pool.wait(bytes)
    const overloaded = () => {
      giveUp()
      return new HookError('overloaded')
    }
    return deadline.race(room, overloaded).then(pass)
  }
}

/** The room that one body has. */
export class Pass {
  #room: number
  #leave: Release
  readonly #large: MemoryPool

  constructor(room: number, leave: Release, large: MemoryPool) {
    this.#room = room
    this.#leave = leave
    this.#large = large
  }

  /**
   * Makes sure of room for `size` bytes, up to `limit`. A body that outgrows what it announced cannot be told to wait.
   * @throws {HookError} `overloaded` if there is no room at once.
   */
  widen(size: number, limit: number): void {
    if (size <= this.#room) return
    const leave = this.#large.takeAtOnce(limit)
    if (!leave) throw new HookError('overloaded')
    this.#leave()
    this.#leave = leave
    this.#room = limit
  }

  /** Gives the room back; again does no harm. */
  leave(): void {
    this.#leave()
  }
}
