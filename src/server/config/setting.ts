import * as v from 'valibot'
import { type Group, parseGroup } from '../../github/app/user-login.ts'
import { parseTarget, type Target } from '../../github/target.ts'
import { namedRanges, parseCidr } from '../../runtime/cidr.ts'
import { maxTimer } from '../../runtime/timer.ts'
import { parsePositiveDuration, parseSize } from '../../runtime/units.ts'
import { isApiUrl, maxProxies } from '../../settings.ts'
import { oneOf, type Schema, textValue } from '../schema.ts'

export interface Setting<Value = unknown> {
  /** How `--help` shows a value. */
  placeholder: string
  /** One phrase, with the default. */
  help: string
  /** An environment variable that other programs use too. The code of the module takes precedence over it. */
  genericVariable?: string
  /** Parses the text of a value. */
  schema: Schema<Exclude<Value, undefined>>
  /** `undefined` if there is no default, or if `new Hooks()`, the inbox or the environment determines the default. */
  default: Value
}

/** Defines a setting. Its type is inferred from its schema and its default. */
export const setting = <Value, const Default extends Value | undefined = undefined>(
  definition: Omit<Setting, 'schema' | 'default'> & { schema: Schema<Value>; default?: Default },
): Setting<Value | Default> => ({ default: undefined, ...definition }) as unknown as Setting<Value | Default>

/** The words of a setting that accepts only certain words. */
export const wordsOf = ({ schema }: Setting): readonly string[] | undefined =>
  v.getMetadata(schema).enum as readonly string[] | undefined

const booleans: Readonly<Record<string, boolean>> = { true: true, false: false, 1: true, 0: false }

/** Whether a text is one of the values of a boolean setting. */
export const isBoolean = (text: string): boolean => Object.hasOwn(booleans, text)

/** One of the keys of `values`. @param shown The words that completion offers, without `1` and `0`. */
const words = <Value>(values: Readonly<Record<string, Value>>, shown: readonly string[]) =>
  textValue(oneOf(Object.keys(values)), (text) => (Object.hasOwn(values, text) ? values[text] : undefined), {
    type: 'string',
    enum: shown,
  })

export const boolean = words(booleans, ['true', 'false'])

/** `true`, `false` or this word. */
export const booleanOr = <Word extends string>(word: Word) =>
  words<boolean | Word>({ ...booleans, [word]: word }, ['true', 'false', word])

export const port = textValue('a port from 0 (any free port) to 65535', (text) => {
  const number = Number(text)
  return /^\d{1,5}$/.test(text) && number <= 65_535 ? number : undefined
})

export const text = textValue('a value that is not empty', (text) => (text.trim() === '' ? undefined : text))

/** The items of a comma-separated list. */
const itemsOf = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

/** Addresses that may send deliveries. */
export const ranges = textValue('a comma-separated list of CIDRs and addresses', (text) => {
  const items = itemsOf(text)
  return items.length > 0 && items.every((item) => parseCidr(item) !== undefined) ? items : undefined
})

const expectedProxies = `a comma-separated list of CIDRs, loopback, private or unix, or a number up to ${maxProxies}`

/** Trusted proxies. */
export const proxies = textValue(expectedProxies, (text) => {
  if (/^\d+$/.test(text)) return Number(text) <= maxProxies ? Number(text) : undefined
  const items = itemsOf(text)
  return items.length > 0 && items.every(isProxy) ? items : undefined
})

const isProxy = (item: string): boolean => item === 'unix' || namedRanges.has(item) || parseCidr(item) !== undefined

export const urlPath = textValue('a path that begins with "/", without "?", "#" or white space', (text) =>
  /^\/[^?#\s]*$/.test(text) ? text : undefined,
)

export const url = v.pipe(
  v.string(),
  v.check((text) => {
    const { username, password } = URL.parse(text) ?? {}
    return !username && !password
  }, 'a URL without a user or password'),
  v.check(
    (text) => ['http:', 'https:'].includes(URL.parse(text)?.protocol ?? ''),
    'a URL that begins with http:// or https://',
  ),
) as Schema<string>

/** A URL that other URLs begin with. Its fragment may be the token in the link to the dashboard that a server prints. */
export const baseUrl = v.pipe(
  url,
  v.transform((text) => text.replace(/#.*$/s, '').replace(/\/+$/, '')),
) as unknown as Schema<string>

/** The address of GitHub's pages. */
export const github = v.pipe(
  baseUrl,
  v.check(isApiUrl, 'an https URL (http on loopback only)'),
  v.transform((text) => new URL(text)),
  v.check(
    ({ href, origin, host }) => href === `${origin}/` && !/^(api|www)\.(github\.com|[\w-]+\.ghe\.com)$/.test(host),
    "the URL of GitHub's pages without a path, such as https://github.com or https://acme.ghe.com",
  ),
  v.transform(({ origin }) => origin),
) as unknown as Schema<string>

/** The address of GitHub's API. */
export const apiUrl = v.pipe(baseUrl, v.check(isApiUrl, 'an https URL (http on loopback only)')) as Schema<string>

/** Milliseconds. */
export const duration = textValue('a duration such as 30d, 12h, 15m, 30s or 500ms', parsePositiveDuration)

/** Milliseconds, at most as many as a timer can wait. */
export const timeout = v.pipe(duration, v.maxValue(maxTimer, 'a duration of at most 24d'))

/** Bytes. */
export const size = textValue('a size such as 500MiB or 20GiB', parseSize)

/** A value that is sent in a header, such as a token. */
export const headerText = textValue('printable ASCII characters without white space', (text) =>
  /^[\x21-\x7e]+$/.test(text) ? text : undefined,
)

const minToken = 16

/** A token that is too long to guess. */
export const token = textValue(`${minToken} or more printable ASCII characters, without white space`, (text) =>
  text.length >= minToken && /^[\x21-\x7e]+$/.test(text) ? text : undefined,
)

/** Organizations and teams. */
export const groups = textValue(
  'a comma-separated list of organizations and teams, such as acme or acme/ops',
  (text) => {
    const parsed = itemsOf(text).map(parseGroup)
    return parsed.length > 0 && parsed.every((group) => group !== undefined) ? (parsed as Group[]) : undefined
  },
)

/** Webhooks, named by their repository, organization or App. */
export const targets = textValue(
  'a comma-separated list of acme/shop, acme/shop#<hook id>, acme, acme#<hook id> or app',
  (text) => {
    const parsed = itemsOf(text).map(parseTarget)
    return parsed.length > 0 && parsed.every((target) => target !== undefined) ? (parsed as Target[]) : undefined
  },
)

export const events = textValue('a comma-separated list of events, such as push,issues.opened', (text) => {
  const names = itemsOf(text)
  return names.length > 0 && names.every((name) => /^(\*|[\w-]+(\.[\w-]+)?)$/.test(name)) ? names : undefined
})
