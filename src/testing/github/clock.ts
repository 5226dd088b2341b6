/** The time at a local GitHub: the machine's, until a test moves it. Windows, limits and tokens go by it, timeouts do not. */
export class Clock {
  #ahead = 0

  /** In milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#ahead
  }

  /**
   * Lets `ms` milliseconds pass at once.
   * @throws {RangeError} if it is no number that time can go forward by: see `set`.
   */
  advance(ms: number): void {
    if (!(ms >= 0 && Number.isFinite(ms))) throw new RangeError(`A clock goes forward by milliseconds, got ${ms}`)
    this.#ahead += ms
  }

  /** Jumps to a time, in milliseconds since 1970, back too; it goes on from there. */
  set(time: number): void {
    this.#ahead = time - Date.now()
  }
}

/** As GitHub writes times, to the second: `2026-01-01T00:00:00Z`. */
export function timestamp(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`
}
