/** In milliseconds. Who is later than this does not make up for what was missed. */
const mostDebt = 100

/**
 * When each request is due, so that there are as many a second as asked for. Timers are late, and what they lost is
 * made up for, but never in a burst: two requests are at least half an interval apart. What the server lost by being
 * slow is not made up for: that would be a load that nobody asked for.
 */
export class Pace {
  readonly #interval: number
  #due: number
  #last = Number.NEGATIVE_INFINITY

  /** Both clocks, here and in `next()`, are in milliseconds. */
  constructor(perSecond: number, now: number) {
    this.#interval = 1000 / perSecond
    this.#due = now
  }

  /** Books the next turn. @returns when it is. */
  next(now: number): number {
    if (now - this.#due > mostDebt) this.#due = now
    const turn = Math.max(this.#due, now, this.#last + this.#interval / 2)
    this.#due += this.#interval
    this.#last = turn
    return turn
  }
}
