import { maxTimer, parseDuration } from '../runtime/timer.ts'

/** One thing that can be set. */
export interface Setting<Value> {
  /** How a value is written, as `--help` shows it. */
  placeholder: string
  /** In one sentence, with its default. */
  help: string
  /** Variables beside `HOOKSERVER_…`, for those who come from elsewhere. */
  variables?: readonly string[]
  /** What is not set. `undefined` where `new Hooks()` or somebody else decides. */
  fallback: Value
  parse: Parse<Exclude<Value, undefined>>
}

/** A setting for each value, by its name. */
export type SettingsOf<Values> = { readonly [Name in keyof Values]: Setting<Values[Name]> }

/** Reads a value. @throws {Expected} */
export interface Parse<Value> {
  (text: string): Value
  /** The words that it takes, where it takes no others. */
  words?: readonly string[]
}

/** What a value should have been. The value itself is only shown where it is no secret. */
export class Expected extends Error {}

/** @param words Those that are worth showing. */
function oneOf<Value>(values: Readonly<Record<string, Value>>, words: readonly string[]): Parse<Value> {
  const parse = (text: string): Value => {
    if (Object.hasOwn(values, text)) return values[text] as Value
    throw new Expected(`one of ${Object.keys(values).join(', ')}`)
  }
  return Object.assign(parse, { words })
}

const booleans = { true: true, false: false, 1: true, 0: false }

export const asBoolean: Parse<boolean> = oneOf<boolean>(booleans, ['true', 'false'])

export const asChoice = <Value extends string>(...values: readonly Value[]): Parse<Value> =>
  oneOf<Value>(Object.fromEntries(values.map((value) => [value, value])) as Record<string, Value>, values)

/** `true`, `false` or a word that is neither. */
export const asBooleanOr = <Word extends string>(word: Word): Parse<boolean | Word> =>
  oneOf<boolean | Word>({ ...booleans, [word]: word }, ['true', 'false', word])

export function asPort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new Expected('a port, from 0 (any that is free) to 65535')
  return port
}

export function asText(text: string): string {
  if (text.trim() === '') throw new Expected('something that is not empty')
  return text
}

/** Commas between the items. */
export const asList = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

/** A list, or how many. */
export function asListOrCount(text: string): string[] | number {
  if (/^\d+$/.test(text)) return Number(text)
  const list = asList(text)
  if (list.length === 0) throw new Expected('a number, or a list with commas between its items')
  return list
}

export function asPath(text: string): string {
  if (/^\/[^?#\s]*$/.test(text)) return text
  throw new Expected('a path that begins with "/"')
}

export function asUrl(text: string): string {
  const url = URL.parse(text)
  if (url?.username || url?.password) throw new Expected('an address without user and password, which fetch() refuses')
  if (url && ['http:', 'https:'].includes(url.protocol)) return text.replace(/\/+$/, '')
  throw new Expected('an address that begins with http:// or https://')
}

/** In milliseconds. */
export function asDuration(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw new Expected('a time such as 30d, 12h, 15m, 30s, 500ms')
  return ms
}

/** A time that somebody waits for, in milliseconds. */
export function asWait(text: string): number {
  const ms = asDuration(text)
  if (ms > maxTimer) throw new Expected('a time of 24d at most')
  return ms
}

const sizes: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }

/** In bytes. */
export function asSize(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)(KiB|MiB|GiB|TiB)$/.exec(text) ?? []
  const bytes = Number(digits) * (sizes[unit] ?? 0)
  if (digits === '' || bytes < 1 || !Number.isSafeInteger(bytes)) throw new Expected('a size such as 500MiB or 20GiB')
  return bytes
}
