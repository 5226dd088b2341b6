import { type AppOptions, appIn, readApp } from './app.ts'
import { type Check, isListOf, isWhole, that } from './checks.ts'
import type { Delivery } from './delivery.ts'
import type { HashName } from './http.ts'
import type { Inbox } from './inbox/inbox.ts'
import { childLogger, consoleLogger, type FullLogger, type Logger, silentLogger } from './logger.ts'
import type { ClientAddress, HooksOptions, Secret, SecretResolver } from './options.ts'
import { longestTimer } from './timer.ts'

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
    secret: given.secret ?? (env('GITHUB_WEBHOOKS_KEY') || env('SECRET_KEY') || undefined),
    validateSignature: given.validateSignature ?? true,
    signatureAlgorithms: given.signatureAlgorithms ?? ['sha256', 'sha1'],
    validateIp: given.validateIp ?? true,
    trustProxy: typeof trustProxy === 'string' ? [trustProxy] : trustProxy,
    forwardedHeader: given.forwardedHeader ?? 'x-forwarded-for',
    clientAddress: given.clientAddress,
    ranges: given.ranges,
    apiUrl,
    token: given.token ?? (apiUrl === githubApi ? env('GITHUB_TOKEN') || undefined : undefined),
    app: given.app ? readApp(given.app) : appIn(env),
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

/** The runtime's environment variables, where it has any. */
function env(name: string): string | undefined {
  try {
    return (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[name]
  } catch {
    return undefined // Deno without --allow-env
  }
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
