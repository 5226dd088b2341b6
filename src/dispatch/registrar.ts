import { isKnownName } from '../events.ts'
import {
  type HandlerOptions,
  handlerOptions,
  inboxOptionsOf,
  inboxOptionsWarning,
  nameTaken,
  type RegisteredHandler,
  type Registration,
  resolveHandlerOptions,
} from '../handler.ts'
import { callSite, withCallerStack } from '../runtime/call-site.ts'
import { fail, isFunction } from '../runtime/check-options.ts'
import { isObject } from '../runtime/json.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { MiddlewareChain } from './middleware.ts'
import { onlyForPaths } from './paths.ts'
import type { Registry } from './registry.ts'

interface RegistrarParts {
  registry: Registry
  middleware: MiddlewareChain
  /** Whether there is an inbox, so that handler names must be unique. */
  hasInbox(): boolean
  /** The methods that applications register handlers with. */
  methods: Parameters<typeof callSite>[0]
  /** Is called after each registration. */
  registered(names: readonly string[], at: string | undefined): void
}

/** Checks the arguments of `hook`, `on` and the other methods of a `Hooks` that register a handler, and registers it. */
export class Registrar {
  readonly #parts: RegistrarParts
  /** The names of the handlers that a warning about options without effect has named. */
  readonly #warned = new Set<string>()
  /** The logger of the first mount without an inbox. */
  #logger: Logger | undefined

  constructor(parts: RegistrarParts) {
    this.#parts = parts
  }

  /**
   * Registers a handler.
   * @param names `event`, `event.action` or `*`.
   * @param given The function of the application.
   * @throws {TypeError} naming the invalid argument or option.
   */
  register<Given>(
    names: readonly string[],
    options: HandlerOptions | undefined,
    given: unknown,
    toHandler: (given: Given) => RegisteredHandler,
  ): void {
    withCallerStack(this.#parts.methods, () => {
      this.#check(names, options, given)
      this.#add(this.#registrationOf(names, options, given as Given, toHandler))
    })
  }

  #check(names: readonly string[], options: unknown, given: unknown): void {
    if (names.length === 0) throw new TypeError('A listener needs at least one name')
    const joined = names.join(', ')
    if (!isFunction(given)) fail(`The handler of ${joined}`, 'a function', given)
    if (options !== undefined && !isObject(options)) {
      fail(`The options of the handler of ${joined}`, 'an object', options)
    }
    for (const event of names) this.#parts.registry.check(event)
  }

  #registrationOf<Given>(
    names: readonly string[],
    options: HandlerOptions | undefined,
    given: Given,
    toHandler: (given: Given) => RegisteredHandler,
  ): Registration {
    const { middleware, methods } = this.#parts
    const ofHandler = (given as { [handlerOptions]?: HandlerOptions })[handlerOptions]
    const own = resolveHandlerOptions({ ...ofHandler, ...options })
    const { handler, isInternal, ...more } = toHandler(given)
    const parameters = (given as () => void).length
    if (!more.replies && parameters > 1) {
      throw new TypeError(
        `The handler of ${names.join(', ')} declares ${parameters} parameters, but gets one argument, the delivery: ` +
          'write ({ payload, guid, log }) => …',
      )
    }
    const called = isInternal ? handler : middleware.around(handler)
    return {
      name: own.name ?? `${more.replies ? 'hook' : 'on'}:${names.join(',')}`,
      events: [...names],
      given,
      options: own,
      at: names.every(isKnownName) && !more.command ? undefined : callSite(methods),
      ...more,
      handler: own.paths ? onlyForPaths(names, own.paths, called) : called,
      inboxOptions: inboxOptionsOf(options),
    }
  }

  #add(registration: Registration): void {
    const { registry, hasInbox, registered } = this.#parts
    const { name, events, at } = registration
    if (hasInbox() && registry.hasHandlerName(name)) throw nameTaken(name)
    for (const event of events) registry.add(event, registration)
    registered(events, at)
    this.#warnOfInboxOptions(registration)
  }

  /** There is a mount without an inbox: warns once about each handler with options that have no effect there. */
  mountedWithoutInbox(logger: Logger): void {
    this.#logger ??= logger
    for (const registration of this.#parts.registry.all()) this.#warnOfInboxOptions(registration)
  }

  #warnOfInboxOptions({ name, inboxOptions = [] }: Registration): void {
    if (!this.#logger || inboxOptions.length === 0 || this.#warned.has(name)) return
    this.#warned.add(name)
    this.#logger.warn({ handler: name }, inboxOptionsWarning(name, inboxOptions))
  }
}
