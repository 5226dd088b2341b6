import { type AppOptions, appIn, readApp } from './app.ts'
import type { Delivery } from './delivery.ts'
import type { HashName } from './http.ts'
import type { Inbox } from './inbox/inbox.ts'
import { type Check, isListOf, isWhole, that } from './runtime/check-options.ts'
import { environmentVariable } from './runtime/platform.ts'
import { longestTimer } from './runtime/timer.ts'
import { childLogger, consoleLogger, type FullLogger, type Logger, silentLogger } from './telemetry/logger.ts'

/** Text is used as its UTF-8 bytes. Never empty. */
export type Secret = string | Uint8Array

/** What a secret resolver may give; nothing means that there is no secret for these headers. */
export type ResolvedSecret = Secret | readonly Secret[] | { secret: Secret | readonly Secret[]; id?: string }
export type SecretResolver = (
  headers: Readonly<Record<string, string | undefined>>,
) => ResolvedSecret | null | undefined | Promise<ResolvedSecret | null | undefined>

/** Options of `new Hooks(options)` and of every mount, where they override the object's. `undefined` counts as not given. */
export interface HooksOptions {
  /**
   * The webhook's secret; a list while it is being rotated; or a function of the headers, which are unsigned.
   * Default: the environment variable `GITHUB_WEBHOOKS_KEY`, else `SECRET_KEY`. There is no other default.
   */
  secret?: Secret | readonly Secret[] | SecretResolver | undefined
  /** Whether the signature is checked. Default: `true`. */
  validateSignature?: boolean | undefined
  /** The signatures that count, strongest first. Default: `['sha256', 'sha1']`. */
  signatureAlgorithms?: readonly HashName[] | undefined
  /** `true` refuses requests from outside GitHub's addresses, `'warn'` only logs them, `false` does not look. Default: `true`. */
  validateIp?: boolean | 'warn' | undefined
  /** The proxies to believe: CIDRs, `loopback`, `private`, `unix`, or the number of hops. Default: `[]`, nobody. */
  trustProxy?: string | readonly string[] | number | undefined
  /** The one header in which trusted proxies report the client. Default: `'x-forwarded-for'`; `'forwarded'` is RFC 7239. */
  forwardedHeader?: 'x-forwarded-for' | 'forwarded' | undefined
  /** Where the client's address comes from. Default: the socket. A function gets the framework's request. */
  clientAddress?: ClientAddress | undefined
  /** The addresses that may send: a list of CIDRs or a function that gives one. Default: GitHub's, from `/meta`. */
  ranges?: readonly string[] | (() => readonly string[] | Promise<readonly string[]>) | undefined
  /** GitHub's API; for GitHub Enterprise Server `https://HOST/api/v3`. Default: `https://api.github.com`. */
  apiUrl?: string | undefined
  /**
   * Authorises the request for `/meta`, and `delivery.octokit()` where no App does. Default: the environment variable
   * `GITHUB_TOKEN`, for api.github.com only.
   */
  token?: string | undefined
  /**
   * The GitHub App that `delivery.octokit()` speaks for, in the installation that the delivery is from.
   * Default: the environment variables `GITHUB_APP_ID` and `GITHUB_APP_PRIVATE_KEY`.
   */
  app?: AppOptions | undefined
  /** The path of deliveries; `false` where a router has chosen already. Default: `'/hooks'`. */
  url?: string | false | undefined
  /** Bytes of payload; a form may be twice that on the wire. Default: 25 MiB, GitHub's own limit. */
  bodyLimit?: number | undefined
  /**
   * Bytes of bodies held in memory at once, over all requests; half of it for bodies above 1 MiB. What comes on top
   * waits unread, and is answered 503 `overloaded` when its time is over. Default: 64 MiB.
   */
  inFlightLimit?: number | undefined
  /** Milliseconds from a request's arrival to its reply. Default: 9000; GitHub hangs up at 10 s. */
  timeout?: number | undefined
  /** A name for what comes in through this mount, in `delivery.source`. Default: the mount's `url`. */
  source?: string | undefined
  /**
   * Where deliveries are stored before they are answered: `sqlite('hookserver.db')`. They are handled after that, and
   * again until they succeed. Default: none; handlers run before the answer.
   */
  inbox?: Inbox | undefined
  /** Whether this process handles what the inbox holds, from the first mount on. Default: `true`. */
  work?: boolean | undefined
  /**
   * Whether deliveries end `ignored` while there is no handler at all, to be retried once there is; otherwise they wait
   * for the first. Default: `false`.
   */
  capture?: boolean | undefined
  /**
   * Bytes of memory that the payloads of running handlers may take together in this process, as estimated from their
   * bodies; a quarter of it is reserved for payloads up to 1 MiB. Deliveries with larger payloads wait for one another,
   * and one that exceeds the limit runs alone. Memory is given back when the attempt ends. Default: 256 MiB.
   */
  runningLimit?: number | undefined
  /** What to do with bytes that came before under another GUID or event: genuine ones can be identical. Default: `'run'`. */
  onReplay?: 'run' | 'discard' | undefined
  /** Called for each delivery of an inbox that has ended `dead`. */
  onDead?: ((error: unknown, delivery: Delivery) => unknown) | undefined
  /** Called for each handler that fails. */
  onError?: ((error: unknown, delivery: Delivery) => unknown) | undefined
  /** Shaped like pino; `false` silences. Default: warnings and errors to the console. */
  logger?: Logger | false | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: the framework's own request type, which only the user knows
export type ClientAddressFunction = (request: any, ...platform: any[]) => string | undefined
export type ClientAddress = ClientAddressFunction | 'framework' | 'cloudflare' | 'deno' | 'bun'

/** Options with every default filled in. */
export interface Settings {
  secret: Secret | readonly Secret[] | SecretResolver | undefined
  validateSignature: boolean
  signatureAlgorithms: readonly HashName[]
  validateIp: boolean | 'warn'
  trustProxy: readonly string[] | number
  forwardedHeader: 'x-forwarded-for' | 'forwarded'
  clientAddress: ClientAddress | undefined
  ranges: HooksOptions['ranges']
  apiUrl: string
  token: string | undefined
  app: AppOptions | undefined
  url: string | false
  bodyLimit: number
  inFlightLimit: number
  timeout: number
  source: string
  inbox: Inbox | undefined
  work: boolean
  capture: boolean
  runningLimit: number
  onReplay: 'run' | 'discard'
  onError: ((error: unknown, delivery: Delivery) => unknown) | undefined
  onDead: ((error: unknown, delivery: Delivery) => unknown) | undefined
  logger: FullLogger
}

/** Where GitHub's API is, unless somebody has an Enterprise Server. */
export const githubApi = 'https://api.github.com'

/** Merges layers of options, later ones over earlier ones, and checks the result. @throws {TypeError} naming option and value. */
export function resolveOptions(...layers: (HooksOptions | undefined)[]): Settings {
  const given: HooksOptions = {}
  for (const layer of layers) {
    for (const [name, value] of Object.entries(layer ?? {})) {
      if (!Object.hasOwn(checks, name)) throw new TypeError(`Unknown option "${name}"`)
      if (value === undefined) continue
      checks[name as keyof HooksOptions](value, `Option "${name}"`)
      Object.assign(given, { [name]: value })
    }
  }
  const { trustProxy = [], url = '/hooks', logger = consoleLogger } = given
  const apiUrl = given.apiUrl?.replace(/\/+$/, '') ?? githubApi
  const settings: Settings = {
    secret:
      given.secret ?? (environmentVariable('GITHUB_WEBHOOKS_KEY') || environmentVariable('SECRET_KEY') || undefined),
    validateSignature: given.validateSignature ?? true,
    signatureAlgorithms: given.signatureAlgorithms ?? ['sha256', 'sha1'],
    validateIp: given.validateIp ?? true,
    trustProxy: typeof trustProxy === 'string' ? [trustProxy] : trustProxy,
    forwardedHeader: given.forwardedHeader ?? 'x-forwarded-for',
    clientAddress: given.clientAddress,
    ranges: given.ranges,
    apiUrl,
    token: given.token ?? (apiUrl === githubApi ? environmentVariable('GITHUB_TOKEN') || undefined : undefined),
    app: given.app ? readApp(given.app) : appIn(environmentVariable),
    url,
    bodyLimit: given.bodyLimit ?? 25 * 1024 * 1024,
    inFlightLimit: given.inFlightLimit ?? 64 * 1024 * 1024,
    timeout: given.timeout ?? 9000,
    source: given.source ?? (url || ''),
    inbox: given.inbox,
    work: given.work ?? true,
    capture: given.capture ?? false,
    runningLimit: given.runningLimit ?? 256 * 1024 * 1024,
    onReplay: given.onReplay ?? 'run',
    onError: given.onError,
    onDead: given.onDead,
    logger: childLogger(logger === false ? silentLogger : logger),
  }
  if (settings.validateSignature && settings.secret === undefined) {
    throw new TypeError(
      'No secret: give the option "secret", or set the environment variable GITHUB_WEBHOOKS_KEY or SECRET_KEY. ' +
        'It is the secret that was entered for the webhook on GitHub.',
    )
  }
  return settings
}

const oneOf = (...values: unknown[]): Check =>
  that((value) => values.includes(value), `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`)
const isFunction = (value: unknown): boolean => typeof value === 'function'
const isString = (value: unknown): value is string => typeof value === 'string'

const isHashName = (value: unknown): value is HashName => value === 'sha256' || value === 'sha1'

/** One check an option; the secret's value, the token's and the App's are never shown. */
const checks: Record<keyof HooksOptions, Check> = {
  secret(value) {
    const isSecret = (one: unknown): one is Secret => (isString(one) || one instanceof Uint8Array) && one.length > 0
    if (isFunction(value) || isSecret(value)) return
    if (isListOf(value, isSecret) && value.length > 0) return
    throw new TypeError('Option "secret" must be a non-empty string or Uint8Array, a list of them, or a function')
  },
  token(value) {
    if (!isString(value) || !/^[\x21-\x7e]+$/.test(value as string)) {
      throw new TypeError('Option "token" must be a non-empty string without white space')
    }
  },
  app: (value) => void readApp(value),
  validateSignature: oneOf(true, false),
  signatureAlgorithms: that(
    (value) => isListOf(value, isHashName) && value.length > 0,
    "a list of 'sha256' and 'sha1', and not empty",
  ),
  validateIp: oneOf(true, 'warn', false),
  trustProxy: that(
    (value) => isString(value) || isListOf(value, isString) || value === 0 || isWhole(value, 1, 1000),
    "a list of CIDRs, 'loopback', 'private' and 'unix', or a number of hops",
  ),
  forwardedHeader: oneOf('x-forwarded-for', 'forwarded'),
  clientAddress: that(
    (value) => isFunction(value) || ['framework', 'cloudflare', 'deno', 'bun'].includes(value as string),
    "a function, 'framework', 'cloudflare', 'deno' or 'bun'",
  ),
  ranges: that((value) => isFunction(value) || isListOf(value, isString), 'a list of CIDRs or a function'),
  apiUrl: that(
    (value) => isString(value) && /^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/])/.test(`${value}/`),
    'an https address (http on loopback only)',
  ),
  url: that(
    (value) => value === false || (isString(value) && /^\/[^?#\s]*$/.test(value as string)),
    'a path that begins with "/", or false',
  ),
  bodyLimit: that((value) => isWhole(value, 1, 2 ** 29), 'a whole number of bytes, 536870912 at most'),
  inFlightLimit: that((value) => isWhole(value, 1), 'a whole number of bytes'),
  runningLimit: that((value) => isWhole(value, 1), 'a whole number of bytes'),
  timeout: that((value) => isWhole(value, 1, longestTimer), `a whole number of milliseconds, ${longestTimer} at most`),
  source: that(isString, 'a string'),
  inbox: that(
    (value) => isFunction((value as Inbox)?.store) && isFunction((value as Inbox)?.claim),
    "an inbox, such as sqlite('hookserver.db')",
  ),
  work: oneOf(true, false),
  capture: oneOf(true, false),
  onReplay: oneOf('run', 'discard'),
  onError: that(isFunction, 'a function'),
  onDead: that(isFunction, 'a function'),
  logger: that(
    (value) => value === false || (isFunction((value as Logger)?.warn) && isFunction((value as Logger)?.error)),
    'a logger with warn() and error(), or false',
  ),
}
