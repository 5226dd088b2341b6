import { hooksBrand, type Mountable, type MountTraits } from './adapters/mount.ts'
import type { Delivery } from './delivery.ts'
import { Registry } from './dispatch/registry.ts'
import type { AnyEventName } from './events.ts'
import { isKnownName } from './events.ts'
import { Octokits } from './github/octokits.ts'
import {
  checkHandlerOptions,
  checkNames,
  type Handler,
  type HandlerOptions,
  handlerOptions,
  type Registration,
} from './handler.ts'
import type { Receiver } from './http.ts'
import { BackgroundWrites } from './inbox/background-writes.ts'
import type { Inbox } from './inbox/inbox.ts'
import { storeTimeout, Worker } from './inbox/worker/worker.ts'
import type { WorkerHost } from './inbox/worker/worker-host.ts'
import type { HooksOptions } from './options.ts'
import { resolveOptions, type Settings } from './options.ts'
import { fetchMeta } from './receiver/github-meta.ts'
import { Ranges, type RangesMemory } from './receiver/github-ranges.ts'
import { Turnstile } from './receiver/memory-limit.ts'
import { parsePayload } from './receiver/payload.ts'
import { DeliveryReceiver } from './receiver/receiver.ts'
import { Drain } from './runtime/drain.ts'
import { startTimer, within } from './runtime/timer.ts'

/**
 * Receives GitHub's webhooks: holds the handlers and the options, and serves any number of applications.
 *
 * ```ts
 * const hooks = new Hooks({ secret: process.env.GITHUB_WEBHOOKS_KEY })
 * hooks.hook('ping', () => 'pong')
 * ```
 */
export class Hooks implements Mountable {
  readonly #options: HooksOptions
  readonly #registry = new Registry()
  readonly #drain = new Drain()
  /** One list of ranges a source, however many applications are mounted. */
  readonly #ranges = new Map<unknown, Ranges>()
  /** One turnstile, unless a mount asks for a limit of its own. */
  readonly #turnstiles = new Map<number, Turnstile>()
  /** One worker an inbox, however many applications are mounted. */
  readonly #workers = new Map<Inbox, Worker>()
  /** What is to be closed, and what is still to be written there. */
  readonly #inboxes = new Map<Inbox, BackgroundWrites>()
  readonly #octokits = new Octokits()
  readonly #warnedOf = new Set<string>()

  /** @throws {TypeError} naming the option that does not fit; also where no secret is found and signatures are checked. */
  constructor(options: HooksOptions = {}) {
    Object.defineProperty(this, hooksBrand, { value: true })
    // The environment counts as it is now, and not as it will be when the first application mounts.
    const { secret, app } = resolveOptions(options)
    this.#options = { ...options, secret, app }
    this.#receiver(resolveOptions(this.#options)) // checks what only its use can check, where it was written
  }

  /**
   * Registers the handler whose return value is the reply; one for each name.
   * @param name `event`, `event.action` or `*`; the most specific hook that returns something replies.
   * @returns The handler; without one, a function that takes it.
   * @throws {Error} `<name> hook already registered`
   */
  hook<const Name extends AnyEventName>(name: Name, handler: Handler<Name>, options?: HandlerOptions): Handler<Name>
  hook<const Name extends AnyEventName>(name: Name): (handler: Handler<Name>) => Handler<Name>
  hook<const Name extends AnyEventName>(name: Name, handler?: Handler<Name>, options?: HandlerOptions): unknown {
    // biome-ignore lint/complexity/noArguments: a handler that is undefined by mistake must not pass for the short form
    if (arguments.length === 1) return (later: Handler<Name>) => this.hook(name, later, options)
    if (this.#registry.hasHook(name)) throw new Error(`${name} hook already registered`)
    this.#register([name], handler as unknown as Handler, true, `hook:${name}`, options)
    return handler
  }

  /**
   * Adds a listener, any number for each name; it runs after what was registered for the name before it.
   * A listener for several names runs once for a delivery, however many of them match.
   * @returns The handler.
   */
  on<const Name extends AnyEventName>(
    names: Name | readonly Name[],
    handler: Handler<Name>,
    options?: HandlerOptions,
  ): Handler<Name> {
    const list: readonly Name[] = typeof names === 'string' ? [names] : names
    this.#register(list, handler as Handler, false, `on:${list.join(',')}`, options)
    return handler
  }

  /** Takes back one registration of `handler` for `name`, by `hook` or `on`. @returns Whether there was one. */
  off<const Name extends AnyEventName>(name: Name, handler: Handler<Name>): boolean {
    const removed = this.#registry.remove(name, handler as Handler)
    if (removed) this.#announce()
    return removed
  }

  /**
   * Makes the receiving end for one application; adapters call this, users call adapters.
   * @param options Override the object's for this mount.
   * @throws {TypeError} naming the option that does not fit.
   */
  mount(options?: HooksOptions, traits?: MountTraits): Receiver {
    const settings = resolveOptions(this.#options, options)
    checkClientAddress(settings, traits)
    const receiver = this.#receiver(settings)
    if (settings.inbox && traits?.receives !== false) this.#booksOf(settings.inbox).registry.add('receiver')
    if (settings.inbox) this.#use(settings.inbox, settings)
    return receiver
  }

  /** Who is registered, each once. */
  get registrations(): readonly Registration[] {
    return this.#registry.all()
  }

  /** What it was made with; what it was not told is `undefined`. */
  get options(): Readonly<HooksOptions> {
    return this.#options
  }

  /**
   * Begins to handle what the inbox holds; a mount does it by itself, unless `work` is `false`. For a process that
   * only handles, and has to be kept alive by something else: no timer of hookserver's does it.
   * @param options Override the object's.
   * @throws {TypeError} if there is no inbox, or a listener without a name of its own.
   */
  work(options?: HooksOptions): void {
    const settings = resolveOptions(this.#options, options)
    if (!settings.inbox) throw new TypeError('hooks.work() needs the option "inbox", such as sqlite(\'hookserver.db\')')
    this.#use(settings.inbox, { ...settings, work: true })
  }

  /**
   * Refuses new deliveries with 503 `shutting_down`, begins no handler of the inbox's, and resolves once what is under
   * way is answered and through, and the inbox is closed. What does not end goes back to the inbox and counts no attempt.
   * An inbox that does not answer is left after 10 s.
   * @param options `grace`: milliseconds until the `signal` of running handlers aborts. Default: 25000.
   */
  async close({ grace = 25_000 }: { grace?: number } = {}): Promise<void> {
    await Promise.all([this.#drain.close(grace), ...[...this.#workers.values()].map((worker) => worker.stop(grace))])
    await Promise.all([...this.#inboxes].map(([inbox, books]) => this.#closeInbox(inbox, books)))
  }

  async #closeInbox(inbox: Inbox, books: BackgroundWrites): Promise<void> {
    let closed = false
    const closing = async () => {
      await books.close()
      await inbox.close()
      closed = true
    }
    await within(storeTimeout, closing())
    const { logger } = resolveOptions(this.#options)
    if (!closed) logger.warn({ ms: storeTimeout }, 'The inbox did not close in time; what it holds is safe')
  }

  #receiver(settings: Settings): DeliveryReceiver {
    return new DeliveryReceiver(settings, {
      registry: this.#registry,
      drain: this.#drain,
      ranges: this.#rangesOf(settings),
      turnstile: this.#turnstileOf(settings),
      octokits: this.#octokits.sourceOf(settings),
      stored: () => settings.inbox && this.#workers.get(settings.inbox)?.wake(),
      books: settings.inbox && this.#booksOf(settings.inbox),
    })
  }

  #booksOf(inbox: Inbox): BackgroundWrites {
    const books = this.#inboxes.get(inbox) ?? new BackgroundWrites(inbox)
    this.#inboxes.set(inbox, books)
    return books
  }

  /** Has a worker at the inbox, once the turn is over in which the application registers its handlers. */
  #use(inbox: Inbox, settings: Settings): void {
    checkNames(this.#registry.all())
    if (!settings.work || this.#workers.has(inbox)) return
    const books = this.#booksOf(inbox)
    books.registry.add('worker')
    const worker = new Worker(inbox, this.#host(settings, books))
    this.#workers.set(inbox, worker)
    books.registry.reportProblems(() => worker.problems)
    startTimer(() => worker.start(), 0)
  }

  #host(settings: Settings, { counters: ledger }: BackgroundWrites): WorkerHost {
    const { logger, capture, runningLimit, onReplay, onError, onDead } = settings
    const tell = (name: string, told: ((error: unknown, delivery: Delivery) => unknown) | undefined) => {
      return (error: unknown, delivery: Delivery) => {
        const telling = new Promise((resolve) => resolve(told?.(error, delivery)))
        telling.catch((err: unknown) => logger.error({ err, guid: delivery.guid }, `${name} failed`))
      }
    }
    return {
      registrations: () => this.#registry.all(),
      match: (event, action) => this.#registry.match(event, action),
      parse: (body, form) => parsePayload(body, form, Number.POSITIVE_INFINITY),
      whenIdle: (patience) => this.#drain.quiet(patience),
      attempted: (handler, outcome) => ledger.count('attempts', handler, outcome),
      logger,
      octokits: this.#octokits.sourceOf(settings),
      capture,
      runningLimit,
      onReplay,
      onError: tell('onError', onError),
      onDead: tell('onDead', onDead),
    }
  }

  #register(
    names: readonly string[],
    handler: Handler,
    replies: boolean,
    defaultName: string,
    options: HandlerOptions = {},
  ): void {
    if (typeof handler !== 'function') throw new TypeError(`The handler of ${names.join(', ')} must be a function`)
    if (names.length === 0) throw new TypeError('A listener needs at least one name')
    for (const name of names) this.#registry.check(name)
    const own: HandlerOptions = { ...(handler as { [handlerOptions]?: HandlerOptions })[handlerOptions], ...options }
    checkHandlerOptions(own)
    const registration = { name: own.name ?? defaultName, events: [...names], replies, handler, options: own }
    if (this.#options.inbox || this.#inboxes.size > 0) checkNames([...this.#registry.all(), registration])
    for (const name of names) {
      this.#registry.add(name, registration)
      this.#warnOfUnknown(name)
    }
    this.#announce()
  }

  #announce(): void {
    for (const worker of this.#workers.values()) worker.handlersChanged()
  }

  #warnOfUnknown(name: string): void {
    if (isKnownName(name) || this.#warnedOf.has(name)) return
    this.#warnedOf.add(name)
    const { logger } = resolveOptions(this.#options)
    logger.warn({ name }, `GitHub's description has no event "${name}": a new one, or mistyped?`)
  }

  #turnstileOf({ inFlightLimit }: Settings): Turnstile {
    const turnstile = this.#turnstiles.get(inFlightLimit) ?? new Turnstile(inFlightLimit)
    this.#turnstiles.set(inFlightLimit, turnstile)
    return turnstile
  }

  #rangesOf({ ranges, apiUrl, token, inbox, logger }: Settings): Ranges {
    const key = typeof ranges === 'function' ? ranges : `${apiUrl} ${token ?? ''}`
    let shared = this.#ranges.get(key)
    if (!shared) {
      const source =
        typeof ranges === 'function'
          ? async () => ({ cidrs: checkRanges(await ranges()), etag: undefined, tokenRefused: false })
          : (etag: string | undefined) => fetchMeta({ apiUrl, token }, etag)
      shared = new Ranges(source, logger)
      this.#ranges.set(key, shared)
    }
    if (inbox && typeof ranges !== 'function') shared.keepIn(memoryIn(inbox, `ranges of ${apiUrl}`))
    return shared
  }
}

/** @throws {TypeError} if the adapter cannot find the address in the way that was asked for. */
function checkClientAddress({ validateIp, clientAddress }: Settings, traits: MountTraits | undefined): void {
  if (!traits || validateIp === false) return
  const { knowsAddress = true, clientAddresses = ['cloudflare'] } = traits
  if (!knowsAddress && validateIp === true && !clientAddress) {
    throw new TypeError(
      'This platform does not show the address of the client: give the option "clientAddress" ' +
        "('cloudflare', 'deno', 'bun' or a function), or set \"validateIp\" to 'warn' or false",
    )
  }
  if (typeof clientAddress === 'string' && !clientAddresses.includes(clientAddress)) {
    const known = clientAddresses.map((name) => `'${name}'`).join(', ')
    throw new TypeError(`Option "clientAddress" must be a function or one of ${known} here, got '${clientAddress}'`)
  }
}

function memoryIn(inbox: Inbox, name: string): RangesMemory {
  return { recall: () => inbox.getValue(name), remember: (text) => inbox.setValue(name, text) }
}

function checkRanges(given: readonly string[]): readonly string[] {
  if (!Array.isArray(given)) throw new TypeError(`The function "ranges" must give a list of CIDRs, got ${typeof given}`)
  return given
}
