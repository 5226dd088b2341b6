import { ReceivedDelivery } from '../delivery.ts'
import type { Registration } from '../handler.ts'
import type { Json } from '../json.ts'
import { rest, startTimer, within } from '../timer.ts'
import { defaultTimeout } from './attempt.ts'
import { afterFailure, Execution } from './execution.ts'
import type { Clock, WorkerHost } from './host.ts'
import type { Begun, HandlerPolicy, Inbox, StoredDelivery } from './inbox.ts'
import { deliveryFacts, type Planned, planDelivery, readPayload } from './planning.ts'
import { defaultBackoff } from './retry.ts'
import { Slots } from './slots.ts'

/** Deliveries that are matched at a time although all handlers are busy, and at most. */
const [leastMatched, mostMatched] = [10, 100]
/** Bytes of bodies that are read at a time, and of those whose handlers run; one is always taken. */
const [mostBytes, mostRunning] = [32 * 1024 * 1024, 64 * 1024 * 1024]
/** Milliseconds for which receiving goes first, so that it cannot keep handlers from running for good. */
const patience = 100
/** Milliseconds for which a worker that is stopped waits for the store to answer. */
export const storePatience = 10_000
/** Milliseconds that handlers have to end once they have been told to, before what they do is given back. */
const lastChance = 3000

/** Handles what an inbox holds: matches deliveries with handlers, and runs those that are due. */
export class Worker {
  readonly #inbox: Inbox
  readonly #host: WorkerHost
  readonly #clock: Clock
  readonly #slots = new Slots()
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
  #ahead: Promise<StoredDelivery[]> | undefined
  #claimedAt = Number.NEGATIVE_INFINITY
  #mayBeDue = true
  #rouse: (() => void) | undefined

  constructor(inbox: Inbox, host: WorkerHost, clock: Clock = Date) {
    this.#inbox = inbox
    this.#host = host
    this.#clock = clock
    this.#execution = new Execution(inbox, host, clock, this.#slots, (mayBeDue) => this.#lookAgain(mayBeDue))
  }

  /** Begins, once. */
  start(): void {
    if (!this.#stopping) this.#loop ??= this.#run()
  }

  /** There may be something to do. */
  wake(): void {
    this.#awake = true
    this.#rouse?.()
  }

  #lookAgain(mayBeDue: boolean): void {
    this.#mayBeDue ||= mayBeDue
    this.wake()
  }

  /** The handlers have changed. */
  announce(): void {
    this.#outdated = true
    this.wake()
  }

  /**
   * Begins nothing more, waits for what runs, tells it to stop after `grace` ms, and gives back what does not. A store
   * that does not answer is not waited for: what is held there goes to others once the heartbeats have ended.
   */
  async stop(grace: number): Promise<void> {
    this.#stopping = true
    this.#stopped.resolve()
    this.wake()
    await within(storePatience, Promise.resolve(this.#loop))
    await within(grace, this.#execution.idle())
    this.#execution.abort()
    await within(lastChance, this.#execution.idle())
    await within(storePatience, Promise.all([...this.#ids].map((id) => this.#dismiss(id))))
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#awake = false
      try {
        await this.#host.quiet(patience)
        const id = this.#stopping ? undefined : await this.#enlist()
        if (id === undefined || this.#stopping) return
        if (!(await this.#round(id))) await this.#sleep(this.#inbox.pollInterval)
      } catch (error) {
        this.#complain(error)
        this.#retire()
        await rest(afterFailure, this.#stopped.promise)
      }
    }
  }

  /** Is enlisted, with the handlers that there are now. @returns as which. */
  async #enlist(): Promise<number> {
    if (this.#id === undefined) {
      this.#outdated = false
      this.#id = await this.#inbox.enlist(this.#policies(), () => this.#lookAgain(true))
      this.#ids.add(this.#id)
    }
    if (this.#outdated) {
      this.#outdated = false
      await this.#inbox.announce(this.#id, this.#policies())
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
    this.#id = this.#ahead = undefined
    void this.#execution.idle().then(() => this.#dismiss(id))
  }

  /** Gives back what is still held. Where the last word is not heard, the end of the heartbeats comes to the same, later. */
  async #dismiss(id: number): Promise<void> {
    while (this.#ids.has(id)) {
      try {
        await this.#inbox.dismiss(id)
        this.#ids.delete(id)
      } catch (error) {
        this.#complain(error)
        if (this.#stopping) return
        await rest(afterFailure, this.#stopped.promise)
      }
    }
  }

  /** Begins what is due, then what is new and may begin at once. @returns whether there was anything. */
  async #round(worker: number): Promise<boolean> {
    const registrations = new Map(this.#host.registrations().map((registration) => [registration.name, registration]))
    if (registrations.size === 0 && !this.#host.capture) return false // nobody has registered anything yet, and all would end ignored
    if (this.#execution.bytes > mostRunning) return false
    const free = [...registrations.values()].map((registration) => this.#slots.free(registration))
    const limit = Math.min(Math.max(...free, leastMatched), mostMatched)
    const wanted = Object.fromEntries([...registrations.keys()].map((name, index) => [name, free[index] as number]))
    const ahead = this.#ahead ?? this.#inbox.undispatched(limit, mostBytes)
    this.#ahead = undefined
    const [due, fresh] = await Promise.all([this.#claim(worker, wanted), ahead])
    await this.#begin(worker, due, registrations)
    if (this.#stopping) return true
    const last = fresh.at(-1)
    if (last && fresh.length >= limit) this.#readAhead(limit, last.id)
    await this.#match(worker, fresh)
    return due.length + fresh.length > 0
  }

  /** Has the next ones read while these are matched. */
  #readAhead(limit: number, after: number): void {
    this.#ahead = this.#inbox.undispatched(limit, mostBytes, after)
    this.#ahead.catch(() => undefined) // whoever takes them is told
  }

  /**
   * Tasks that are due. Asking takes a commit, so it is left out while nothing speaks for it; but other processes and
   * operators make tasks due too, and not every store says so.
   */
  async #claim(worker: number, wanted: Readonly<Record<string, number>>): Promise<Begun[]> {
    const now = performance.now()
    if (!this.#mayBeDue && now - this.#claimedAt < this.#inbox.pollInterval) return []
    this.#claimedAt = now
    const due = await this.#inbox.claim(worker, wanted, mostBytes, this.#clock.now())
    const got = Map.groupBy(due, ({ handler }) => handler)
    // A handler that got all that it had room for may have more to do.
    this.#mayBeDue = Object.entries(wanted).some(([name, room]) => (got.get(name)?.length ?? 0) >= room)
    return due
  }

  /** Runs tasks that have begun, and whose deliveries are still to be read. */
  async #begin(worker: number, due: readonly Begun[], registrations: ReadonlyMap<string, Registration>): Promise<void> {
    if (due.length === 0) return
    const loaded = await this.#load(worker, due)
    const deliveries = new Map(loaded.map((delivery) => [delivery.id, delivery]))
    for (const task of due) {
      const stored = deliveries.get(task.id)
      const registration = registrations.get(task.handler)
      if (!stored || !registration) continue // deleted by somebody's hand
      this.#slots.take(task.handler)
      this.#start(worker, task, registration, stored)
    }
  }

  async #load(worker: number, due: readonly Begun[]): Promise<StoredDelivery[]> {
    try {
      return await this.#inbox.load([...new Set(due.map(({ id }) => id))])
    } catch (error) {
      const released = { outcome: 'released', startedAt: this.#clock.now(), duration: 0 } as const
      await this.#inbox.finish(
        worker,
        due.map((task) => ({ ...task, ...released })),
      ) // so that they do not wait for what runs
      throw error
    }
  }

  /** Matches what is new with its handlers, and runs what may begin at once. */
  async #match(worker: number, fresh: readonly StoredDelivery[]): Promise<void> {
    if (fresh.length === 0) return
    const planned = fresh.map((delivery) => planDelivery(delivery, this.#host, this.#slots))
    const begun = await this.#dispatch(worker, planned)
    for (const { plan, delivery, data, matches } of planned) {
      if (plan.invalid !== undefined) {
        this.#host.logger.error({ guid: delivery.guid, event: delivery.event }, `Not handled: ${plan.invalid}`)
        const received = new ReceivedDelivery(deliveryFacts(delivery), {}, this.#host.logger, this.#host.octokits)
        this.#execution.died(plan.id, received, new Error(plan.invalid))
      }
      for (const registration of matches) {
        const task = begun.get(taskName(plan.id, registration.name))
        if (task) this.#start(worker, task, registration, delivery, data)
      }
    }
  }

  #start(worker: number, task: Begun, registration: Registration, delivery: StoredDelivery, payload?: Json): void {
    const { body, ...stored } = delivery
    try {
      const data = payload ?? readPayload(delivery, this.#host)
      this.#execution.begin({ ...task, worker, registration, stored, data, size: body.length })
    } catch (error) {
      const damaged = { ...registration, handler: () => Promise.reject(error) } // it was read when it was matched
      this.#execution.begin({ ...task, worker, registration: damaged, stored, data: {}, size: 0 })
    }
  }

  /** Gives back the slots of those that could not begin. */
  async #dispatch(worker: number, planned: readonly Planned[]): Promise<Map<string, Begun>> {
    const begun = new Map<string, Begun>()
    const plans = planned.map(({ plan }) => plan)
    try {
      const tasks = await this.#inbox.dispatch(worker, plans, this.#clock.now())
      for (const task of tasks) begun.set(taskName(task.id, task.handler), task)
      return begun
    } finally {
      for (const { id, tasks } of plans) {
        for (const { handler, begin } of tasks) {
          if (begun.has(taskName(id, handler))) continue
          this.#mayBeDue = true // as soon as there is room
          if (begin) this.#slots.give(handler)
        }
      }
    }
  }

  #policies(): HandlerPolicy[] {
    return this.#host.registrations().map(({ name, options }) => {
      return { name, backoff: options.backoff ?? defaultBackoff, timeout: options.timeout ?? defaultTimeout }
    })
  }

  #sleep(ms: number): Promise<void> {
    if (this.#awake) return Promise.resolve()
    return new Promise((resolve) => {
      const stop = startTimer(() => this.#rouse?.(), ms)
      this.#rouse = () => {
        this.#rouse = undefined
        stop()
        resolve()
      }
    })
  }

  #complain(err: unknown): void {
    const said = 'The inbox does not answer as it should; what it holds is safe, and it is asked again'
    this.#host.logger.error({ err }, said)
  }
}

const taskName = (id: number, handler: string): string => `${id} ${handler}`
