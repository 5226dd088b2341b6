import { hooksBrand, type Mountable, type MountTraits } from './adapters/mount.ts'
import type { CheckedName, CheckedNames } from './checked-names.ts'
import type { CommandHandler, CommandOptions } from './commands/command-options.ts'
import { Commands } from './commands/commands.ts'
import type { DeliveryOctokit } from './delivery.ts'
import { type Middleware, MiddlewareChain } from './dispatch/middleware.ts'
import { Registrar } from './dispatch/registrar.ts'
import { Registry } from './dispatch/registry.ts'
import { type AnyEventName, splitName } from './events.ts'
import { type Installation, Octokits, type OctokitTarget } from './github/octokits.ts'
import {
  checkNames,
  type Handler,
  type HandlerFor,
  type HandlerOptions,
  type Hook,
  type HookFor,
  handlerOf,
  optionsThenHandler,
  type Registration,
} from './handler.ts'
import type { HookReply, Receiver } from './http.ts'
import { hasCapability } from './inbox/capabilities.ts'
import type { WorkerProblem } from './inbox/processes.ts'
import { operatorSource } from './inbox/records.ts'
import { UnknownNames } from './inbox/unknown-names.ts'
import type { DrainResult } from './inbox/worker/worker.ts'
import { type DrainOptions, InboxWorkers } from './inbox-workers.ts'
import { type HooksInternals, internals } from './internals.ts'
import type { HooksOptions, MountOptions } from './options.ts'
import { checkClientAddress } from './receiver/client-address.ts'
import { MemoryLimit } from './receiver/memory-limit.ts'
import { DeliveryReceiver } from './receiver/receiver.ts'
import { SharedRanges } from './receiver/shared-ranges.ts'
import { requestFor, type TrustedDelivery } from './receiver/trusted-delivery.ts'
import { withCallerStack } from './runtime/call-site.ts'
import { fail, isFunction, isListOf, isString } from './runtime/check-options.ts'
import { Drain } from './runtime/drain.ts'
import { getOrCreate } from './runtime/get-or-create.ts'
import { isObject } from './runtime/json.ts'
import { isNextBuild } from './runtime/platform.ts'
import { type Duration, durationCheck, toMilliseconds } from './runtime/units.ts'
import { eachHandlerName, type ScheduleEach, scheduleEvent } from './schedules/schedule.ts'
import {
  readSchedule,
  type ScheduleHandler,
  type ScheduleOptions,
  type ScheduleTime,
} from './schedules/schedule-options.ts'
import { checkMountOptions, checkSecret, logSecret, resolveOptions, type Settings, withOptions } from './settings.ts'

/**
 * Receives GitHub's webhooks: holds the handlers and the options, and serves any number of applications.
 *
 * ```ts
 * const hooks = new Hooks({ secret: process.env.GITHUB_WEBHOOKS_KEY })
 * hooks.hook('ping', () => 'pong')
 * ```
 */
export class Hooks implements Mountable {
  /** The given options. Those of the environment are included, so that its later changes do not affect mounts. */
  #options: HooksOptions
  #settings: Settings
  readonly #registry = new Registry([operatorSource, scheduleEvent])
  readonly #middleware = new MiddlewareChain()
  readonly #drain = new Drain()
  readonly #ranges = new SharedRanges()
  readonly #octokits = new Octokits()
  /** The memory limits, by `bodyMemory`. Mounts with the same `bodyMemory` share a memory limit. */
  readonly #memoryLimits = new Map<number, MemoryLimit>()
  readonly #workers: InboxWorkers
  readonly #unknownNames = new UnknownNames()
  readonly #registrar = new Registrar({
    registry: this.#registry,
    middleware: this.#middleware,
    hasInbox: () => Boolean(this.#options.inbox) || this.#workers.hasInbox,
    methods: [Hooks.prototype.hook, Hooks.prototype.on, Hooks.prototype.command, Hooks.prototype.schedule],
    registered: (names, at) => {
      for (const name of names) this.#unknownNames.add(name, at)
      this.#workers.handlersChanged()
    },
  })
  readonly #commands = new Commands(this.#registrar, this.#registry)
  /** The receiver of the deliveries that `receive()` gets. */
  #trustedReceiver: Receiver | undefined

  /** @throws {TypeError} naming the invalid option. */
  constructor(options: HooksOptions = {}) {
    Object.defineProperty(this, hooksBrand, { value: true })
    Object.defineProperty(this, internals, { get: () => this.#internals })
    this.#settings = withCallerStack([Hooks], () => resolveOptions(options))
    logSecret(options, this.#settings)
    const { secret, app, inbox } = this.#settings
    this.#options = { ...options, secret, app }
    this.#workers = new InboxWorkers({ registry: this.#registry, drain: this.#drain, octokits: this.#octokits })
    if (inbox) this.#workers.writesTo(inbox) // `close()` closes this inbox, even without a mount
  }

  /**
   * Registers the function whose return value is the reply. A name can have one such function.
   * @param name `event`, `event.action` or `*`. The most specific hook that returns a value sets the reply.
   * @returns The function. Without a function: a function that registers one.
   * @throws {Error} `<name> hook already registered`
   * @throws {TypeError} naming the invalid argument or option. With an inbox, also if another handler has the same
   *   handler name.
   */
  hook<const Name extends AnyEventName>(name: CheckedName<Name>, hook: HookFor<Name>): Hook<Name>
  hook<const Name extends AnyEventName>(
    name: CheckedName<Name>,
    options: HandlerOptions<Name>,
    hook: HookFor<Name>,
  ): Hook<Name>
  hook<const Name extends AnyEventName>(
    name: CheckedName<Name>,
    options?: HandlerOptions<Name>,
  ): (hook: HookFor<Name>) => Hook<Name>
  hook(name: string, ...given: unknown[]): unknown {
    if (Array.isArray(name)) {
      const list = JSON.stringify(name)
      throw new TypeError(`hooks.hook() takes one name: use hooks.on(${list}, …), or call hooks.hook() for each name`)
    }
    if (!isString(name)) fail('hooks.hook(): "name"', 'a string', name)
    // A function that is undefined by mistake must not count as the short form.
    if (given.length === 0 || (given.length === 1 && isObject(given[0]))) {
      return (later: Hook) => this.hook(name, { ...(given[0] as HandlerOptions) }, later)
    }
    const { options, handler } = optionsThenHandler(this.hook, `hooks.hook('${name}'`, given)
    if (this.#registry.hasHook(name, options?.source)) throw new Error(`${name} hook already registered`)
    this.#registrar.register([name], options, handler, (hook: Hook) => ({ replies: true, handler: handlerOf(hook) }))
    return handler
  }

  /**
   * Adds a listener. A name can have any number of listeners. Without an inbox, the handlers of a delivery run one
   * after the other: those of the most specific name first, and those of one name in the order of their registration. A
   * listener for several names runs once for a delivery, even if several of the names match.
   *
   * ```ts
   * hooks.on('push', { name: 'deploy', attempts: 5 }, ({ payload, log }) => log.info(`deploys ${payload.after}`))
   * ```
   * @returns The handler.
   * @throws {TypeError} naming the invalid argument or option. With an inbox, also if another handler has the same
   *   handler name.
   */
  on<const Name extends AnyEventName>(names: CheckedNames<Name>, handler: HandlerFor<Name>): Handler<Name>
  on<const Name extends AnyEventName>(
    names: CheckedNames<Name>,
    options: HandlerOptions<Name>,
    handler: HandlerFor<Name>,
  ): Handler<Name>
  on(names: string | readonly string[], ...given: unknown[]): unknown {
    const list: unknown = isString(names) ? [names] : names
    if (!isListOf(list, isString)) fail('hooks.on(): "names"', 'a string or a list of strings', names)
    const call = `hooks.on(${JSON.stringify(names).replaceAll('"', "'")}`
    const { options, handler } = optionsThenHandler(this.on, call, given)
    this.#registrar.register(list, options, handler, (handler: Handler) => ({ replies: false, handler }))
    return handler
  }

  /**
   * Calls a handler on a schedule. At each time, one of the processes that work makes a delivery of the event `schedule`
   * in the inbox. The handler has the name of the schedule, and runs and is retried like any other.
   *
   * ```ts
   * hooks.schedule('stale', '0 3 * * *', { each: 'repository' }, async ({ payload, octokit }) => …)
   * ```
   * @param time A cron text with five fields, or an interval such as `{ every: '10m' }`.
   * @returns The handler. `hooks.off('schedule.<name>', handler)` removes the schedule.
   * @throws {TypeError} naming the invalid argument or option. Also if the name is taken, or if there is no inbox.
   */
  schedule<const Name extends string>(
    name: Name,
    time: ScheduleTime,
    handler: ScheduleHandler<Name>,
  ): ScheduleHandler<Name>
  schedule<const Name extends string, const Each extends ScheduleEach | undefined = undefined>(
    name: Name,
    time: ScheduleTime,
    options: ScheduleOptions<Each>,
    handler: ScheduleHandler<Name, Each>,
  ): ScheduleHandler<Name, Each>
  schedule(name: string, time: ScheduleTime, ...given: unknown[]): unknown {
    const { options, handler } = optionsThenHandler(this.schedule, `hooks.schedule('${name}', …`, given)
    const { schedule, handlerOptions } = readSchedule(name, time, options)
    const handlers = this.#workers.scheduleHandlers(schedule, handlerOptions, () => this.#settings)
    for (const { event, options, toHandler } of handlers) this.#registrar.register([event], options, handler, toHandler)
    return handler
  }

  /**
   * Adds a comment command: a line of a comment on an issue or a pull request that begins with a slash. The handler runs
   * only if GitHub confirms the permission of the author. It has the name `command:/…`, and runs and is retried like any
   * other.
   *
   * ```ts
   * hooks.command('/deploy <environment> [version]', { teams: ['acme/ops'] }, async ({ args, reply }) => …)
   * ```
   * @param usage The name, and the arguments: `<name>`, `[name]`, `<name...>`, `[name...]`, `--flag`, `--flag=<value>`.
   * @returns The handler. `hooks.off('/deploy', handler)` removes the command.
   * @throws {TypeError} naming the invalid argument or option. Also if the command exists already.
   */
  command<const Usage extends string>(usage: Usage, handler: CommandHandler<Usage>): CommandHandler<Usage>
  command<const Usage extends string>(
    usage: Usage,
    options: CommandOptions,
    handler: CommandHandler<Usage>,
  ): CommandHandler<Usage>
  command(usage: string, ...given: unknown[]): unknown {
    const { options, handler } = optionsThenHandler(this.command, `hooks.command('${usage}'`, given)
    this.#commands.add(usage, options, handler)
    return handler
  }

  /** Removes one registration of a function for a name, a command or a schedule. @returns Whether there was one. */
  off(name: `${'/' | 'schedule.'}${string}`, handler: (delivery: never) => unknown): boolean
  off<const Name extends AnyEventName>(name: CheckedName<Name>, handler: HandlerFor<Name> | HookFor<Name>): boolean
  off(name: string, handler: unknown): boolean {
    if (!isString(name)) fail('hooks.off(): "name"', 'a string', name)
    const removed = name.startsWith('/') ? this.#commands.remove(name, handler) : this.#registry.remove(name, handler)
    if (splitName(name)[0] === scheduleEvent) this.#registry.remove(eachHandlerName(name), handler)
    if (removed) this.#workers.handlersChanged()
    return removed
  }

  /**
   * Adds a function around every handler, for example to measure or to skip it. The one that was added first is the
   * outermost. Without a call of `next`, the handler does not run.
   *
   * ```ts
   * hooks.use((delivery, next) => (delivery.sender?.endsWith('[bot]') ? undefined : next()))
   * ```
   * @throws {TypeError} if it is not a function.
   */
  use(middleware: Middleware): void {
    if (!isFunction(middleware)) fail('hooks.use(): "middleware"', 'a function', middleware)
    this.#middleware.add(middleware)
  }

  /**
   * Creates the receiver for one application. Adapters call this; users call adapters.
   * @param options Override the options of the `Hooks` for this mount.
   * @throws {TypeError} naming the invalid option. Also if signatures are checked and there is no secret. With an inbox,
   *   also if two handlers have the same name.
   */
  mount(options: MountOptions = {}, traits?: MountTraits): Receiver {
    checkMountOptions(options)
    const settings = resolveOptions(this.#options, traits?.overrides, options)
    checkSecret(settings)
    checkClientAddress(settings, traits)
    const receiver = this.#createReceiver(settings)
    this.#unknownNames.checkAt(settings)
    const { inbox, work } = settings
    if (!traits?.overrides) this.#registry.mountedSources.add(settings)
    if (!inbox || work) this.#commands.check(settings)
    if (!inbox) {
      if (traits?.overrides) return receiver // `inject` needs no inbox
      this.#registrar.mountedWithoutInbox(settings.logger)
      this.#workers.mountedWithoutInbox()
      return receiver
    }
    checkNames(this.#registry.all())
    if (isNextBuild()) return receiver
    if (traits?.receives !== false) this.#workers.writesTo(inbox).registry?.add('receiver')
    if (work && !this.#workers.isStopped) this.#workers.start(inbox, settings)
    return receiver
  }

  /**
   * Receives a delivery that did not arrive as an HTTP request, such as a message from SQS or an event from
   * EventBridge. With an inbox, the delivery is stored. Without an inbox, its handlers run before the reply. hookserver
   * verifies neither signature nor origin, so call this only with deliveries from a source that you trust.
   * @returns The reply, once the delivery is committed or its handlers have run.
   * @throws {TypeError} (rejects) naming the argument.
   * @throws {HookError} (rejects) if the delivery was neither stored nor handled. Let the queue deliver it again.
   */
  async receive(delivery: TrustedDelivery): Promise<HookReply> {
    const request = requestFor(delivery)
    this.#trustedReceiver ??= this.mount({ validateSignature: false, validateIp: false })
    return this.#trustedReceiver.receive(request)
  }

  /**
   * An Octokit for calls that belong to no delivery: those of a cron job, a script, or a handler that calls another
   * repository. With the option `app`, it authenticates as the installation of the target, otherwise with the option
   * `token`. Its requests wait for GitHub's rate limits, log to the option `logger`, and end at `close()`.
   * @param target `{ installation }`, `{ repository: 'owner/name' }`, `{ organization }` or `{ user }`.
   * @param options `priority`: `'background'` for requests that come last, as those of a schedule. Default: `'normal'`.
   * @throws {TypeError} (rejects) naming the wrong option or member of the target.
   * @throws {Error} (rejects) without credentials, without the package `octokit`, or if the App is not installed there.
   */
  octokit(target: OctokitTarget, options?: Pick<HandlerOptions, 'priority'>): Promise<DeliveryOctokit> {
    return this.#octokits.forTarget(this.#settings, target, options)
  }

  /** The installations of the option `app`, as GitHub describes them. Pages are fetched while you iterate. */
  installations(): AsyncIterable<Installation> {
    return this.#octokits.installations(this.#settings)
  }

  /** All registered handlers, without duplicates. */
  get registrations(): readonly Registration[] {
    return this.#registry.all()
  }

  /**
   * Why this process does not run all due tasks of its inboxes, for example because an inbox fails. Empty if it does, and
   * if it runs no handlers.
   */
  get problems(): readonly WorkerProblem[] {
    return this.#workers.problems
  }

  /**
   * Starts to run handlers for the deliveries in the inbox. The first mount does so too, unless `work` is `false`. So
   * only a process without a mount, or with `work: false`, needs this method. The timers of hookserver do not keep a
   * process alive, so a process without a mount needs something else that keeps it alive.
   * @throws {TypeError} for an argument, without an inbox, for two handlers of one name, while `drain()` runs, and after `close()`.
   */
  work(...given: []): void {
    if (given.length > 0) throw new TypeError('hooks.work() takes no arguments: pass options to new Hooks()')
    const settings = this.#settings
    if (!settings.inbox) throw new TypeError('hooks.work() needs the option "inbox", such as sqlite(\'hookserver.db\')')
    this.#unknownNames.checkAt(settings)
    this.#commands.check(settings)
    this.#workers.start(settings.inbox, settings)
  }

  /**
   * Runs handlers for the deliveries in the inbox until no task is due. For programs that a timer starts, such as a cron
   * job, a scheduled Lambda or an alarm: a process that keeps running uses `work()` instead. While a call runs, further
   * calls return its result.
   * @param limits When the call ends although tasks are due. It then starts no more attempts, and the `signal` of the
   *   running handlers aborts. An attempt that does not end within 3 s does not count, and its task stays due.
   * @returns When to call `drain` again: when the next task is due. Not in the future if tasks are due now.
   * @throws {TypeError} (rejects) naming the invalid limit. Also if there is no inbox, or if this process has started to
   *   run handlers, because a mount does not have the option `work: false`, if another `Hooks` of this process handles
   *   the same deliveries of the inbox, or after `close()`.
   * @throws {Error} (rejects) if the inbox fails. Its deliveries are safe.
   */
  async drain(limits: DrainOptions = {}): Promise<DrainResult> {
    const { inbox } = this.#settings
    if (!inbox) throw new TypeError('hooks.drain() needs the option "inbox", such as sqlite(\'hookserver.db\')')
    return this.#workers.drain(inbox, this.#settings, limits)
  }

  /**
   * Rejects new deliveries with 503 `shutting_down`, and waits for the running requests. Without an inbox, these
   * requests still run their handlers. With an inbox, `close` also starts no more attempts, waits for the running
   * attempts, and then closes the inbox, unless another `Hooks` still uses it. An attempt that does not end in time does
   * not count, and its delivery stays in the inbox. If the inbox does not respond, `close` waits at most 10 s for each of
   * these: the queries that the worker has started, the release of the worker's leases, and the close of the inbox.
   * @param options `grace`: the time that running handlers get to end before their `signal` aborts. Default: 25 s.
   * @throws {TypeError} (rejects) if `grace` is no duration.
   */
  async close({ grace: given = 25_000 }: { grace?: Duration | undefined } = {}): Promise<void> {
    if (given !== Number.POSITIVE_INFINITY) durationCheck({ min: 0 })(given, 'hooks.close(): option "grace"')
    const grace = toMilliseconds(given)
    await Promise.all([this.#drain.close(grace), this.#workers.stop(grace)])
    this.#octokits.close() // not earlier, because handlers use them
    await this.#workers.closeInboxes(this.#settings.logger)
  }

  /** As `close()`: `await using hooks = new Hooks()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The options, and a way to override them, for the programs of hookserver that run a `Hooks`. */
  get #internals(): HooksInternals {
    return {
      options: this.#options,
      match: (...given) => this.#registry.match(...given),
      sources: (given) => this.#octokits.sourcesFor(given ? resolveOptions(this.#options, given) : this.#settings),
      override: (options) => {
        this.#settings = resolveOptions(this.#options, options)
        this.#options = withOptions(this.#options, options)
      },
      check: (settings, { receives, works }) => {
        if (receives) checkClientAddress(settings, {})
        if (works) this.#commands.check(settings)
        this.#workers.check(settings)
      },
    }
  }

  #createReceiver(settings: Settings): DeliveryReceiver {
    const { inbox, bodyMemory } = settings
    return new DeliveryReceiver(settings, {
      registry: this.#registry,
      drain: this.#drain,
      ranges: this.#ranges.of(settings, inbox && hasCapability(inbox, 'KeyValues') ? inbox : undefined),
      memoryLimit: getOrCreate(this.#memoryLimits, bodyMemory, () => new MemoryLimit(bodyMemory)),
      octokits: this.#octokits.forDeliveries(settings),
      onStored: () => inbox && this.#workers.wake(inbox),
      writes: inbox && this.#workers.writesTo(inbox),
    })
  }
}
