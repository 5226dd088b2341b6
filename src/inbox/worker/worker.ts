import { ReceivedDelivery } from '../../delivery.ts'
import type { Registration } from '../../handler.ts'
import { startTimer, wait, within } from '../../runtime/timer.ts'
import type { ClaimedTask, Inbox, Match, StoredDelivery } from '../inbox.ts'
import type { WorkerProblem } from '../processes.ts'
import { Slots } from './concurrency.ts'
import { afterFailure, Execution } from './execution.ts'
import { toDeliveryHeaders } from './match-delivery.ts'
import { batchBytes, Matcher } from './matcher.ts'
import { PayloadMemory } from './payload-memory.ts'
import { TaskStarter } from './task-starter.ts'
import { type Clock, policiesOf, registrationsOf, type WorkerHost } from './worker-host.ts'

/** Deliveries matched at a time: while all handlers are busy, and at most. */
const [minMatched, maxMatched] = [10, 100]
/** Milliseconds for which receiving goes first, so that it cannot keep handlers from running for good. */
const idleTimeout = 100
/** Milliseconds for which a worker that is stopped waits for the store to answer. */
export const storeTimeout = 10_000
/** Milliseconds that handlers have to end once they have been told to, before what they do is given back. */
const abortGrace = 3000

/** Handles what an inbox holds: matches deliveries with handlers, and runs those that are due. */
export class Worker {
  readonly #inbox: Inbox
  readonly #host: WorkerHost
  readonly #clock: Clock
  readonly #slots = new Slots()
  readonly #memory: PayloadMemory
  readonly #matcher: Matcher
  readonly #starter: TaskStarter
  readonly #execution: Execution
  readonly #stopped = Promise.withResolvers<void>()
  #stopping = false
  #id: number | undefined
  /** As which this one has been enlisted, and may hold leases. */
  readonly #ids = new Set<number>()
  /** The handlers have changed since the inbox was told of them. */
  #outdated = false
  #loop: Promise<void> | undefined
  #awake = true
  #claimedAt = Number.NEGATIVE_INFINITY
  #mayBeDue = true
  #matchedAt = Number.NEGATIVE_INFINITY
  #mayBeUnmatched = true
  #wakeUp: (() => void) | undefined
  /** Whether it was reported that large payloads wait for memory. */
  #exhausted = false
  /** The failure of the inbox that was logged last, until a round succeeds. */
  #loggedFailure: string | undefined

  constructor(inbox: Inbox, host: WorkerHost, clock: Clock = Date) {
    this.#inbox = inbox
    this.#host = host
    this.#clock = clock
    this.#memory = new PayloadMemory(host.runningLimit)
    const bounds = { slots: this.#slots, memory: this.#memory }
    this.#matcher = new Matcher(inbox, host, bounds)
    this.#starter = new TaskStarter(inbox, host, clock, this.#slots)
    this.#execution = new Execution(inbox, host, clock, bounds, {
      changed: (mayBeDue) => this.#startRound(mayBeDue),
      mayBeginNext: (of) => this.#mayBeginNext(of),
      next: (of, task, chainStart) => {
        return this.#starter.next({ ...task, worker: of, chainStart }, (one, tasks) => this.#startNext(one, tasks))
      },
    })
  }

  /** Begins, once. */
  start(): void {
    if (!this.#stopping) this.#loop ??= this.#run()
  }

  /** What keeps it from running all that is due. */
  get problems(): WorkerProblem[] {
    const overdue = [...this.#execution.overdue].map(([handler, count]): WorkerProblem => {
      return { code: 'handler_overdue', handler, count }
    })
    return this.#memory.isExhausted ? [...overdue, { code: 'memory_exhausted' }] : overdue
  }

  /** Starts the next round now: there may be unmatched deliveries. */
  wake(): void {
    this.#mayBeUnmatched = true
    this.#startRound()
  }

  /** The handlers have changed. */
  handlersChanged(): void {
    this.#outdated = true
    this.wake()
  }

  #startRound(mayBeDue = false): void {
    this.#mayBeDue ||= mayBeDue
    this.#awake = true
    this.#wakeUp?.()
  }

  /**
   * Begins nothing more, waits for what runs, tells it to stop after `grace` ms, and gives back what does not. A store
   * that does not answer is not waited for: what is held there goes to others once the heartbeats have ended.
   */
  async stop(grace: number): Promise<void> {
    this.#stopping = true
    this.#stopped.resolve()
    this.wake()
    this.#execution.stopWaiting()
    await within(storeTimeout, Promise.resolve(this.#loop))
    this.#execution.stopWaiting() // tasks that the last round began
    await within(grace, this.#execution.idle())
    this.#execution.abort()
    await within(abortGrace, this.#execution.idle())
    await within(storeTimeout, Promise.all([...this.#ids].map((id) => this.#release(id))))
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#awake = false
      try {
        await this.#host.whenIdle(idleTimeout)
        const id = this.#stopping ? undefined : await this.#register()
        if (id === undefined || this.#stopping) return
        const worked = await this.#round(id)
        this.#loggedFailure = undefined
        if (!worked) await this.#sleep(this.#inbox.pollInterval)
      } catch (error) {
        this.#logFailure(error)
        this.#retire()
        await wait(afterFailure, this.#stopped.promise)
      }
    }
  }

  /** Is enlisted, with the handlers that there are now. @returns as which. */
  async #register(): Promise<number> {
    if (this.#id === undefined) {
      this.#outdated = false
      this.#id = await this.#inbox.registerWorker(policiesOf(this.#host), (work) => {
        if (work === 'unmatched') this.wake()
        else this.#startRound(true)
      })
      this.#ids.add(this.#id)
    }
    if (this.#outdated) {
      this.#outdated = false
      await this.#inbox.updateWorker(this.#id, policiesOf(this.#host))
    }
    return this.#id
  }

  /**
   * Nobody knows whether what failed was carried out, and tasks may have begun that we were not told of. So another
   * worker goes on, and this one gives back what it holds once what we do know of has ended.
   */
  #retire(): void {
    const id = this.#id
    if (id === undefined) return
    this.#id = undefined
    this.#mayBeDue = this.#mayBeUnmatched = true
    void this.#execution.idle().then(() => this.#release(id))
  }

  /** Gives back what is still held. Where the last word is not heard, the end of the heartbeats comes to the same, later. */
  async #release(id: number): Promise<void> {
    while (this.#ids.has(id)) {
      try {
        await this.#inbox.releaseWorker(id)
        this.#ids.delete(id)
      } catch (error) {
        this.#logFailure(error)
        if (this.#stopping) return
        await wait(afterFailure, this.#stopped.promise)
      }
    }
  }

  /** Begins what is due, then what is new and may begin at once. @returns whether there was anything. */
  async #round(worker: number): Promise<boolean> {
    const registrations = registrationsOf(this.#host)
    if (registrations.size === 0 && !this.#host.capture) return false // nobody has registered anything yet, and all would end ignored
    this.#warnOfMemory()
    const free = [...registrations.values()].map((registration) => this.#slots.free(registration))
    const wanted = Object.fromEntries([...registrations.keys()].map((name, index) => [name, free[index] as number]))
    const due = await this.#claim(worker, wanted)
    await this.#starter.start(this.#execution, worker, due)
    if (this.#stopping) return true
    const matched = await this.#matchNow(worker, registrations, free)
    return due.length + matched > 0
  }

  /** Matches deliveries if there may be unmatched ones; polls for those of other processes, as a store need not notify. */
  async #matchNow(
    worker: number,
    registrations: ReadonlyMap<string, Registration>,
    free: readonly number[],
  ): Promise<number> {
    const now = performance.now()
    if (!this.#mayBeUnmatched && now - this.#matchedAt < this.#inbox.pollInterval) return 0
    this.#matchedAt = now
    this.#mayBeUnmatched = false
    const ordered = [...registrations.values()].some(({ options }) => options.order !== undefined)
    // Of an ordered backlog, many deliveries have to be matched until each key has one that can run.
    const limit = ordered ? maxMatched : Math.min(Math.max(...free, minMatched), maxMatched)
    const matched = await this.#match(worker, limit, ordered)
    this.#mayBeUnmatched ||= matched > 0
    return matched
  }

  /**
   * Tasks that are due. Asking takes a commit, so it is left out while nothing speaks for it; but other processes and
   * operators make tasks due too, and not every store says so.
   */
  async #claim(worker: number, wanted: Readonly<Record<string, number>>): Promise<ClaimedTask[]> {
    const now = performance.now()
    if (!this.#mayBeDue && now - this.#claimedAt < this.#inbox.pollInterval) return []
    this.#claimedAt = now
    const due = await this.#inbox.claim(worker, wanted, batchBytes, this.#clock.now(), this.#memory.largestBody)
    const got = Map.groupBy(due, ({ handler }) => handler)
    // A handler that got all that it had room for may have more to do.
    this.#mayBeDue = Object.entries(wanted).some(([name, room]) => (got.get(name)?.length ?? 0) >= room)
    return due
  }

  /** Runs tasks that began in the place of others, unless the worker is retired or stops. */
  async #startNext(worker: number, tasks: readonly ClaimedTask[]): Promise<void> {
    try {
      if (this.#mayBeginNext(worker)) await this.#starter.start(this.#execution, worker, tasks)
      else await this.#starter.release(worker, tasks)
    } catch (error) {
      this.#logFailure(error)
      this.#retire() // which gives them back
    }
  }

  #mayBeginNext(worker: number): boolean {
    return !this.#stopping && worker === this.#id
  }

  /** Matches deliveries with handlers, and runs the tasks that may begin at once. @returns how many were matched. */
  async #match(worker: number, limit: number, ordered: boolean): Promise<number> {
    const offer = { limit, ordered, now: this.#clock.now() }
    const { matched, deliveries, mayBeDue } = await this.#matcher.match(worker, offer)
    this.#mayBeDue ||= mayBeDue
    for (const { match: plan, delivery, data, matches, claimed, cost } of deliveries) {
      if (plan.invalid !== undefined) this.#reportInvalid(plan, delivery)
      for (const task of claimed) {
        const registration = matches.find(({ name }) => name === task.handler) as Registration
        this.#execution.begin({
          ...task,
          worker,
          registration,
          stored: delivery,
          data,
          cost,
          chainStart: performance.now(),
        })
      }
    }
    return matched
  }

  /** Reports a delivery that no handler can see. */
  #reportInvalid({ id, invalid = '' }: Match, delivery: StoredDelivery): void {
    this.#host.logger.error({ guid: delivery.guid, event: delivery.event }, `Not handled: ${invalid}`)
    const received = new ReceivedDelivery(toDeliveryHeaders(delivery), {}, this.#host.logger, this.#host.octokits)
    this.#execution.died(id, received, new Error(invalid))
  }

  /** Logs, once each time it happens, that large payloads wait for memory. */
  #warnOfMemory(): void {
    const wasExhausted = this.#exhausted
    this.#exhausted = this.#memory.isExhausted
    if (!this.#exhausted || wasExhausted) return
    const said = 'Deliveries with large payloads wait: running handlers hold all the memory that "runningLimit" allows'
    this.#host.logger.warn({ held: this.#memory.held, limit: this.#host.runningLimit }, said)
  }

  #sleep(ms: number): Promise<void> {
    if (this.#awake) return Promise.resolve()
    return new Promise((resolve) => {
      const stop = startTimer(() => this.#wakeUp?.(), ms)
      this.#wakeUp = () => {
        this.#wakeUp = undefined
        stop()
        resolve()
      }
    })
  }

  /** Logs why the inbox failed: once, and not at every new try that fails for the same reason. */
  #logFailure(err: unknown): void {
    const reason = String(err)
    if (reason === this.#loggedFailure) return
    this.#loggedFailure = reason
    this.#host.logger.error({ err }, 'The inbox failed; no handler starts until it works again')
  }
}
