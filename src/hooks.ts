import { Registry } from './dispatch/registry.ts'
import { Drain } from './drain.ts'
import { isKnownName } from './event-names.ts'
import type { AnyEventName } from './events.ts'
import type { Handler, HandlerOptions } from './handler.ts'
import type { Receiver } from './http.ts'
import { hooksBrand, type Mountable, type MountTraits } from './mount.ts'
import type { HooksOptions } from './options.ts'
import { fetchMeta } from './receive/meta.ts'
import { Ranges } from './receive/ranges.ts'
import { Turnstile } from './receive/turnstile.ts'
import { DeliveryReceiver } from './receiver.ts'
import { resolveOptions, type Settings } from './settings.ts'

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
  readonly #warnedOf = new Set<string>()

  /** @throws {TypeError} naming the option that does not fit; also where no secret is found and signatures are checked. */
  constructor(options: HooksOptions = {}) {
    Object.defineProperty(this, hooksBrand, { value: true })
    // The environment counts as it is now, and not as it will be when the first application mounts.
    this.#options = { ...options, secret: resolveOptions(options).secret }
    this.mount() // checks what only its use can check, where it was written
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
    this.#register([name], handler as unknown as Handler, true, options?.name ?? `hook:${name}`)
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
    this.#register(list, handler as Handler, false, options?.name ?? `on:${list.join(',')}`)
    return handler
  }

  /** Takes back one registration of `handler` for `name`, by `hook` or `on`. @returns Whether there was one. */
  off<const Name extends AnyEventName>(name: Name, handler: Handler<Name>): boolean {
    return this.#registry.remove(name, handler as Handler)
  }

  /**
   * Makes the receiving end for one application; adapters call this, users call adapters.
   * @param options Override the object's for this mount.
   * @throws {TypeError} naming the option that does not fit.
   */
  mount(options?: HooksOptions, traits?: MountTraits): Receiver {
    const settings = resolveOptions(this.#options, options)
    checkClientAddress(settings, traits)
    return new DeliveryReceiver(settings, {
      registry: this.#registry,
      drain: this.#drain,
      ranges: this.#rangesOf(settings),
      turnstile: this.#turnstileOf(settings),
    })
  }

  /**
   * Refuses new deliveries with 503 `shutting_down` and resolves once those that are under way are answered.
   * @param options `grace`: milliseconds until the `signal` of running handlers aborts. Default: 25000.
   */
  close({ grace = 25_000 }: { grace?: number } = {}): Promise<void> {
    return this.#drain.close(grace)
  }

  #register(names: readonly string[], handler: Handler, replies: boolean, handlerName: string): void {
    if (typeof handler !== 'function') throw new TypeError(`The handler of ${names.join(', ')} must be a function`)
    if (names.length === 0) throw new TypeError('A listener needs at least one name')
    for (const name of names) this.#registry.check(name)
    const registration = { name: handlerName, replies, handler }
    for (const name of names) {
      this.#registry.add(name, registration)
      this.#warnOfUnknown(name)
    }
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

  #rangesOf({ ranges, apiUrl, token, logger }: Settings): Ranges {
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

function checkRanges(given: readonly string[]): readonly string[] {
  if (!Array.isArray(given)) throw new TypeError(`The function "ranges" must give a list of CIDRs, got ${typeof given}`)
  return given
}
