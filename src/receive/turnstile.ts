import type { Deadline } from '../deadline.ts'
import { HookError } from '../errors.ts'

/** Bodies larger than this wait in a line of their own, so that they never hold up the usual ones. */
const largeBody = 1024 * 1024

/**
 * Bounds the bytes of bodies that are held in memory, over all requests. A body is let in once there is room for
 * as much of it as may come; until then it stays with its sender, unread. Large bodies and usual ones each have
 * half of the room: eight pushes of 25 MB are taken one after the other, while pings pass beside them.
 */
export class Turnstile {
  readonly #usual: Lane
  readonly #large: Lane
  /** Bytes. */
  readonly limit: number

  constructor(limit: number) {
    this.limit = limit
    this.#usual = new Lane(limit / 2)
    this.#large = new Lane(limit / 2)
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
    const lane = size !== undefined && size > largeBody ? this.#large : this.#usual
    const entry = lane.enter(size ?? largeBody, deadline)
    const pass = (leave: Leave) => new Pass(size ?? largeBody, leave, this.#large)
    return typeof entry === 'function' ? pass(entry) : entry.then(pass)
  }
}

/** The room that one body has. */
export class Pass {
  #room: number
  #leave: Leave
  readonly #large: Lane

  constructor(room: number, leave: Leave, large: Lane) {
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
    const leave = this.#large.enterAtOnce(limit)
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

type Leave = () => void

interface Waiting {
  size: number
  admit: (leave: Leave) => void
}

class Lane {
  #held = 0
  readonly #room: number
  readonly #waiting: Waiting[] = []

  constructor(room: number) {
    this.#room = room
  }

  get held(): number {
    return this.#held
  }

  enter(size: number, deadline: Deadline): Leave | Promise<Leave> {
    const leave = this.enterAtOnce(size)
    if (leave) return leave
    const turn = Promise.withResolvers<Leave>()
    const waiting = { size, admit: turn.resolve }
    this.#waiting.push(waiting)
    return deadline.race(turn.promise, () => {
      const position = this.#waiting.indexOf(waiting)
      if (position >= 0) this.#waiting.splice(position, 1)
      this.#admitNext() // the next may be smaller
      return new HookError('overloaded')
    })
  }

  enterAtOnce(size: number): Leave | undefined {
    return this.#waiting.length === 0 && this.#fits(size) ? this.#take(size) : undefined
  }

  /** What exceeds all the room there is may pass alone. */
  #fits(size: number): boolean {
    return this.#held === 0 || this.#held + size <= this.#room
  }

  #take(size: number): Leave {
    this.#held += size
    let left = false
    return () => {
      if (left) return
      left = true
      this.#held -= size
      this.#admitNext()
    }
  }

  #admitNext(): void {
    for (let next = this.#waiting[0]; next && this.#fits(next.size); next = this.#waiting[0]) {
      this.#waiting.shift()
      next.admit(this.#take(next.size))
    }
  }
}
