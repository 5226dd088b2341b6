import { getOrCreate } from '../runtime/get-or-create.ts'
import { startTimer } from '../runtime/timer.ts'

/** The part of a `Bottleneck.Group` that Octokit's throttling plugin uses. */
interface PacingGroup {
  key(id: string): {
    /** @param options `weight`: 0 for a request that is sent again, and has waited for the rate limit already. */
    schedule<T>(
      options: { weight?: number },
      work: (...args: unknown[]) => T | Promise<T>,
      ...args: unknown[]
    ): Promise<T>
  }
}

/** The requests with one id. */
interface Line {
  /** When the next request would be due without a burst. */
  next: number
  readonly waiting: (() => void)[]
  /** They are sent when none of the others waits. */
  readonly waitingInBackground: (() => void)[]
}

/**
 * Spaces the requests with the same id: after `burst` requests at once, one each `interval` milliseconds. A pause of
 * `interval` allows one more at once. The plugin's own groups have no burst, so a handler that may take nine seconds
 * could not send four comments.
 */
export class Pacing implements PacingGroup {
  readonly #interval: number
  readonly #span: number
  /** By id. The id whose request was sent last is the last one. */
  readonly #lines = new Map<string, Line>()
  /** The same pacing, for requests that let all others go first. */
  readonly background: PacingGroup = { key: (id) => this.#key(id, 'waitingInBackground') }

  constructor(interval: number, burst: number) {
    this.#interval = interval
    this.#span = interval * (burst - 1)
  }

  key(id: string): ReturnType<PacingGroup['key']> {
    return this.#key(id, 'waiting')
  }

  #key(id: string, queue: 'waiting' | 'waitingInBackground'): ReturnType<PacingGroup['key']> {
    return {
      schedule: async ({ weight }, work, ...args) => {
        if (weight !== 0) await this.#turn(id, queue)
        return work(...args)
      },
    }
  }

  /** Waits until a request may be sent. */
  async #turn(id: string, queue: 'waiting' | 'waitingInBackground'): Promise<void> {
    const line = getOrCreate(this.#lines, id, () => ({ next: 0, waiting: [], waitingInBackground: [] }))
    const wait = this.#waitOf(line)
    const isFirst = count(line) === 0
    if (isFirst && wait <= 0) return this.#take(id, line)
    const { promise, resolve } = Promise.withResolvers<void>()
    line[queue].push(resolve)
    if (isFirst) startTimer(() => this.#sendNext(id, line), wait, true)
    await promise
  }

  /** The line has at least one request that waits. */
  #sendNext(id: string, line: Line): void {
    this.#take(id, line)
    const send = line.waiting.shift() ?? line.waitingInBackground.shift()
    send?.()
    if (count(line) > 0) startTimer(() => this.#sendNext(id, line), this.#waitOf(line), true)
  }

  /** Milliseconds until the next request may be sent. */
  #waitOf({ next }: Line): number {
    return next - this.#span - performance.now()
  }

  #take(id: string, line: Line): void {
    const now = performance.now()
    line.next = Math.max(line.next, now) + this.#interval
    this.#lines.delete(id)
    for (const [other, idle] of this.#lines) {
      if (idle.next > now || count(idle) > 0) break
      this.#lines.delete(other)
    }
    this.#lines.set(id, line)
  }
}

const count = ({ waiting, waitingInBackground }: Line): number => waiting.length + waitingInBackground.length

const noPause: PacingGroup = { key: () => ({ schedule: async (_options, work, ...args) => work(...args) }) }

const [write, notifications] = [new Pacing(1000, 10), new Pacing(3000, 10)]

/**
 * The plugin's options for the groups of requests that it spaces. All Octokits share these groups. The plugin's own group
 * `global` would run 10 requests of an id at a time, in the order of their calls: an `ApiBudget` limits them already.
 */
export const pacing: Readonly<Record<'on' | 'background' | 'off', Readonly<Record<string, PacingGroup>>>> = {
  on: { global: noPause, write, notifications },
  background: { global: noPause, write: write.background, notifications: notifications.background },
  off: { global: noPause, write: noPause, notifications: noPause, search: noPause },
}
