import { ReceivedDelivery } from '../delivery.ts'
import { startTimer } from '../timer.ts'
import { afterFailure, Execution } from './execution.ts'
import type { Clock, WorkerHost } from './host.ts'
import type { Begun, HandlerPolicy, Inbox } from './inbox.ts'
import { within } from './patience.ts'
import { deliveryFacts, type Planned, planDelivery } from './planning.ts'
import { defaultBackoff } from './retry.ts'
import { Slots } from './slots.ts'

/** Deliveries that are matched at a time although all handlers are busy, and at most. */
const [leastMatched, mostMatched] = [10, 100]
/** Bytes of bodies that are read at a time. */
const mostBytes = 32 * 1024 * 1024
/** Milliseconds for which receiving goes first, so that it cannot keep handlers from running for good. */
const patience = 100
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
  #loop: Promise<void> | undefined
  #awake = true
  #rouse: (() => void) | undefined

  constructor(inbox: Inbox, host: WorkerHost, clock: Clock = Date) {
    this.#inbox = inbox
    this.#host = host
    this.#clock = clock
    this.#execution = new Execution(inbox, host, clock, this.#slots, () => this.wake())
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

  /** The handlers have changed. */
  announce(): void {
    if (this.#id === undefined) return
    this.#inbox.announce(this.#id, this.#policies()).catch((error: unknown) => this.#complain(error))
    this.wake()
  }

  /** Begins nothing more, waits for what runs, tells it to stop after `grace` ms, and gives back what does not. */
  async stop(grace: number): Promise<void> {
    this.#stopping = true
    this.#stopped.resolve()
    this.wake()
    await this.#loop
    await within(grace, this.#execution.idle())
    this.#execution.abort()
    await within(lastChance, this.#execution.idle())
    if (this.#id === undefined) return
    await this.#inbox.dismiss(this.#id).catch((error: unknown) => this.#complain(error))
    this.#id = undefined
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#awake = false
      try {
        await this.#host.quiet(patience)
        this.#id ??= await this.#inbox.enlist(this.#policies())
        const begun = await this.#claim(this.#id)
        const matched = this.#stopping ? 0 : await this.#match(this.#id)
        if (begun + matched === 0) await this.#sleep(this.#inbox.pollInterval)
      } catch (error) {
        this.#complain(error)
        this.#retire()
        await within(afterFailure, this.#stopped.promise)
      }
    }
  }

  /**
   * Nobody knows whether what failed was carried out, and tasks may have begun that we were not told of. So another
   * worker goes on, and this one gives back what it holds once what we do know of has ended.
   */
  #retire(): void {
    const id = this.#id
    if (id === undefined) return
    this.#id = undefined
    const retired = this.#execution.idle().then(() => this.#inbox.dismiss(id))
    retired.catch((error: unknown) => this.#complain(error)) // it beats no more, which comes to the same, later
  }

  /** Begins what is due, before anything that is new. @returns how many. */
  async #claim(worker: number): Promise<number> {
    const registrations = new Map(this.#host.registrations().map((registration) => [registration.name, registration]))
    const wanted: Record<string, number> = {}
    for (const [name, registration] of registrations) {
      const free = this.#slots.free(registration)
      if (free > 0) wanted[name] = free
    }
    const tasks = await this.#inbox.claim(worker, wanted, mostBytes, this.#clock.now())
    if (tasks.length === 0) return 0
    const loaded = await this.#inbox.load([...new Set(tasks.map(({ id }) => id))])
    const deliveries = new Map(loaded.map((delivery) => [delivery.id, delivery]))
    for (const task of tasks) {
      const stored = deliveries.get(task.id)
      const registration = registrations.get(task.handler)
      if (!stored || !registration) continue // deleted by somebody's hand
      this.#slots.take(task.handler)
      this.#execution.begin({ ...task, worker, registration, stored })
    }
    return tasks.length
  }

  /** Matches what is new with its handlers, and begins what may begin at once. @returns how many deliveries. */
  async #match(worker: number): Promise<number> {
    const free = Math.max(0, ...this.#host.registrations().map((registration) => this.#slots.free(registration)))
    const limit = Math.min(Math.max(free, leastMatched), mostMatched)
    const deliveries = await this.#inbox.undispatched(limit, mostBytes)
    if (deliveries.length === 0) return 0
    const planned = deliveries.map((delivery) => planDelivery(delivery, this.#host, this.#slots))
    const begun = await this.#dispatch(worker, planned)
    for (const { plan, delivery, data, matches } of planned) {
      if (plan.invalid !== undefined) {
        this.#host.logger.error({ guid: delivery.guid, event: delivery.event }, `Not handled: ${plan.invalid}`)
        const received = new ReceivedDelivery(deliveryFacts(delivery), {}, this.#host.logger)
        this.#execution.died(plan.id, received, new Error(plan.invalid))
      }
      for (const registration of matches) {
        const task = begun.get(taskName(plan.id, registration.name))
        if (task) this.#execution.begin({ ...task, worker, registration, stored: delivery, data })
      }
    }
    return deliveries.length
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
        for (const { handler, begin } of tasks)
          if (begin && !begun.has(taskName(id, handler))) this.#slots.give(handler)
      }
    }
  }

  #policies(): HandlerPolicy[] {
    return this.#host.registrations().map(({ name, options }) => ({ name, backoff: options.backoff ?? defaultBackoff }))
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
