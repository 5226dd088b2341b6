import type { Registry } from './dispatch/registry.ts'
import type { Octokits } from './github/octokits.ts'
import { checkNames, type HandlerOptions } from './handler.ts'
import { BackgroundWrites } from './inbox/background-writes.ts'
import { requireCapabilities } from './inbox/capabilities.ts'
import type { BasicStore } from './inbox/inbox.ts'
import type { WorkerProblem } from './inbox/processes.ts'
import { LazyWorker } from './inbox/worker/lazy-worker.ts'
import type { DrainResult } from './inbox/worker/worker.ts'
import { closeTimeout, type WorkerHost } from './inbox/worker/worker-host.ts'
import type { HandlerFailure, HooksOptions } from './options.ts'
import { decodePayload, toPayload } from './receiver/payload.ts'
import { type Check, checkOptions, must } from './runtime/check-options.ts'
import type { Drain } from './runtime/drain.ts'
import { getOrCreate } from './runtime/get-or-create.ts'
import { isNextBuild } from './runtime/platform.ts'
import { maxTimer, within } from './runtime/timer.ts'
import { type Duration, durationCheck, toMilliseconds } from './runtime/units.ts'
import { LazyScheduler } from './schedules/lazy-scheduler.ts'
import { eachHandlerName, type Schedule, scheduleEvent } from './schedules/schedule.ts'
import { scheduleHandlers } from './schedules/schedule-handlers.ts'
import { type ScheduledDelivery, storeScheduled } from './schedules/scheduled-delivery.ts'
import type { Settings } from './settings.ts'
import type { FullLogger } from './telemetry/logger.ts'

/** When `drain()` ends although tasks are due. */
export interface DrainOptions {
  /** The maximum time. Default: no limit. */
  budget?: Duration | undefined
  /** Ends the wait early. */
  signal?: AbortSignal | undefined
}

const drainChecks: Record<keyof DrainOptions, Check> = {
  budget: durationCheck({ max: maxTimer, plausible: 1 }), // often calculated from the time that is left
  signal: must((value) => typeof (value as AbortSignal).aborted === 'boolean', 'an AbortSignal'),
}

/** A running call of `drain()`. */
interface Draining {
  worker: LazyWorker
  result: Promise<DrainResult>
}

/** The parts of a `Hooks` that its workers share with its mounts. */
interface SharedParts {
  registry: Registry
  /** The running requests. */
  drain: Drain
  octokits: Octokits
}

/** The inboxes of a `Hooks`, and the workers that handle their deliveries: one for each inbox. */
export class InboxWorkers {
  readonly #shared: SharedParts
  readonly #workers = new Map<BasicStore, LazyWorker>()
  readonly #schedulers = new Map<BasicStore, LazyScheduler>()
  #isMountedWithoutInbox = false
  #isStopped = false
  readonly #draining = new Map<BasicStore, Draining>()
  /** The inboxes that this `Hooks` uses, each with its background writes. */
  readonly #inboxes = new Map<BasicStore, BackgroundWrites>()

  constructor(shared: SharedParts) {
    this.#shared = shared
  }

  /** Whether no worker may start any more. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  get hasInbox(): boolean {
    return this.#inboxes.size > 0
  }

  get problems(): readonly WorkerProblem[] {
    return [...this.#workers.values()].flatMap((worker) => worker.problems)
  }

  /** The background writes of an inbox. `close()` closes the inbox, unless another `Hooks` still uses it. */
  writesTo(inbox: BasicStore): BackgroundWrites {
    return getOrCreate(this.#inboxes, inbox, () => {
      users.set(inbox, (users.get(inbox) ?? new Set()).add(this))
      return new BackgroundWrites(inbox)
    })
  }

  /** Checks what `start()` would check before it has an inbox. @throws {TypeError} */
  check({ sources }: Settings): void {
    checkNames(this.#shared.registry.all())
    if (this.#schedules().length > 0) checkScheduleSources(sources)
  }

  /** Starts the worker of an inbox, unless it runs. @throws {TypeError} as `Hooks.work()`. */
  start(inbox: BasicStore, settings: Settings): void {
    if (this.#isStopped) throw closed('hooks.work()')
    this.#shared.registry.mountedSources.checkMounts(settings)
    if (this.#workers.has(inbox) || isNextBuild()) return
    // Two workers of one process would exceed the concurrency of a handler.
    if (this.#draining.has(inbox)) throw new TypeError('hooks.drain() still runs: wait for it, or set "work: false"')
    if (this.#schedules().length > 0) checkSchedules(inbox, settings)
    const worker = this.#createWorker(inbox, settings)
    this.#workers.set(inbox, worker)
    worker.start()
    const { registry, sampler } = this.writesTo(inbox)
    registry?.reportProblems(() => worker.problems)
    sampler?.start()
    const schedules = () => this.#schedules()
    const store = (delivery: ScheduledDelivery) => this.#storeScheduled(inbox, delivery)
    const check = () => checkSchedules(inbox, settings)
    const scheduler = new LazyScheduler({ inbox, schedules, store, check, logger: settings.logger })
    this.#schedulers.set(inbox, scheduler)
    scheduler.schedulesChanged()
  }

  /** @throws {TypeError} if two handlers have the same name, or if another `Hooks` handles the same deliveries. */
  #createWorker(inbox: BasicStore, settings: Settings): LazyWorker {
    checkNames(this.#shared.registry.all())
    takeSources(inbox, this, settings.sources)
    const writes = this.writesTo(inbox)
    writes.registry?.add('worker')
    return new LazyWorker(inbox, this.#hostFor(settings, writes))
  }

  /** Stores a delivery of a schedule, unless the inbox has it already. */
  async #storeScheduled(inbox: BasicStore, scheduled: ScheduledDelivery): Promise<void> {
    const { result, delivery } = await storeScheduled(inbox, scheduled)
    this.#inboxes.get(inbox)?.counters?.count('received', delivery.event, result.outcome)
    if (result.outcome !== 'duplicate') this.wake(inbox)
  }

  /** See `Hooks.drain()`. */
  async drain(inbox: BasicStore, settings: Settings, limits: DrainOptions): Promise<DrainResult> {
    checkOptions(limits, drainChecks, { prefix: 'hooks.drain()' })
    if (this.#isStopped) throw closed('hooks.drain()')
    const { budget, signal } = limits
    if (this.#workers.has(inbox)) {
      throw new TypeError('hooks.drain() needs the option "work: false", because this process already runs handlers')
    }
    const { result } = getOrCreate(this.#draining, inbox, () => {
      const worker = this.#createWorker(inbox, settings)
      const draining = worker.drain({ signal, budget: budget && toMilliseconds(budget) })
      const ended = () => {
        this.#draining.delete(inbox)
        returnSources(inbox, this)
      }
      return { worker, result: draining.finally(ended) }
    })
    return result
  }

  /** There may be unmatched deliveries. */
  wake(inbox: BasicStore): void {
    this.#workers.get(inbox)?.wake()
  }

  handlersChanged(): void {
    for (const worker of this.#workers.values()) worker.handlersChanged()
    for (const scheduler of this.#schedulers.values()) scheduler.schedulesChanged()
  }

  /** There is a mount without an inbox. @throws {TypeError} if there are schedules. */
  mountedWithoutInbox(): void {
    this.#isMountedWithoutInbox = true
    if (this.#schedules().length > 0) throw scheduleWithoutInbox()
  }

  /**
   * The handlers of a new schedule.
   * @param settings The current settings: the programs of hookserver may override the inbox after the call.
   * @throws {TypeError} if the schedule cannot be added.
   */
  scheduleHandlers(
    schedule: Schedule,
    options: HandlerOptions,
    settings: () => Settings,
  ): ReturnType<typeof scheduleHandlers> {
    this.#checkSchedule(schedule)
    return scheduleHandlers(schedule, options, {
      targets: (installation) => this.#shared.octokits.scheduleTargets(settings(), installation),
      store: (delivery) => this.#storeScheduled(settings().inbox as BasicStore, delivery),
    })
  }

  #checkSchedule({ name, each }: Schedule): void {
    if (this.#isMountedWithoutInbox) throw scheduleWithoutInbox()
    for (const scheduler of this.#schedulers.values()) scheduler.check()
    const names = each ? [name, eachHandlerName(name)] : [name]
    const taken = names.find((one) => this.#shared.registry.hasHandlerName(one))
    if (taken) throw new TypeError(`hooks.schedule('${name}'): another handler or schedule has the name "${taken}"`)
  }

  /** Stops the workers, and ends the calls of `drain()`. */
  async stop(grace: number): Promise<void> {
    this.#isStopped = true
    const draining = [...this.#draining.values()]
    const workers = [...this.#workers.values(), ...draining.map(({ worker }) => worker)]
    const schedulers = [...this.#schedulers.values()]
    await Promise.all([
      ...workers.map((worker) => worker.stop(grace)),
      ...schedulers.map((scheduler) => within(closeTimeout, scheduler.stop())),
    ])
    for (const inbox of this.#workers.keys()) returnSources(inbox, this)
    await Promise.allSettled(draining.map(({ result }) => result)) // they still query the inbox after their workers
  }

  async closeInboxes(logger: FullLogger): Promise<void> {
    await Promise.all([...this.#inboxes].map(([inbox, writes]) => this.#closeInbox(inbox, writes, logger)))
  }

  async #closeInbox(inbox: BasicStore, writes: BackgroundWrites, logger: FullLogger): Promise<void> {
    let closed = false
    const closing = async () => {
      await writes.close()
      users.get(inbox)?.delete(this)
      if (!users.get(inbox)?.size) await inbox.close()
      closed = true
    }
    await within(closeTimeout, closing())
    if (!closed) logger.warn({ ms: closeTimeout }, 'The inbox did not close in time; its deliveries are safe')
  }

  #schedules(): Schedule[] {
    return this.#shared.registry.all().flatMap(({ schedule }) => schedule ?? [])
  }

  #hostFor(settings: Settings, { counters }: BackgroundWrites): WorkerHost {
    const { registry, drain, octokits } = this.#shared
    const { logger, withoutHandlers, sources, payloadMemory, replays, onError, onDead, parsePayload } = settings
    const callback = (name: string, call: Settings['onError']) => (failure: HandlerFailure) => {
      const called = new Promise((resolve) => resolve(call?.(failure)))
      called.catch((err: unknown) => logger.error({ err, guid: failure.delivery.guid }, `${name} failed`))
    }
    return {
      registrations: () => registry.all(),
      match: (...given) => registry.match(...given),
      parse: (body, form) => toPayload(decodePayload(body, form, Number.POSITIVE_INFINITY), parsePayload),
      whenIdle: (timeout) => drain.whenIdle(timeout),
      attempted: (attempt) => counters?.attempted(attempt),
      logger,
      octokits: octokits.forDeliveries(settings),
      withoutHandlers,
      sources,
      payloadMemory,
      replays,
      onError: callback('onError', onError),
      onDead: callback('onDead', onDead),
    }
  }
}

const closed = (call: string): TypeError =>
  new TypeError(`${call} is not possible after hooks.close(): create another Hooks and another inbox`)

const scheduleWithoutInbox = (): TypeError =>
  new TypeError('hooks.schedule() needs the option "inbox", such as sqlite(\'hookserver.db\')')

/** @throws {TypeError} if the inbox or the option `sources` does not allow schedules. */
function checkSchedules(inbox: BasicStore, { sources }: Settings): void {
  requireCapabilities(inbox, ['KeyValues', 'NamedLeases'], 'hooks.schedule()')
  checkScheduleSources(sources)
}

/** @throws {TypeError} if the option `sources` does not allow schedules. */
function checkScheduleSources(sources: Settings['sources']): void {
  if (!sources || sources.includes(scheduleEvent)) return
  throw new TypeError(
    `hooks.schedule(): the option "sources" leaves out the deliveries of schedules: add '${scheduleEvent}' to it`,
  )
}

/** The open `Hooks` of this process that use an inbox. The last one that closes also closes the inbox. */
const users = new WeakMap<BasicStore, Set<InboxWorkers>>()

/** The `Hooks` of this process that run handlers for an inbox, with the sources of each. */
const working = new WeakMap<BasicStore, Map<InboxWorkers, HooksOptions['sources']>>()

/** @throws {TypeError} if another `Hooks` of this process handles the same deliveries of the inbox. */
function takeSources(inbox: BasicStore, workers: InboxWorkers, own: HooksOptions['sources']): void {
  const all = working.get(inbox) ?? new Map<InboxWorkers, HooksOptions['sources']>()
  for (const sources of all.values()) {
    if (own && sources && !own.some((source) => sources.includes(source))) continue
    throw new TypeError(
      'Two Hooks run handlers for one inbox, so each would handle deliveries of the other: ' +
        'give both the option "sources", such as [\'/hooks\'], or give one of them "work: false"',
    )
  }
  working.set(inbox, all.set(workers, own))
}

/** Lets another `Hooks` handle the deliveries. */
function returnSources(inbox: BasicStore, workers: InboxWorkers): void {
  working.get(inbox)?.delete(workers)
}
