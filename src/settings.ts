/** Checks the options of `Hooks`, and adds the defaults. `options.ts` documents the options. */
import { appIn, readApp } from './app.ts'
import type { OctokitClass } from './delivery.ts'
import { isHandlerOption } from './handler.ts'
import type { HashName } from './http.ts'
import { requireCapabilities } from './inbox/capabilities.ts'
import type { BasicStore } from './inbox/inbox.ts'
import type { HooksOptions, MountOptions, Secret } from './options.ts'
import {
  type Check,
  checkOptions,
  fail,
  isFunction,
  isListOf,
  isOneOf,
  isStorableString,
  isString,
  isWhole,
  must,
} from './runtime/check-options.ts'
import { type Cidr, cidrsOf, namedRanges } from './runtime/cidr.ts'
import { isObject } from './runtime/json.ts'
import { environmentVariable, memoryLimit } from './runtime/platform.ts'
import { maxTimer } from './runtime/timer.ts'
import { durationCheck, sizeCheck, toBytes, toMilliseconds } from './runtime/units.ts'
import { childLogger, defaultLogger, type FullLogger, type Logger, loggerFrom } from './telemetry/logger.ts'

type Given<Name extends keyof HooksOptions> = Exclude<HooksOptions[Name], undefined>
type WithoutDefault =
  | 'secret'
  | 'clientAddress'
  | 'ranges'
  | 'token'
  | 'app'
  | 'octokit'
  | 'parsePayload'
  | 'inbox'
  | 'sources'
  | 'onError'
  | 'onDead'
type InUnits = 'bodyLimit' | 'bodyMemory' | 'payloadMemory' | 'replyTimeout'
type WithDefault = Exclude<keyof HooksOptions, WithoutDefault | InUnits | 'trustProxy' | 'logger'>

/** All options of a mount, with the defaults applied. */
export type Settings = { [Name in Exclude<WithoutDefault, 'inbox'>]: HooksOptions[Name] } & {
  [Name in WithDefault]: Given<Name>
} & { [Name in InUnits]: number } & {
  inbox: BasicStore | undefined
  trustProxy: readonly string[] | number
  logger: FullLogger
}

interface Rule<Name extends keyof HooksOptions> {
  readonly check: Check
  readonly default?: Settings[Name]
  /** Computes the default, for example because it depends on the environment or on other options. */
  readonly computed?: (given: HooksOptions) => Settings[Name]
  /** Converts a value that the application has set. */
  readonly convert?: (value: Given<Name>) => Settings[Name]
}

/** The maximum number of proxies in front of the server. */
export const maxProxies = 1000

/** The largest default of `payloadMemory`, in bytes. */
const maxPayloadMemory = 256 * 1024 * 1024

/** The address of the API of github.com. */
export const githubApi = 'https://api.github.com'

const withoutSlash = (url: string): string => url.replace(/\/+$/, '')
/** Only HTTPS, or HTTP to this machine, because hookserver sends credentials to this address. */
export const isApiUrl = (url: string): boolean =>
  /^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/])/.test(`${url}/`)
const boolean = isOneOf(true, false)
const callback = must(isFunction, 'a function')
const isSecret = (value: unknown): value is Secret =>
  isString(value) ? value.trim() !== '' : value instanceof Uint8Array && value.length > 0
const isHashName = (value: unknown): value is HashName => value === 'sha256' || value === 'sha1'

const checkProxies = must(
  (value) => isString(value) || isListOf(value, isString) || value === 0 || isWhole(value, 1, maxProxies),
  `a CIDR, 'loopback', 'private', 'unix', a list of these, or the number of proxies, ${maxProxies} at most`,
)
const checkRanges = must((value) => isFunction(value) || isListOf(value, isString), 'a list of CIDRs or a function')

/** The ranges of the entries of `trustProxy`, except `unix`. @throws {TypeError} naming the entry that is not a CIDR. */
export const proxyRanges = (entries: readonly string[]): Cidr[] =>
  cidrsOf(
    'trustProxy',
    entries.filter((entry) => entry !== 'unix').flatMap((entry) => namedRanges.get(entry) ?? [entry]),
  )

/** The check and the default of each option. No error shows the value of `secret`, `token` or `app`. */
export const rules: { readonly [Name in keyof Required<HooksOptions>]: Rule<Name> } = {
  secret: {
    check(value) {
      if (isFunction(value) || isSecret(value) || (isListOf(value, isSecret) && value.length > 0)) return
      throw new TypeError(
        'Option "secret" must be a text that is not blank, a non-empty Uint8Array, a list of them, or a function',
      )
    },
    computed: () => environmentVariable('GITHUB_WEBHOOKS_KEY') || environmentVariable('SECRET_KEY') || undefined,
  },
  validateSignature: { check: boolean, default: true },
  signatureAlgorithms: {
    check: must(
      (value) => isListOf(value, isHashName) && value.length > 0,
      "a list that contains 'sha256', 'sha1' or both",
    ),
    default: ['sha256', 'sha1'],
  },
  validateIp: { check: isOneOf(true, 'warn', false), default: true },
  trustProxy: {
    check(value, option) {
      checkProxies(value, option)
      if (typeof value !== 'number') proxyRanges([value as string | string[]].flat())
    },
    default: [],
    convert: (value) => (typeof value === 'string' ? [value] : value),
  },
  forwardedHeader: { check: isOneOf('x-forwarded-for', 'forwarded'), default: 'x-forwarded-for' },
  clientAddress: {
    check: must(
      (value) => isFunction(value) || ['framework', 'cloudflare', 'deno', 'bun'].includes(value as string),
      "a function, 'framework', 'cloudflare', 'deno' or 'bun'",
    ),
  },
  ranges: {
    check(value, option) {
      checkRanges(value, option)
      if (Array.isArray(value)) cidrsOf('ranges', value)
    },
  },
  apiUrl: {
    check: must((value) => isString(value) && isApiUrl(value), 'an https address (http on loopback only)'),
    default: githubApi,
    convert: withoutSlash,
  },
  token: {
    check(value) {
      if (isString(value) && /^[\x21-\x7e]+$/.test(value)) return
      throw new TypeError(
        'Option "token" must be a non-empty string of printable ASCII characters, without white space',
      )
    },
    computed: ({ apiUrl = githubApi }) =>
      withoutSlash(apiUrl) === githubApi ? environmentVariable('GITHUB_TOKEN') || undefined : undefined,
  },
  app: {
    check: (value) => isFunction(value) || void readApp(value),
    computed: () => appIn(environmentVariable),
    convert: (value) => (typeof value === 'function' ? value : readApp(value)),
  },
  octokit: {
    check(value) {
      if (isFunction(value) && isFunction((value as OctokitClass).defaults)) return
      throw new TypeError('Option "octokit" must be a class, such as Octokit.plugin(…), and not an instance of it')
    },
  },
  pacing: { check: boolean, computed: ({ apiUrl = githubApi }) => apiUrl.startsWith('https:') },
  path: {
    check: must(
      (value) => value === false || (isString(value) && /^\/[^?#\s]*$/.test(value)),
      'a path that begins with "/", without "?", "#" or white space, or false',
    ),
    default: '/hooks',
  },
  source: { check: must(isStorableString, 'a string without NUL'), computed: ({ path = '/hooks' }) => path || '' },
  bodyLimit: {
    check: sizeCheck({ max: 2 ** 29 }),
    default: 25 * 1024 * 1024,
    convert: toBytes,
  },
  bodyMemory: { check: sizeCheck(), default: 64 * 1024 * 1024, convert: toBytes },
  replyTimeout: {
    check: durationCheck({ max: maxTimer }),
    default: 9000,
    convert: toMilliseconds,
  },
  parsePayload: { check: callback },
  inbox: {
    // `check` has found the capabilities of a `BasicStore`.
    convert: (value) => (value || undefined) as BasicStore | undefined,
    check(value, option) {
      if (value === false) return
      if (!isObject(value)) fail(option, "an inbox, such as sqlite('hookserver.db'), or false", value)
      requireCapabilities(value, ['DeliveryStore', 'TaskQueue'], option)
    },
  },
  work: { check: boolean, default: true },
  sources: {
    check: must(
      (value) => isListOf(value, isStorableString) && value.length > 0,
      'a list of strings without NUL, not empty',
    ),
  },
  withoutHandlers: { check: isOneOf('wait', 'ignore'), default: 'wait' },
  payloadMemory: {
    check: sizeCheck(),
    computed: () => Math.min(maxPayloadMemory, Math.floor(memoryLimit() / 4)),
    convert: toBytes,
  },
  replays: { check: isOneOf('run', 'discard'), default: 'run' },
  onDead: { check: callback },
  onError: { check: callback },
  logger: {
    check: must(
      (value) => value === false || (isFunction((value as Logger)?.warn) && isFunction((value as Logger)?.error)),
      'a logger with warn() and error(), or false',
    ),
    computed: () => childLogger(defaultLogger()),
    convert: loggerFrom,
  },
}

/** The options that each mount may override. */
const mountOptions: Readonly<Record<keyof Required<MountOptions>, true>> = {
  secret: true,
  validateSignature: true,
  signatureAlgorithms: true,
  validateIp: true,
  trustProxy: true,
  forwardedHeader: true,
  clientAddress: true,
  ranges: true,
  path: true,
  source: true,
  bodyLimit: true,
  bodyMemory: true,
  replyTimeout: true,
}

/**
 * Merges the options of a `Hooks` and of a mount, and adds the defaults. The options of the mount override those of the
 * `Hooks`.
 * @throws {TypeError} naming the invalid option.
 */
export function resolveOptions(...layers: (HooksOptions | undefined)[]): Settings {
  for (const layer of layers) {
    rejectHandlerOptions(layer)
    checkOptions(layer ?? {}, rules)
  }
  const given = withOptions(...layers)
  const settings: Record<string, unknown> = {}
  for (const name of Object.keys(rules) as (keyof HooksOptions)[]) settings[name] = settingOf(name, given)
  return settings as Settings
}

function rejectHandlerOptions(given: HooksOptions = {}): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(rules, name) || !isHandlerOption(name)) continue
    const cure = `It is an option of a handler: write hooks.on('push', { ${name}: … }, handler)`
    throw new TypeError(`Unknown option "${name}". ${cure}`)
  }
}

/** The options of all layers. A later layer overrides an earlier one. An option that is `undefined` counts as missing. */
export function withOptions(...layers: (HooksOptions | undefined)[]): HooksOptions {
  const given = layers.flatMap((layer) => Object.entries(layer ?? {}).filter(([, value]) => value !== undefined))
  return Object.fromEntries(given)
}

/** @throws {TypeError} for an option that only `new Hooks()` takes. */
export function checkMountOptions(options: MountOptions): void {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(rules, name) || Object.hasOwn(mountOptions, name)) continue // `resolveOptions` checks the others
    throw new TypeError(`Option "${name}" applies to all mounts: give it to new Hooks(), not to a mount`)
  }
}

/** @throws {TypeError} if signatures are checked and there is no secret. */
export function checkSecret({ validateSignature, secret }: Settings): void {
  if (!validateSignature || secret !== undefined) return
  throw new TypeError(
    'No secret: give the option "secret", or set the environment variable GITHUB_WEBHOOKS_KEY or SECRET_KEY. ' +
      'It is the secret that you entered for the webhook on GitHub',
  )
}

/** Logs that the secret is that of `SECRET_KEY`, which may belong to another program. */
export function logSecret(given: HooksOptions, { secret, logger }: Settings): void {
  if (given.secret !== undefined || secret === undefined || environmentVariable('GITHUB_WEBHOOKS_KEY')) return
  const message = 'The secret of the webhook is that of SECRET_KEY, because GITHUB_WEBHOOKS_KEY is not set'
  logger.info({ secretFrom: 'the environment variable SECRET_KEY' }, message)
}

function settingOf<Name extends keyof HooksOptions>(name: Name, given: HooksOptions): Settings[Name] | undefined {
  const { default: value, computed, convert } = rules[name] as Rule<Name>
  const own = given[name] as Given<Name> | undefined
  if (own === undefined) return computed ? computed(given) : value
  return convert ? convert(own) : (own as Settings[Name])
}
