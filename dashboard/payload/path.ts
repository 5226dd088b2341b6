import { conditionOf } from '../ui/search.ts'

/** The names from the root of a payload to one of its members; a list's are numbers. */
export type Names = readonly (string | number)[]

/** `commits[0].author.name`, as a program writes it. */
export function pathOf(names: Names): string {
  return names
    .map((name, index) => {
      if (typeof name === 'number') return `[${name}]`
      if (!/^[\w$-]+$/.test(name)) return `[${JSON.stringify(name)}]`
      return index === 0 ? name : `.${name}`
    })
    .join('')
}

/**
 * `commits.author.name`, as the search of deliveries takes it: a list is searched in all of its items. `undefined` where
 * the search has no way to say it.
 */
export function searchPathOf(names: Names): string | undefined {
  const members = names.filter((name) => typeof name === 'string')
  if (members.length === 0 || members.some((name) => !/^[^\s".:]+$/.test(name))) return undefined
  return members.join('.')
}

/** Words that mean something else in the search where they stand alone. */
const taken = [
  ...['state', 'source', 'guid', 'event', 'handler', 'repo', 'repository', 'sender', 'flag', 'is'],
  ...['since', 'until'],
]

/** What finds the deliveries with this value there: `sender.login:octocat`. `undefined` where nothing does. */
export function findText(names: Names, value: unknown): string | undefined {
  const path = searchPathOf(names)
  if (path === undefined || taken.includes(path) || (path === 'number' && !Number.isSafeInteger(value)))
    return undefined
  if (typeof value === 'object' && value !== null) return undefined
  const text = String(value)
  // In a search spaces are one plain space.
  const isSayable = text !== '' && text.length <= 200 && !/["\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|[^\S ]|\s{2}/u.test(text)
  return isSayable ? conditionOf(path, text) : undefined
}
