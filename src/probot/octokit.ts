import { Octokit } from 'octokit'
import type { AnyOctokit } from '../delivery.ts'
import { type ApiCaller, octokitLogger, type Scope, throttleOptions } from '../github/octokit-scope.ts'
import { version } from '../runtime/platform.ts'
import { githubApi } from '../settings.ts'
import { childLogger, defaultLogger, type FullLogger } from '../telemetry/logger.ts'
import { type AppCredentials, authenticate, type Credentials } from './authentication.ts'
import { type Config, type ConfigQuery, type ConfigResult, configPlugin } from './config.ts'
import { warnOnce } from './old-calls.ts'

// biome-ignore lint/suspicious/noTsIgnore: the package may be missing where this is compiled
/** @ts-ignore: `any` if the package is missing. A doc comment, because declaration files keep no other comments. */
type Installed = import('octokit').Octokit
/** Probot 9 to 13 have the methods of `octokit.rest` on the Octokit itself, too. */
type WithRest = string extends keyof Installed ? AnyOctokit : Installed & Installed['rest']

/** The Octokit of the package `octokit`, with the additions of Probot. */
export type ProbotOctokit = WithRest & {
  /** Reads configuration files, and those that they extend. */
  config: { get<Value extends object = Config>(query: ConfigQuery<Value>): Promise<ConfigResult<Value>> }
}

/** The options of a `ProbotOctokit`: those of Octokit, and these. */
export interface ProbotOctokitOptions {
  /** A token, or an App and perhaps one of its installations. */
  auth?: string | Credentials | undefined
  baseUrl?: string | undefined
  request?: object | undefined
  log?: object | undefined
  /** `{ enabled: false }` neither spaces requests nor waits for rate limits. */
  throttle?: { enabled?: boolean; [option: string]: unknown } | undefined
  [option: string]: unknown
}

/** The class of these Octokits. A structural type, for programs without the package `octokit`. */
export interface ProbotOctokitClass {
  new (options?: ProbotOctokitOptions): ProbotOctokit
  // biome-ignore lint/suspicious/noExplicitAny: each plugin has types of its own
  plugin(...plugins: ((octokit: any, options: any) => object | void)[]): ProbotOctokitClass
  // biome-ignore lint/suspicious/noExplicitAny: the options depend on the plugins
  defaults(defaults: ProbotOctokitOptions | ((options: any) => ProbotOctokitOptions)): ProbotOctokitClass
}

/** The options that a `Probot` passes to its Octokits. They leave the defaults of an app's own class in place. */
interface InternalOptions extends ProbotOctokitOptions {
  scope?: Scope
}

/** The scope of an Octokit that an app creates itself: it logs to the option `log`, and sends requests until the end. */
function ownScope(log: Partial<Record<keyof FullLogger, (text: string) => void>> | undefined): Scope {
  const write = (level: keyof FullLogger) => (_fields: object, text: string) => log?.[level]?.(text)
  const own = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  return { log: childLogger(log ? own : defaultLogger()), signal: new AbortController().signal, keepAlive: true }
}

/** The caller of the requests of an Octokit with these options. */
function callerOf({ auth, baseUrl }: Pick<InternalOptions, 'auth' | 'baseUrl'>): ApiCaller {
  const { token, appId, installationId } = (typeof auth === 'string' ? { token: auth } : (auth ?? {})) as {
    token?: string
  } & Partial<AppCredentials>
  const apiUrl = baseUrl ?? githubApi
  if (token !== undefined) return { apiUrl, caller: 'token', token }
  if (installationId !== undefined) return { apiUrl, caller: `installation ${installationId}` }
  return { apiUrl, caller: appId === undefined ? 'anonymous' : `app ${appId}` }
}

/** The class of the Octokits of Probot apps. Apps add plugins and defaults to it, and pass it as option `Octokit`. */
export const ProbotOctokit: ProbotOctokitClass = Octokit.plugin(configPlugin, restOnOctokit).defaults(
  ({ scope: given, ...options }: InternalOptions) => {
    const { throttle, log }: InternalOptions = options
    const scope = given ?? ownScope(log)
    const hasCallbacks = throttle?.onRateLimit || throttle?.onSecondaryRateLimit
    // Shared with the Octokits that a `Hooks` has for this caller, because GitHub counts the requests of both together.
    const limits = throttleOptions(callerOf(options), scope, true)
    return {
      authStrategy: authenticate,
      userAgent: `hookserver/${version}`,
      ...options,
      log: log ?? octokitLogger(scope.log),
      // Callbacks of the app expect that the plugin itself waits, and not our callback.
      throttle: { ...limits, ...(hasCallbacks ? { retryAfterBaseValue: 1000 } : {}), ...throttle },
    }
  },
) as unknown as ProbotOctokitClass

/** A plugin of Octokit: `octokit.issues` and so on, as Probot 9 to 13 have them. */
function restOnOctokit(given: object): void {
  const octokit = given as { rest: object; log: { warn(text: string): void } }
  for (const [name, methods] of Object.entries(octokit.rest)) {
    if (name in octokit) continue
    const get = () => {
      warnOnce(octokit.log, `octokit.${name}`, `octokit.rest.${name}`)
      return methods
    }
    Object.defineProperty(octokit, name, { get, configurable: true, enumerable: false })
  }
}
