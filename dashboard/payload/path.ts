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
 * cannot express. A dot at the beginning keeps the search from reading the path as a filter, a minus or an address.
 */
export function searchPathOf(names: Names): string | undefined {
  const members = names.filter((name) => typeof name === 'string')
  const [first] = members
  if (first === undefined || members.some((name) => !/^[^\s".:]+$/.test(name))) return undefined
  const isPlain = members.length > 1 && /^\w+$/.test(first) && members.every((name) => !name.includes('/'))
  return `${isPlain ? '' : '.'}${members.join('.')}`
}

/** The search for deliveries with the same value: `sender.login:octocat`. `undefined` if there is none. */
export function findText(names: Names, value: unknown): string | undefined {
  const path = searchPathOf(names)
  if (path === undefined || (typeof value === 'object' && value !== null)) return undefined
  const text = String(value)
  // The search reads all white space as one space.
  const isSayable = text !== '' && text.length <= 200 && !/["\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|[^\S ]|\s{2}/u.test(text)
  return isSayable ? conditionOf(path, text) : undefined
}
