/** Columns whose values are suggested. */
export const valueColumns = ['event', 'action', 'repository', 'sender', 'source', 'ref', 'handler'] as const
export type ValueColumn = (typeof valueColumns)[number]

/** Which values of a column to return. */
export interface ValueQuery {
  column: ValueColumn
  /** A prefix, case-insensitive. It may also be one of a repository's name after the slash. Default: all values. */
  prefix?: string | undefined
  /** Maximum values. Default: 20. */
  limit?: number | undefined
}

/** Distinct values that a store reads of a column with an index. */
export const maxValues = 10_000
/** Deliveries that a store reads otherwise, the newest. */
export const maxRecent = 5000

/** The values with the prefix, each once, in case-insensitive alphabetical order. */
export function filterValues(values: Iterable<string>, { column, prefix = '', limit = 20 }: ValueQuery): string[] {
  const start = prefix.toLowerCase()
  const found = new Map<string, string>()
  for (const value of values) {
    const lower = value.toLowerCase()
    const matches = lower.startsWith(start) || (column === 'repository' && afterSlash(lower).startsWith(start))
    if (value !== '' && matches) found.set(value, lower)
  }
  const order = ([value, lower]: [string, string], [other, otherLower]: [string, string]) =>
    compare(lower, otherLower) || compare(value, other)
  return [...found]
    .sort(order)
    .slice(0, limit)
    .map(([value]) => value)
}

const afterSlash = (repository: string): string => repository.slice(repository.indexOf('/') + 1)

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
