/**
 * What one searches for is one text, `repo:acme/app state:dead since:2h words`, in the search box, in the address, and
 * behind every filter, each of which shows and changes its part of it. The server reads the text; only times are read
 * here, since a day begins when it does for whoever looks.
 */

import { conditionOf } from '../ui/search.ts'

/** Parts of the text; quotes hold words together. */
const tokensIn = (text: string): string[] => text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []

/** The same without spaces that mean nothing. */
export const tidy = (text: string): string => tokensIn(text).join(' ')

/** Names that mean the same. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['repository', 'repo'],
  ['flag', 'is'],
])

const nameOf = (token: string): string => {
  const name = token.startsWith('"') ? '' : token.slice(0, Math.max(0, token.indexOf(':')))
  return aliases.get(name) ?? name
}

const valueIn = (token: string): string => token.slice(token.indexOf(':') + 1).replaceAll('"', '')

/** The names of all conditions in the text. */
export const namesIn = (text: string): string[] =>
  tokensIn(text)
    .map(nameOf)
    .filter((name) => name !== '')

/** The value of `name:value` in the text. */
export function chosenIn(text: string, name: string): string {
  const token = tokensIn(text).find((one) => nameOf(one) === name)
  return token === undefined ? '' : valueIn(token)
}

/** The text with another value there; without it, if there is none. */
export function withValues(text: string, values: Readonly<Record<string, string>>): string {
  const rest = tokensIn(text).filter((token) => !Object.hasOwn(values, nameOf(token)))
  const given = Object.entries(values).filter(([, value]) => value !== '')
  return [...given.map(([name, value]) => conditionOf(name, value)), ...rest].join(' ')
}

export interface Asked {
  q: string
  since?: number
  until?: number
}

/** What the server is asked for. */
export function askedFor(text: string, now: number): Asked {
  const asked: Asked = { q: '' }
  const rest: string[] = []
  for (const token of tokensIn(text)) {
    const name = nameOf(token)
    const time = name === 'since' || name === 'until' ? momentOf(valueIn(token), now) : undefined
    if (time === undefined) rest.push(token)
    else asked[name as 'since' | 'until'] = time
  }
  return { ...asked, q: rest.join(' ') }
}

/** `today`, `yesterday`, a date or a time, in the zone of whoever looks; all else is for the server to judge. */
export function momentOf(text: string, now: number): number | undefined {
  const daysAgo = ['today', 'yesterday'].indexOf(text)
  if (daysAgo >= 0) return new Date(now).setHours(-24 * daysAgo, 0, 0, 0)
  const [, year, month, day, hour = 0, minute = 0] = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d))?$/.exec(text) ?? []
  const time = new Date(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute))
  // `Date` takes the 31st of February for the 3rd of March.
  return time.getMonth() + 1 === Number(month) && time.getDate() === Number(day) ? time.getTime() : undefined
}
