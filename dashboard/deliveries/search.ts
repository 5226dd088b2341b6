/**
 * The search is one text, `repo:acme/app state:dead since:2h words`, in the search box and in the address. Each filter
 * shows and changes its part of the text. The server parses the text, but the dashboard replaces dates by timestamps. A
 * day begins at midnight in the operator's time zone, and the server does not know that time zone.
 */

import { conditionOf } from '../ui/search.ts'

/** The words of the text. Quotes hold words together. */
const tokensIn = (text: string): string[] => text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []

/** Removes superfluous spaces. */
export const normalized = (text: string): string => tokensIn(text).join(' ')

/** Names with the same meaning. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['repository', 'repo'],
  ['flag', 'is'],
])

const nameOf = (token: string): string => {
  const name = token.startsWith('"') ? '' : token.slice(0, Math.max(0, token.indexOf(':')))
  return aliases.get(name) ?? name
}

const afterColon = (token: string): string => token.slice(token.indexOf(':') + 1).replaceAll('"', '')

/** The names of all conditions. */
export const namesIn = (text: string): string[] =>
  tokensIn(text)
    .map(nameOf)
    .filter((name) => name !== '')

/** The value of the first condition `name:value`; empty if there is none. */
export function valueIn(text: string, name: string): string {
  const token = tokensIn(text).find((one) => nameOf(one) === name)
  return token === undefined ? '' : afterColon(token)
}

/** Sets the values of conditions. An empty value removes its condition. */
export function withValues(text: string, values: Readonly<Record<string, string>>): string {
  const rest = tokensIn(text).filter((token) => !Object.hasOwn(values, nameOf(token)))
  const given = Object.entries(values).filter(([, value]) => value !== '')
  return [...given.map(([name, value]) => typedCondition(name, value)), ...rest].join(' ')
}

/** A condition as an operator types it in a filter: with `,` between values, and with the wildcard `*`. */
const typedCondition = (name: string, value: string): string =>
  /^[^\s"]*$/.test(value) ? `${name}:${value}` : conditionOf(name, value)

export interface ServerSearch {
  q: string
  since?: number
  until?: number
}

/** The search as the server expects it, with dates as timestamps. */
export function serverSearchOf(text: string, now: number): ServerSearch {
  const search: ServerSearch = { q: '' }
  const rest: string[] = []
  for (const token of tokensIn(text)) {
    const name = nameOf(token)
    const time = name === 'since' || name === 'until' ? timestampOf(afterColon(token), now) : undefined
    if (time === undefined) rest.push(token)
    else search[name as 'since' | 'until'] = time
  }
  return { ...search, q: rest.join(' ') }
}

/**
 * The timestamp of `today`, `yesterday`, a date or a time in the operator's time zone. `undefined` for any other text,
 * which the server checks.
 */
export function timestampOf(text: string, now: number): number | undefined {
  const daysAgo = ['today', 'yesterday'].indexOf(text)
  if (daysAgo >= 0) return new Date(now).setHours(-24 * daysAgo, 0, 0, 0)
  const [, year, month, day, hour = 0, minute = 0] = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d))?$/.exec(text) ?? []
  const time = new Date(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute))
  // Rejects a date that does not exist: `Date` would return 3 March for 31 February.
  return time.getMonth() + 1 === Number(month) && time.getDate() === Number(day) ? time.getTime() : undefined
}
