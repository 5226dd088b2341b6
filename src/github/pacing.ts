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

/**
 * Spaces the requests with the same id: after `burst` requests at once, one each `interval` milliseconds. A pause of
 * `interval` allows one more at once. The plugin's own groups have no burst, so a handler that may take nine seconds
 * could not send four comments.
 */
export class Pacing implements PacingGroup {
  readonly #interval: number
  readonly #span: number
  /** When the next request would be due without a burst, by id. The id that was used last is the last one. */
  readonly #next = new Map<string, number>()

  constructor(interval: number, burst: number) {
    this.#interval = interval
    this.#span = interval * (burst - 1)
  }

  key(id: string): ReturnType<PacingGroup['key']> {
    return {
      schedule: async ({ weight }, work, ...args) => {
        const wait = weight === 0 ? 0 : this.#reserve(id)
        if (wait > 0) await new Promise<void>((resolve) => startTimer(resolve, wait, true))
        return work(...args)
      },
    }
  }

  /** Takes the next turn of the id. @returns Milliseconds until then. */
  #reserve(id: string): number {
    const now = performance.now()
    for (const [other, next] of this.#next) {
      if (next > now) break
      this.#next.delete(other)
    }
    const turn = Math.max(this.#next.get(id) ?? 0, now)
    this.#next.delete(id)
    this.#next.set(id, turn + this.#interval)
    return Math.max(0, turn - this.#span - now)
  }
}

const noPause: PacingGroup = { key: () => ({ schedule: async (_options, work, ...args) => work(...args) }) }

/** The plugin's options for the groups of requests that it spaces. All Octokits share these groups. */
export const pacing: Readonly<Record<'on' | 'off', Readonly<Record<string, PacingGroup>>>> = {
  on: { write: new Pacing(1000, 10), notifications: new Pacing(3000, 10) },
  off: { write: noPause, notifications: noPause, search: noPause },
}
