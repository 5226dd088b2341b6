/**
 * The clock of a local GitHub, for its deliveries, rate limits and tokens. It shows the machine's time. After `advance`
 * or `set`, it shows the machine's time with a constant difference.
 */
export class Clock {
  #ahead = 0

  /** In milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#ahead
  }

  /**
   * Advances the clock by `ms` milliseconds, without waiting for them.
   * @throws {RangeError} for a negative or infinite number. `set` can go back.
   */
  advance(ms: number): void {
    if (!(ms >= 0 && Number.isFinite(ms)))
      throw new RangeError(`clock.advance() needs a finite number of milliseconds, at least 0, got ${ms}`)
    this.#ahead += ms
  }

  /** Jumps to a time, in milliseconds since 1970, possibly in the past; the clock continues from there. */
  set(time: number): void {
    this.#ahead = time - Date.now()
  }
}

/**
 * A time in the format of GitHub's delivery log, with milliseconds: `2026-01-01T00:00:00.000Z`. The log of an Enterprise
 * Server is assumed to have milliseconds, too.
 * @param time In milliseconds since 1970.
 */
export function preciseTimestamp(time: number): string {
  return new Date(time).toISOString()
}

/** A time in GitHub's format, to the second: `2026-01-01T00:00:00Z`. @param time In milliseconds since 1970. */
export function timestamp(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`
}
