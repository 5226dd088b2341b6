import type { NamedLeases } from '../inbox/inbox.ts'
import { startTimer } from '../runtime/timer.ts'

/** Milliseconds from the last renewal of a lease until the lease expires, and another process may acquire it. */
export const defaultLeaseTtl = 120_000

/**
 * The right to do work that only one process may do at a time: a recovery sweep, or the polling of one target. A timer
 * renews the lease, because the work may wait for GitHub for longer than the lease lasts. If the process dies, the
 * lease expires.
 *
 *     acquired --renewed every ttl / 6--> acquired
 *     acquired --another process acquired it after it expired--> lost
 *     acquired --release()--> released
 */
export class Lease {
  readonly #inbox: NamedLeases
  readonly #name: string
  readonly #ttl: number
  readonly #holder = crypto.randomUUID()
  #renewedAt = Number.NEGATIVE_INFINITY
  /** The renewal that is under way. There is at most one. */
  #renewal: Promise<boolean> | undefined
  #ended = false
  #stopTimer: () => void = () => {}

  private constructor(inbox: NamedLeases, name: string, ttl: number) {
    this.#inbox = inbox
    this.#name = name
    this.#ttl = ttl
  }

  /** @returns `undefined` if the lease is taken, by another process or by this one. */
  static async acquire(inbox: NamedLeases, name: string, ttl: number = defaultLeaseTtl): Promise<Lease | undefined> {
    const lease = new Lease(inbox, name, ttl)
    if (!(await lease.#renew())) return undefined
    lease.#scheduleRenewal()
    return lease
  }

  /**
   * Whether the lease is still held. Renews the lease first if the timer did not do so in time, for example because the
   * machine was suspended.
   * @throws {Error} if the inbox fails during that renewal.
   */
  async isHeld(): Promise<boolean> {
    if (this.#ended) return false
    const overdue = performance.now() - this.#renewedAt >= this.#ttl / 3
    return !overdue || this.#renew()
  }

  /**
   * Ends the lease, so that another process can acquire it now instead of when it expires. If the inbox fails, the lease
   * expires, and the result of the work stays.
   */
  async release(): Promise<void> {
    this.#stopTimer()
    if (this.#ended) return
    this.#ended = true
    // A store may commit calls in any order. If the renewal were committed last, it would acquire the lease again.
    await this.#renewal?.catch(() => undefined)
    await this.#inbox.lease(this.#name, this.#holder, 0).catch(() => undefined)
  }

  #renew(): Promise<boolean> {
    this.#renewal ??= this.#sendRenewal().finally(() => {
      this.#renewal = undefined
    })
    return this.#renewal
  }

  async #sendRenewal(): Promise<boolean> {
    const now = performance.now()
    const renewed = await this.#inbox.lease(this.#name, this.#holder, this.#ttl)
    if (renewed) this.#renewedAt = now
    else this.#ended = true
    return renewed
  }

  #scheduleRenewal(): void {
    const next = () => {
      if (!this.#ended) this.#scheduleRenewal()
    }
    // If the inbox fails, the timer tries again later. Once the renewal is overdue, `isHeld` also tries, and rejects if
    // the inbox still fails.
    this.#stopTimer = startTimer(() => void this.#renew().then(next, next), this.#ttl / 6)
  }
}
