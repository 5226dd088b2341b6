/** Releases memory. A repeated call has no effect. */
export type Release = () => void

interface Waiting {
  bytes: number
  grant(release: Release): void
}

/**
 * Limits the bytes that several users hold together. A user who asks for more bytes than are free waits. The waiting
 * users get their bytes in the order of their calls.
 */
export class MemoryPool {
  readonly #limit: number
  readonly #waiting: Waiting[] = []
  #held = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The bytes that all users hold. */
  get held(): number {
    return this.#held
  }

  /** Whether a user would get `bytes` now. @param more Bytes to count as held, besides those that users hold. */
  hasRoom(bytes: number, more = 0): boolean {
    return this.#waiting.length === 0 && this.#fits(bytes, more)
  }

  /** Takes memory without waiting. @returns `undefined` if there is not enough memory, or if other users wait. */
  takeAtOnce(bytes: number): Release | undefined {
    return this.hasRoom(bytes) ? this.#take(bytes) : undefined
  }

  /**
   * Waits for memory. `room` resolves when the user gets the memory. After `giveUp`, the user neither waits nor holds the
   * memory, which it may have got before it noticed.
   */
  wait(bytes: number): { room: Promise<Release>; giveUp: () => void } {
    const { promise, resolve } = Promise.withResolvers<Release>()
    let granted: Release | undefined
    const grant = (release: Release) => resolve((granted = release))
    const waiting = { bytes, grant }
    this.#waiting.push(waiting)
    const giveUp = () => {
      const position = this.#waiting.indexOf(waiting)
      if (position >= 0) this.#waiting.splice(position, 1)
      granted?.()
      this.#grantNext() // the next user may need less
    }
    this.#grantNext()
    return { room: promise, giveUp }
  }

  /** If no other user holds memory, a user can get more than the limit. */
  #fits(bytes: number, more = 0): boolean {
    const held = this.#held + more
    return held === 0 || held + bytes <= this.#limit
  }

  #take(bytes: number): Release {
    this.#held += bytes
    let released = false
    return () => {
      if (released) return
      released = true
      this.#held -= bytes
      this.#grantNext()
    }
  }

  #grantNext(): void {
    for (let next = this.#waiting[0]; next && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift()
      next.grant(this.#take(next.bytes))
    }
  }
}
