import type { AvailableWork, HandlerPolicy } from '../inbox.ts'
import { defaultAttempts, defaultBackoff, defaultTimeout } from '../retry.ts'
import type { LeasedAttempt } from '../task-queue.ts'
import { reportGone } from './report-attempt.ts'
import type { RoundLoop } from './round-loop.ts'
import type { WorkerContext, WorkerHost } from './worker-host.ts'

/** The share of `leaseDuration` that a registration may take: the interval of the heartbeats. See `leaseDuration`. */
const registrationShare = 1 / 3

interface RegistrationEvents {
  onWork(work: AvailableWork): void
  onError(error: unknown): void
}

/**
 * The ids that the store has given to this worker. The store sends their heartbeats.
 *
 * - current: entered by `register()`; at most one id. Tasks are claimed with it. → retired by `retire()`; → released by
 *   `releaseAll()`.
 * - retired: the store failed. It may have carried out the failed call, so this id may hold leases that the worker does
 *   not know. `releaseUnknown()` releases them. Tasks that run, or that a round has claimed, are finished with this id.
 *   → released by `release()`.
 * - released: it holds no lease.
 *
 * If the worker cannot release an id before it stops, the id keeps its leases. They expire after the process has ended,
 * because its heartbeats then end, too.
 */
export class WorkerRegistration {
  readonly #context: WorkerContext
  readonly #loop: RoundLoop
  readonly #events: RegistrationEvents
  #current: number | undefined
  /** The current id and the retired ones. */
  readonly #unreleased = new Set<number>()
  readonly #retired: number[] = []
  #handlersChanged = false

  constructor(context: WorkerContext, loop: RoundLoop, events: RegistrationEvents) {
    this.#context = context
    this.#loop = loop
    this.#events = events
  }

  isCurrent(id: number): boolean {
    return id === this.#current
  }

  /** The next `register()` passes the handlers to the store. */
  handlersChanged(): void {
    this.#handlersChanged = true
  }

  /** Registers the worker if it has no current id, or else updates its handlers if they have changed. */
  async register(): Promise<number> {
    const { inbox, host } = this.#context
    if (this.#current === undefined) {
      this.#handlersChanged = false
      // The first call of an inbox also opens it, which may take long. So a late answer is not a failure at first.
      this.#current = (await this.#registerInTime()) ?? (await this.#registerInTime())
      if (this.#current === undefined)
        throw new Error(
          `The inbox took longer than ${inbox.leaseDuration * registrationShare} ms to register this worker`,
        )
    }
    if (this.#handlersChanged) {
      this.#handlersChanged = false
      await inbox.updateWorker(this.#current, policiesOf(host))
    }
    return this.#current
  }

  /**
   * The store sends heartbeats only once it has answered. After a late answer or a suspension, other processes may take
   * the worker for dead, so its id is retired.
   * @returns `undefined` if the answer was late, or the process was suspended.
   */
  async #registerInTime(): Promise<number | undefined> {
    const { inbox, host, suspensions } = this.#context
    const onWork = (work: AvailableWork) => this.#events.onWork(work)
    const call = suspensions.callTime()
    const id = await inbox.registerWorker(policiesOf(host), onWork, (tasks) => reportGone(host, tasks))
    this.#unreleased.add(id)
    if (!suspensions.isLate(call, registrationShare) && suspensions.count === call.suspensions) return id
    this.#retired.push(id)
    return undefined
  }

  /** Retires the current id, if there is one. */
  retire(): void {
    if (this.#current !== undefined) this.#retired.push(this.#current)
    this.#current = undefined
  }

  /** @returns the ids that were retired since the last call. */
  takeRetired(): number[] {
    return this.#retired.splice(0)
  }

  /** Releases the leases of a retired id, except those of the given attempts. @returns false if the call fails. */
  async releaseUnknown(id: number, known: readonly LeasedAttempt[]): Promise<boolean> {
    try {
      await this.#context.inbox.releaseLeases(id, known)
      return true
    } catch (error) {
      this.#events.onError(error)
      return false
    }
  }

  /** Releases the leases of an id. Repeats the call while it fails, until the worker stops. */
  async release(id: number): Promise<void> {
    while (this.#unreleased.has(id)) {
      try {
        await this.#context.inbox.releaseWorker(id)
        this.#unreleased.delete(id)
      } catch (error) {
        this.#events.onError(error)
        if (this.#loop.isStopped) return
        await this.#loop.pause()
      }
    }
  }

  async releaseAll(): Promise<void> {
    await Promise.all([...this.#unreleased].map((id) => this.release(id)))
  }
}

/** The policies of all handlers. The store uses them if this worker dies or its process is stuck. */
function policiesOf(host: WorkerHost): HandlerPolicy[] {
  return host.registrations().map(({ name, options }) => {
    const { backoff = defaultBackoff, timeout = defaultTimeout, attempts = defaultAttempts } = options
    return { name, backoff, timeout, attempts }
  })
}
