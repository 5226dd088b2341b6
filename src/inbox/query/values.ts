/** Columns whose values somebody may want to choose from. */
export const valueColumns = ['event', 'action', 'repository', 'sender', 'source', 'ref', 'handler'] as const
export type ValueColumn = (typeof valueColumns)[number]

/** Which values of a column to show. */
export interface ValueQuery {
  column: ValueColumn
  /** What they begin with, in whatever case; of a repository, `acme/shop`, also what follows the slash. Default: all. */
  prefix?: string | undefined
  /** How many at most. Default: 20. */
  limit?: number | undefined
}

/** Different values that a store looks at, of a column that it has in order. */
export const maxValues = 10_000
/** Deliveries that it looks at otherwise, the newest. */
export const maxRecent = 5000

/** Those that fit, once each and in alphabetical order, capital letters among the small ones. */
export function filterValues(values: Iterable<string>, { column, prefix = '', limit = 20 }: ValueQuery): string[] {
  const start = prefix.toLowerCase()
  const found = new Map<string, string>()
  for (const value of values) {
    const small = value.toLowerCase()
    const fits = small.startsWith(start) || (column === 'repository' && afterSlash(small).startsWith(start))
    if (value !== '' && fits) found.set(value, small)
  }
  const order = ([value, small]: [string, string], [other, otherSmall]: [string, string]) =>
    compare(small, otherSmall) || compare(value, other)
  return [...found]
    .sort(order)
    .slice(0, limit)
    .map(([value]) => value)
}

const afterSlash = (repository: string): string => repository.slice(repository.indexOf('/') + 1)

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
