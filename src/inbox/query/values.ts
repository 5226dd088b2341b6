/** Columns whose values are suggested. */
export const valueColumns = ['event', 'action', 'repository', 'sender', 'source', 'ref', 'handler'] as const
/** A column whose values can be listed. */
export type ValueColumn = (typeof valueColumns)[number]

/** Which values of a column to return. */
export interface ValueQuery {
  /** The column whose values are listed. */
  column: ValueColumn
  /** A case-insensitive prefix of the value, or of a repository's name after the slash. Default: all values. */
  prefix?: string | undefined
  /** Maximum values. Default: 20. */
  limit?: number | undefined
}

/** The maximum number of distinct values that a store reads from a column with an index. */
export const maxValues = 10_000
/** The number of newest deliveries that a store reads for a column without an index. */
export const maxRecent = 5000

/**
 * The first `limit` distinct values that begin with the prefix, in case-insensitive alphabetical order. A repository
 * also matches if its name after the slash begins with the prefix.
 */
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
