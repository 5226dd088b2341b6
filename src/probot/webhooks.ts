import type { Delivery } from '../delivery.ts'
import { checkNamesForPaths, onlyForPaths } from '../dispatch/paths.ts'
import { type AnyEventName, describeUnknown, isKnownName, reportedNames } from '../events.ts'
import { type HandlerOptions, optionsThenHandler, resolveHandlerOptions } from '../handler.ts'
import { sign, verify } from '../receiver/signature.ts'
import { callSite } from '../runtime/call-site.ts'
import { fail, isFunction, isListOf, isString } from '../runtime/check-options.ts'
import { isDiscard, isRetry } from '../thrown.ts'
import type { Context, WebhookEvent } from './context.ts'
import { explainError } from './explain-error.ts'
import type { Logger } from './log.ts'
import { warnOnce } from './old-calls.ts'
import { placeOfCaller } from './place.ts'

/** A function that is called for each delivery of its events. */
export type ProbotHandler<Name extends string = string> = (context: Context<Name>) => unknown

/** The error that `receive()` rejects with: the errors of all handlers that failed, and the delivery. */
export interface WebhookError extends AggregateError {
  event: WebhookEvent
}

/** A function that gets the errors of a delivery. */
export type ErrorHandler = (error: WebhookError) => unknown

/** A registered handler. */
export interface Listener {
  /** Without those that `removeListener()` has removed. */
  names: readonly string[]
  /** The `name` identifies its attempts in an inbox. */
  readonly options: HandlerOptions & { readonly name: string }
  readonly handler: ProbotHandler
  /** Whether its name depends on the order of the handlers in their file. */
  readonly isNumbered: boolean
  /** Whether an installed package registers it. */
  readonly isInstalled: boolean
}

/** The parts of a `Probot` that its handlers use. */
export interface WebhooksOptions {
  log: Logger
  secret: string | undefined
  /** Creates the context of a handler. */
  toContext(event: WebhookEvent): Context | Promise<Context>
}

/** A delivery as text, with its signature. */
export interface SignedEvent {
  id: string
  name: string
  payload: string
  signature: string
}

/** The handlers of a `Probot`, by event: the interface of `@octokit/webhooks`. */
export class ProbotWebhooks {
  readonly #options: WebhooksOptions
  readonly #listeners = new Set<Listener>()
  readonly #errorHandlers: ErrorHandler[] = []
  /** How many handlers have each name, apart from its number. */
  readonly #counts = new Map<string, number>()
  #observer: Parameters<ProbotWebhooks['observe']>[0] | undefined

  constructor(options: WebhooksOptions) {
    this.#options = options
  }

  /**
   * Adds a handler.
   * @param names `event` or `event.action`, or a list of these.
   * @param options For deliveries in an inbox. Without `name`, the handler is named after its events, its file and its
   *   function.
   * @throws {TypeError} naming the invalid argument.
   */
  on<const Name extends AnyEventName>(names: Name | readonly Name[], handler: ProbotHandler<Name>): void
  on<const Name extends AnyEventName>(
    names: Name | readonly Name[],
    options: HandlerOptions,
    handler: ProbotHandler<Name>,
  ): void
  on(names: string | readonly string[], ...given: unknown[]): void {
    const list: unknown = isString(names) ? [names] : names
    if (!isListOf(list, isString) || list.length === 0)
      fail('app.on(): "names"', 'a string or a list of strings', names)
    for (const name of list) this.#checkName(name)
    this.#add(list, optionsThenHandler(this.on, `app.on('${list[0]}'`, given))
  }

  /** Adds a handler for every event. */
  onAny(handler: ProbotHandler): void
  onAny(options: HandlerOptions, handler: ProbotHandler): void
  onAny(...given: unknown[]): void {
    this.#add(['*'], optionsThenHandler(this.onAny, 'app.onAny(', given))
  }

  /** Adds a function that gets the error when handlers of a delivery fail. */
  onError(handler: ErrorHandler): void {
    if (!isFunction(handler)) fail('app.onError(): "handler"', 'a function', handler)
    this.#errorHandlers.push(handler)
  }

  /** Removes the registrations of a handler for these names. */
  removeListener(names: string | readonly string[], handler: (context: never) => unknown): void {
    for (const listener of this.#listeners) {
      const removed = listener.names.filter((name) => [names].flat().includes(name))
      if (listener.handler !== handler || removed.length === 0) continue
      listener.names = listener.names.filter((name) => !removed.includes(name))
      if (listener.names.length === 0) this.#listeners.delete(listener)
      this.#observer?.removed(listener, removed)
    }
  }

  /**
   * Calls the handlers of a delivery, all at once, and waits for them. Logs their errors.
   * @throws {AggregateError} (rejects) with the errors of the handlers that failed.
   */
  async receive(event: WebhookEvent): Promise<void> {
    try {
      await this.run(event)
    } catch (error) {
      explainError(error as WebhookError, this.#options.log)
      throw error
    }
  }

  /**
   * As `receive()`, but without logging: for a caller that logs the error itself.
   * @param delivery Calls only the handlers whose options `source` and `paths` fit this delivery.
   */
  async run(event: WebhookEvent, delivery?: Delivery): Promise<void> {
    if (!isString(event?.name)) throw this.reportErrors([new TypeError('The event has no name')], event)
    const runs = this.#matching(event, delivery?.source).map(async ({ names, options: { paths }, handler }) => {
      const call = async () => handler(await this.#options.toContext(event))
      return delivery && paths ? onlyForPaths(names, paths, call)(delivery) : call()
    })
    const errors = (await Promise.allSettled(runs)).flatMap((run) => (run.status === 'rejected' ? [run.reason] : []))
    if (errors.length > 0) throw this.reportErrors(errors, event)
  }

  /** Calls the error handlers, unless all errors are decisions of a handler. @returns The error that they got. */
  reportErrors(errors: readonly unknown[], event: WebhookEvent): WebhookError {
    const text = errors.map((error) => (error as Error)?.message ?? String(error)).join('\n')
    const error = Object.assign(new AggregateError(errors, text), { event })
    if (errors.every((one) => isDiscard(one) || isRetry(one))) return error
    for (const handler of this.#errorHandlers) void this.#callErrorHandler(handler, error)
    return error
  }

  /** The signature of a text: `sha256=…`. */
  sign(payload: string): Promise<string> {
    return sign(this.#secret, payload)
  }

  /** Whether a signature belongs to a text. */
  verify(payload: string, signature: string): Promise<boolean> {
    return verify(this.#secret, payload, signature)
  }

  /** Verifies a delivery, and then calls its handlers. @throws {AggregateError} (rejects) as `receive()`. */
  async verifyAndReceive({ id, name, payload, signature }: SignedEvent): Promise<void> {
    const event = { id, name, payload: {} }
    if (!(await this.verify(payload, signature).catch(() => false))) {
      const error = new Error('[@octokit/webhooks] signature does not match event payload and secret')
      throw this.reportErrors([Object.assign(error, { event, status: 400 })], event)
    }
    await this.receive({ ...event, payload: JSON.parse(payload) })
  }

  /**
   * Calls `added` for each handler, also for those that are already registered, and `removed` with the names for which a
   * handler was removed.
   */
  observe(observer: {
    added(listener: Listener): void
    removed(listener: Listener, names: readonly string[]): void
  }): void {
    this.#observer = observer
    for (const listener of this.#listeners) observer.added(listener)
  }

  get #secret(): string {
    const { secret } = this.#options
    if (secret) return secret
    throw new TypeError('There is no secret to sign with: set WEBHOOK_SECRET, or pass the option "secret"')
  }

  #checkName(name: string): void {
    const { log } = this.#options
    if (name === 'error') throw new TypeError("app.on('error', …) registers no handler: write app.onError(handler)")
    if (name === '*') warnOnce(log, "app.on('*', …)", 'app.onAny(…)')
    if (name === '*' || isKnownName(name) || reportedNames.has(name)) return
    reportedNames.add(name)
    const at = callSite([this.on])
    log.warn({ ...(at !== undefined && { at }) }, describeUnknown(name, 'ignore this warning: the handler runs'))
  }

  #add(names: readonly string[], { options, handler: given }: ReturnType<typeof optionsThenHandler>): void {
    if (!isFunction(given)) fail(`The handler of ${names.join(', ')}`, 'a function', given)
    const handler = given as ProbotHandler
    const own = options?.name
    const unchanging = { isNumbered: false, isInstalled: false }
    const { name, ...place } = own === undefined ? this.#nameFor(names, handler) : { name: own, ...unchanging }
    const listener: Listener = { names, options: { ...options, name }, handler, ...place }
    resolveHandlerOptions(listener.options)
    if (listener.options.paths) checkNamesForPaths(names)
    this.#listeners.add(listener)
    this.#observer?.added(listener)
  }

  /**
   * `issues.opened@src/labels.js#addLabel`, without the end if the function has no name. The name of the second handler
   * that would have the same name ends with `#2`.
   */
  #nameFor(
    names: readonly string[],
    handler: { name: string },
  ): Pick<Listener, 'isNumbered' | 'isInstalled'> & { name: string } {
    const { name: file, isInstalled } = placeOfCaller()
    const name = [`${names.join(',')}@${file}`, handler.name].filter((part) => part !== '').join('#')
    const count = (this.#counts.get(name) ?? 0) + 1
    this.#counts.set(name, count)
    const isNumbered = count > 1
    return { name: isNumbered ? `${name}#${count}` : name, isNumbered, isInstalled }
  }

  /** The handlers of a delivery: those of `event.action` first. */
  #matching({ name, payload }: WebhookEvent, source: string | undefined): Listener[] {
    const action = (payload as { action?: unknown } | undefined)?.action
    const own = isString(action) ? [`${name}.${action}`, name, '*'] : [name, '*']
    const found = own.flatMap((wanted) => [...this.#listeners].filter(({ names }) => names.includes(wanted)))
    const isFor = ({ options }: Listener) =>
      source === undefined || options.source === undefined || [options.source].flat().includes(source)
    return [...new Set(found)].filter(isFor)
  }

  async #callErrorHandler(handler: ErrorHandler, error: WebhookError): Promise<void> {
    try {
      await handler(error)
    } catch (err) {
      this.#options.log.error({ err }, 'A function that app.onError() registered failed')
    }
  }
}
