/**
 * The search is one text, `repo:acme/app state:dead since:2h words`, in the search box and in the address. Each filter
 * shows and changes its part of the text. The server parses the text, but the dashboard replaces dates by timestamps. A
 * day begins at midnight in the time zone of the page, and the server does not know that time zone.
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

const isOr = (token: string): boolean => token === 'or' || token === 'OR'

/** The tokens of each group: the terms that `or` joins, and each `or`. Most groups have one term. */
function groupsIn(text: string): string[][] {
  const groups: string[][] = []
  let isJoined = false
  for (const token of tokensIn(text)) {
    const group = groups.at(-1)
    if (group && (isJoined || isOr(token))) group.push(token)
    else groups.push([token])
    isJoined = isOr(token)
  }
  return groups
}

const termsOf = (group: readonly string[]): string[] => group.filter((token) => !isOr(token))

/**
 * The value of the last condition `name:value`, or the values that `or` joins, separated by commas. Empty if there is
 * none. A group such as `state:dead or event:push` is a condition without a name.
 */
export function valueIn(text: string, name: string): string {
  const groups = groupsIn(text).map(termsOf)
  const values = groups.findLast((terms) => terms.length > 0 && terms.every((term) => nameOf(term) === name)) ?? []
  return values.map(afterColon).join(',')
}

/**
 * Sets the values of conditions. An empty value removes its condition. Groups that also have other conditions stay.
 * Leaves out an `or` with a term on only one side, because it would join a new condition to that term.
 */
export function withValues(text: string, values: Readonly<Record<string, string>>): string {
  const rest = groupsIn(text)
    .map(termsOf)
    .filter((terms) => !terms.every((term) => Object.hasOwn(values, nameOf(term))))
  const given = Object.entries(values).filter(([, value]) => value !== '')
  const conditions = given.map(([name, value]) => typedCondition(name, value))
  return [...conditions, ...rest.map((terms) => terms.join(' or '))].join(' ')
}

/** A condition as an operator types it in a filter: with `,` between values, and with the wildcard `*`. */
const typedCondition = (name: string, value: string): string =>
  /^[^\s"]*$/.test(value) ? `${name}:${value}` : conditionOf(name, value)

export interface ServerSearch {
  q: string
  since?: number
  until?: number
}

/**
 * The search as the server expects it, with dates as timestamps. Of several times with a name, the last one counts.
 * @param isUtc Whether the page shows times in UTC, and not in the operator's time zone.
 */
export function serverSearchOf(text: string, now: number, isUtc: boolean): ServerSearch {
  const rest: string[] = []
  const times: Omit<ServerSearch, 'q'> = {}
  const named = new Set<string>()
  for (const group of groupsIn(text).toReversed()) {
    const [term = ''] = group
    const name = nameOf(term)
    if (group.length > 1 || (name !== 'since' && name !== 'until')) rest.unshift(...group)
    else if (!named.has(name)) {
      named.add(name)
      const time = timestampOf(afterColon(term), now, isUtc)
      if (time === undefined) rest.unshift(term)
      else times[name] = time
    }
  }
  return { ...times, q: rest.join(' ') }
}

/**
 * The timestamp of `today`, `yesterday`, a date or a time in the time zone of the page. `undefined` for any other text,
 * which the server checks.
 */
export function timestampOf(text: string, now: number, isUtc: boolean): number | undefined {
  const daysAgo = ['today', 'yesterday'].indexOf(text)
  if (daysAgo >= 0) return new Date(now)[isUtc ? 'setUTCHours' : 'setHours'](-24 * daysAgo, 0, 0, 0)
  const [, year, month, day, hour = 0, minute = 0] = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d))?$/.exec(text) ?? []
  const parts = [Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute)] as const
  const ofUtc = new Date(Date.UTC(...parts))
  // Rejects a date that does not exist: `Date` would return 3 March for 31 February.
  if (ofUtc.getUTCMonth() + 1 !== Number(month) || ofUtc.getUTCDate() !== Number(day)) return undefined
  return (isUtc ? ofUtc : new Date(...parts)).getTime()
}
