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

  constructor(limit: number) {
    this.#usual = new Lane(limit / 2)
    this.#large = new Lane(limit / 2)
  }

  /**
   * Waits for room for `size` bytes; a promise only where there is none at once.
   * @returns What gives the room back; calling it twice does no harm.
   * @throws {HookError} `overloaded` if there is no room before the request's time is over.
   */
  enter(size: number, deadline: Deadline): Leave | Promise<Leave> {
    return (size > largeBody ? this.#large : this.#usual).enter(size, deadline)
  }
}

export type Leave = () => void

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

  enter(size: number, deadline: Deadline): Leave | Promise<Leave> {
    if (this.#waiting.length === 0 && this.#fits(size)) return this.#take(size)
    const turn = Promise.withResolvers<Leave>()
    const waiting = { size, admit: turn.resolve }
    this.#waiting.push(waiting)
    return deadline.race(turn.promise, () => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      return new HookError('overloaded')
    })
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
