/**
 * Checks of options. Each `Check` throws a `TypeError` that names the option. The error shows the invalid value, unless
 * the value may be a secret.
 */

import { isObject, isPlainObject } from './json.ts'
import { suggestion } from './nearest.ts'

/** @param option The option, as the error names it. @throws {TypeError} */
export type Check = (value: unknown, option: string) => void

/**
 * Checks each option that is given.
 * @param labels Texts around the name of an option in errors. In `Unknown option "order" of a handler`, the suffix is
 * ` of a handler`. The prefix `github` makes errors begin with `github: `. Default: no prefix and no suffix.
 * @throws {TypeError} for an unknown option, and for a value that fails its check.
 */
export function checkOptions<Options extends object>(
  given: Options,
  checks: { readonly [Name in keyof Options]-?: Check | { readonly check: Check } },
  { prefix = '', suffix = '' }: { prefix?: string; suffix?: string } = {},
): void {
  for (const [name, value] of Object.entries(given)) {
    const text = `option "${name}"${suffix}`
    if (!Object.hasOwn(checks, name)) {
      const correction = suggestion(name, Object.keys(checks)).replace(' ', '. ')
      throw new TypeError(`${prefix ? `${prefix}: unknown ${text}` : `Unknown ${text}`}${correction}`)
    }
    if (value === undefined) continue
    const rule: Check | { readonly check: Check } = checks[name as keyof Options]
    const check = typeof rule === 'function' ? rule : rule.check
    check(value, prefix ? `${prefix}: ${text}` : `O${text.slice(1)}`)
  }
}

/** @throws {TypeError} always */
export function fail(option: string, expected: string, value: unknown): never {
  throw new TypeError(`${option} must be ${expected}, got ${shown(value)}`)
}

function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'string' && typeof value !== 'object') return String(value)
  if (isObject(value) && !isPlainObject(value)) return `an instance of ${(value as Partial<object>).constructor?.name}`
  try {
    return JSON.stringify(value)
  } catch {
    return 'an object'
  }
}

/** A check by a predicate. @param expected Completes the sentence "Option … must be …". */
export const must = (isValid: (value: unknown) => boolean, expected: string): Check => {
  return (value, option) => isValid(value) || fail(option, expected, value)
}

export const isFunction = (value: unknown): boolean => typeof value === 'function'

export const isString = (value: unknown): value is string => typeof value === 'string'

/** Whether every store can keep the text: PostgreSQL accepts neither NUL nor lone surrogates. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0')

/** A text that a store keeps. Errors call it a string without NUL, because no other text that people write fails. */
export const isStorableString = (value: unknown): value is string => isString(value) && isStorable(value)

export const isListOf = <T>(value: unknown, isValid: (item: unknown) => item is T): value is readonly T[] =>
  Array.isArray(value) && value.every(isValid)

export const isWhole = (value: unknown, min: number, max: number = Number.MAX_SAFE_INTEGER): boolean =>
  Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max

export const isOneOf = (...values: unknown[]): Check =>
  must((value) => values.includes(value), `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`)
