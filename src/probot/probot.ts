import type { Hooks } from '../hooks.ts'
import { runnerOf } from '../internals.ts'
import { version } from '../runtime/platform.ts'
import { Clients } from './clients.ts'
import { type AttemptScope, Context, type WebhookEvent } from './context.ts'
import { type CallableLogger, callableLog, createLog, defaultLog, type Logger } from './log.ts'
import { type NodeMiddleware, nodeMiddleware } from './node-middleware.ts'
import { ProbotOctokit } from './octokit.ts'
import { warnOnce } from './old-calls.ts'
import {
  type ApplicationFunctionOptions,
  defaultWebhookPath,
  type Options,
  type RequestHandler,
  warningsAbout,
} from './options.ts'
import { attach, createHooks } from './receive.ts'
import { createRouter } from './router.ts'
import { ProbotWebhooks } from './webhooks.ts'

/** A Probot app: registers its handlers. */
export type ApplicationFunction = (app: Probot, options: ApplicationFunctionOptions) => unknown

/** The signal of requests that nothing ends. */
const never = new AbortController().signal

/**
 * A Probot app: its handlers, and the credentials with which they call GitHub.
 *
 * ```ts
 * const app = new Probot({ appId, privateKey, secret })
 * app.on('issues.opened', (context) => context.octokit.rest.issues.createComment(context.issue({ body: 'Hello' })))
 * ```
 */
export class Probot {
  static readonly version: string = version
  readonly version: string = version
  readonly log: CallableLogger
  /** The handlers, with the interface of `@octokit/webhooks`. */
  readonly webhooks: ProbotWebhooks
  /** The path that receives deliveries. */
  readonly webhookPath: string
  readonly on: ProbotWebhooks['on']
  readonly onAny: ProbotWebhooks['onAny']
  readonly onError: ProbotWebhooks['onError']
  readonly #options: Options
  readonly #clients: Clients
  readonly #handlers: RequestHandler[] = []
  /** Resolves when the functions that `load()` was called with have ended, also those that failed. */
  #loaded: Promise<unknown> = Promise.resolve()
  #hooks: Hooks | undefined
  #router: unknown

  /** A class whose constructor uses `defaults` for the options that it does not get. */
  static defaults<Class extends new (options?: Options) => Probot>(this: Class, defaults: Options): Class {
    // biome-ignore lint/complexity/noThisInStatic: the class that `defaults` is called on may be a subclass
    const Base = this as unknown as typeof Probot
    return class extends Base {
      constructor(options: Options = {}) {
        super({ ...defaults, ...options })
      }
    } as unknown as Class
  }

  /** @throws {Error} if there are no credentials. */
  constructor(options: Options = {}) {
    const { githubToken, secret, request } = options
    const { appId = options.id, privateKey = options.cert } = options
    if (!githubToken) checkCredentials(appId, privateKey)
    this.#options = options
    this.log = callableLog(logFor(options), 'app')
    if (options.id !== undefined) warnOnce(this.log, 'The option "id"', '"appId"')
    if (options.cert !== undefined) warnOnce(this.log, 'The option "cert"', '"privateKey"')
    for (const warning of warningsAbout(options)) this.log.warn(warning)
    this.webhookPath = options.webhookPath || defaultWebhookPath
    const Octokit = options.Octokit ?? ProbotOctokit
    this.#clients = new Clients({
      ...{ Octokit, githubToken, appId, privateKey, request },
      get baseUrl() {
        return options.baseUrl
      },
    })
    this.webhooks = new ProbotWebhooks({ log: this.log, secret, toContext: (event) => this.contextOf(event) })
    this.on = this.webhooks.on.bind(this.webhooks)
    this.onAny = this.webhooks.onAny.bind(this.webhooks)
    this.onError = this.webhooks.onError.bind(this.webhooks)
    if (options.hooks) attach(this, options.hooks)
    this.#hooks = options.hooks
  }

  /**
   * Calls the functions of apps, one after the other. The first one is called at once, so that a function that is not
   * `async` has registered its handlers when `load()` returns.
   */
  load(
    app: ApplicationFunction | ApplicationFunction[],
    options: Partial<ApplicationFunctionOptions> = {},
  ): Promise<void> {
    const loading = this.#load([app].flat(), options)
    this.#loaded = Promise.allSettled([this.#loaded, loading])
    return loading
  }

  async #load(apps: readonly ApplicationFunction[], given: Partial<ApplicationFunctionOptions>): Promise<void> {
    const addHandler = given.addHandler ?? ((handler: RequestHandler) => this.#addHandler(handler))
    const getRouter = (path?: string) => {
      warnOnce(this.log, 'getRouter(path)', 'addHandler(router)')
      const { router, handler } = createRouter(path)
      addHandler(handler)
      return router
    }
    const options = { cwd: process.cwd(), getRouter, ...given, addHandler }
    for (const app of apps) {
      if (typeof app !== 'function') throw new TypeError(`app.load() takes a function, got ${typeof app}`)
      await app(this, options)
    }
  }

  #addHandler(handler: RequestHandler): void {
    const { server } = this.#options
    if (server) server.addHandler(handler)
    else this.#handlers.push(handler)
  }

  /** Resolves when all apps are loaded. */
  async ready(): Promise<this> {
    await this.#loaded
    return this
  }

  /**
   * Calls the handlers of a delivery, and waits for them. Stores nothing, even if there is an inbox.
   * @throws {AggregateError} (rejects) with the errors of the handlers that failed.
   */
  async receive(event: WebhookEvent): Promise<void> {
    await this.#loaded
    await this.webhooks.receive(event)
  }

  /** An Octokit that authenticates as an installation. Without its id: as the App, or with `githubToken`. */
  async auth(installationId?: number | string): Promise<ProbotOctokit> {
    return this.#clients.forInstallation(installationId, { log: this.log, signal: never, keepAlive: true })
  }

  /** A middleware for Node.js and Express. It handles requests to `path` only. */
  async getNodeMiddleware({ path }: { path?: string | undefined } = {}): Promise<NodeMiddleware> {
    await this.#loaded
    return nodeMiddleware(this, { path })
  }

  /** The `Hooks` that receives the deliveries: an adapter, such as `hookserver/web`, can serve it. */
  get hooks(): Hooks {
    this.#hooks ??= createHooks(this, this.#options)
    return this.#hooks
  }

  /** The HTTP handlers that apps have added. */
  get handlers(): readonly RequestHandler[] {
    return this.#handlers
  }

  /** The context of a delivery. @param attempt The attempt of an inbox that handles it. */
  async contextOf(event: WebhookEvent, attempt: Partial<AttemptScope> = {}): Promise<Context> {
    const { log: given, hooks } = this.#options
    // The log of an attempt also writes to the option `log`, unless the `Hooks` is one of the application.
    const ofAttempt = given && hooks ? undefined : attempt.log
    const log = ofAttempt ?? given?.child({ name: 'event', id: event.id }) ?? attempt.log ?? this.log
    const octokit = Object.hasOwn(this, 'auth') // tests of apps for Probot 9 replace the method
      ? await this.auth((event.payload as { installation?: { id: number } }).installation?.id)
      : this.#clients.forEvent(event, { log, signal: attempt.signal ?? never }, attempt.installationId)
    return new Context(event, octokit, log)
  }

  /** @deprecated Write `addHandler(router)`, with the second argument of the app. */
  // biome-ignore lint/suspicious/noExplicitAny: a router of the Express that the app has installed
  route(path?: string): any {
    warnOnce(this.log, 'app.route(path)', 'addHandler(router)')
    return this.#mountRouter(path)
  }

  /** @deprecated Write `addHandler(router)`, with the second argument of the app. */
  // biome-ignore lint/suspicious/noExplicitAny: a router of the Express that the app has installed
  get router(): any {
    warnOnce(this.log, 'app.router', 'addHandler(router)')
    this.#router ??= this.#mountRouter()
    return this.#router
  }

  /** @deprecated The argument of the app is itself the app. In Probot 10 to 12, it has this member. */
  get app(): this {
    warnOnce(this.log, '({ app }) => …', '(app) => …')
    return this
  }

  /** @deprecated Write `addHandler(router)`, with the second argument of the app. */
  get getRouter(): ApplicationFunctionOptions['getRouter'] {
    warnOnce(this.log, '({ getRouter }) => …', '(app, { addHandler }) => …')
    return (path) => this.#mountRouter(path)
  }

  /** @deprecated Write `probot.webhooks`. */
  get webhook(): ProbotWebhooks {
    warnOnce(this.log, 'probot.webhook', 'probot.webhooks')
    return this.webhooks
  }

  #mountRouter(path?: string): unknown {
    const { router, handler } = createRouter(path)
    this.#addHandler(handler)
    return router
  }
}

/** The option `log`, else the logger of the option `hooks`, else the default one. */
function logFor({ log, hooks, logLevel }: Options): Logger {
  if (log) return log.child({ name: 'probot' })
  // The logger of the `Hooks`, which is that of the server, has a level of its own.
  return hooks ? createLog(runnerOf(hooks).sources().logger, logLevel ?? 'trace') : defaultLog(logLevel)
}

function checkCredentials(appId: unknown, privateKey: unknown): void {
  const cure = 'for a personal access token instead of an App, pass githubToken'
  if (!appId) throw new Error(`appId option is required: set APP_ID, or pass appId; ${cure}`)
  if (!privateKey)
    throw new Error(`privateKey option is required: set PRIVATE_KEY or PRIVATE_KEY_PATH, or pass privateKey; ${cure}`)
}
