import type { Hooks } from '../hooks.ts'
import type { BasicStore } from '../inbox/inbox.ts'
import type { Logger, LogLevel } from './log.ts'
import type { ProbotOctokitClass } from './octokit.ts'

/** The options of `new Probot(options)`. */
export interface Options {
  /** The App ID. */
  appId?: number | string | undefined
  /** The PEM text of the App's private key. */
  privateKey?: string | undefined
  /** A token, instead of an App. */
  githubToken?: string | undefined
  /** The webhook's secret. Without it, `new Probot()` works, but receives no requests. */
  secret?: string | undefined
  /** The path that receives deliveries. Default: `/api/github/webhooks`. */
  webhookPath?: string | undefined
  /** The URL of GitHub's API: `https://HOST/api/v3` for an Enterprise Server. */
  baseUrl?: string | undefined
  /** The class of the Octokits: `ProbotOctokit` with your plugins and defaults. */
  Octokit?: ProbotOctokitClass | undefined
  /** Options of each request, such as `{ fetch }`. Default: the global `fetch`. */
  request?: object | undefined
  /** A logger with pino's interface. Default: the console. */
  log?: Logger | undefined
  /** Without `log`: the lowest level that is logged. Default: `warn`. */
  logLevel?: LogLevel | undefined
  /**
   * Stores deliveries before the reply: `inbox: sqlite('hookserver.db')`. Each handler of the app then has attempts of
   * its own. Without an inbox, the handlers run before the reply.
   */
  inbox?: BasicStore | undefined
  /** Receives the deliveries. Default: a `Hooks` with these options, which does not check the origin of requests. */
  hooks?: Hooks | undefined
  /** Gets the HTTP handlers that the app adds. `Server` sets it. */
  server?: { addHandler(handler: RequestHandler): void } | undefined
  port?: number | undefined
  host?: string | undefined
  /** @deprecated Write `appId`. */
  id?: number | string | undefined
  /** @deprecated Write `privateKey`. */
  cert?: string | undefined
  /** Options of Probot that have no effect, such as `redisConfig`. */
  [option: string]: unknown
}

/** The second argument of an app. */
export interface ApplicationFunctionOptions {
  cwd: string
  /** Adds a handler for requests to other paths than that of the webhook. */
  addHandler(handler: RequestHandler): void
  /** @deprecated Create a router with Express, and pass it to `addHandler`. */
  // biome-ignore lint/suspicious/noExplicitAny: a router of the Express that the app has installed
  getRouter(path?: string): any
  [option: string]: unknown
}

/**
 * A handler of HTTP requests, such as an app of Express. It has handled the request if it returns `true`, or if it has
 * begun the response when it returns. If it replies later, it must return `true` or a promise of it.
 */
export type RequestHandler = (
  // biome-ignore lint/suspicious/noExplicitAny: the types of requests differ between frameworks
  request: any,
  // biome-ignore lint/suspicious/noExplicitAny: the types of responses differ between frameworks
  response: any,
  next?: (error?: unknown) => void,
) => unknown

/** The path at which Probot receives deliveries. */
export const defaultWebhookPath = '/api/github/webhooks'

/** The options of Probot that have no effect, by the variable that sets them, and the alternative. */
const optionsWithoutEffect: Readonly<Record<string, readonly [variable: string, alternative: string]>> = {
  redisConfig: ['REDIS_URL', 'each process keeps its own rate limits'],
  sentryDsn: ['SENTRY_DSN', 'pass the errors to Sentry in app.onError()'],
  webhookProxy: ['WEBHOOK_PROXY_URL', '"hookserver serve --pull app" reads the deliveries from GitHub'],
}

/** Those of the logger, which the option `log` replaces. */
const logOptionsWithoutEffect: typeof optionsWithoutEffect = {
  logFormat: ['LOG_FORMAT', 'use --log-format of "hookserver serve", or pass a pino logger as option "log"'],
  logLevelInString: ['LOG_LEVEL_IN_STRING', 'pass a pino logger as option "log"'],
  logMessageKey: ['LOG_MESSAGE_KEY', 'pass a pino logger as option "log"'],
}

/** The variables of these options. */
export const variablesWithoutEffect: readonly (readonly [option: string, variable: string])[] = Object.entries({
  ...optionsWithoutEffect,
  ...logOptionsWithoutEffect,
}).map(([option, [variable]]) => [option, variable])

/** A warning for each given option that has no effect. */
export function warningsAbout(options: Options): string[] {
  const table = { ...optionsWithoutEffect, ...(options.log ? {} : logOptionsWithoutEffect) }
  return Object.entries(table).flatMap(([option, [variable, alternative]]) =>
    options[option] ? [`The option "${option}" (${variable}) has no effect: ${alternative}`] : [],
  )
}
