import { conditionOf } from '../ui/search.ts'

/** The names from the root of a payload to a member. Items of lists have numbers. */
export type Names = readonly (string | number)[]

/** `commits[0].author.name`, as programs write it. */
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
 * `commits.author.name`, as a search writes it. A search tests all items of a list. `undefined` for names that a search
 * cannot express.
 */
export function searchPathOf(names: Names): string | undefined {
  const members = names.filter((name) => typeof name === 'string')
  if (members.length === 0 || members.some((name) => !/^[^\s".:]+$/.test(name))) return undefined
  return members.join('.')
}

/** Names that are filters, so a search does not read them as paths. */
const taken = [
  ...['state', 'source', 'guid', 'event', 'handler', 'repo', 'repository', 'sender', 'flag', 'is'],
  ...['since', 'until'],
]

/** The search for deliveries with the same value: `sender.login:octocat`. `undefined` if there is none. */
export function findText(names: Names, value: unknown): string | undefined {
  const path = searchPathOf(names)
  if (path === undefined || taken.includes(path) || (path === 'number' && !Number.isSafeInteger(value)))
    return undefined
  if (typeof value === 'object' && value !== null) return undefined
  const text = String(value)
  // The search reads all white space as one space.
  const isSayable = text !== '' && text.length <= 200 && !/["\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|[^\S ]|\s{2}/u.test(text)
  return isSayable ? conditionOf(path, text) : undefined
}
