/**
 * How a store finds the deliveries of a query without reading all of them: by the indexes of some columns.
 *
 * An index has the ids of the deliveries with one value, in order. So the deliveries with one of several values are
 * found by merging a few ids of each value (`mergeIds`). For a wildcard, the store reads the values that begin with its
 * prefix from the same index. For the text of an error, the store reads the failure groups whose error has this text.
 */
import { failedTaskStates } from '../failure-groups.ts'
import { hasNumber } from '../normalize-error.ts'
import { deliveryStates } from '../records.ts'
import { durationClassesAbove } from './duration-class.ts'
import { type Expression, expressionsOf, type Query, type Test } from './query.ts'

/** Columns with an index, in the order in which `preferred` chooses them: those with few deliveries per value first. */
const indexedColumns = [
  'guid',
  'sha',
  'number',
  'ref',
  'failure_group',
  'duration_class',
  'repository',
  'state',
  'event',
] as const
export type IndexedColumn = (typeof indexedColumns)[number]

/** A value in an index. */
export interface Branch {
  column: IndexedColumn
  value: string | number
}

/** The values in an index that begin with a prefix, and that `fits` accepts. */
export interface ValueRange {
  column: Exclude<IndexedColumn, 'guid' | 'number' | 'failure_group' | 'state' | 'duration_class'>
  prefix: string
  fits(value: string): boolean
}

/** The failure groups whose error contains a text, or may contain it (`hasNumber`). */
export interface ErrorText {
  column: 'failure_group'
  contains: string
}

/** A part of an index. */
export type Lookup = Branch | ValueRange | ErrorText

/** Maximum values that a page merges. With more of them, a scan of all deliveries is faster. */
export const maxBranches = 200

/** Parts of indexes that together contain all deliveries of a query. */
export interface Candidate {
  lookups: readonly Lookup[]
  /** The conditions that a delivery in these parts of the indexes may not meet. */
  rest: readonly Expression[]
}

/** Maximum ways that are compared. Each comparison reads a step of the search. */
const maxCandidates = 4

/** The best ways to find the deliveries of a query by indexes, the usually fastest first. */
export function candidatesFor(query: Query): Candidate[] {
  const expressions = expressionsOf(query)
  const candidates = expressions.flatMap((expression) => {
    const lookups = lookupsOf(expression)
    if (!lookups) return []
    const rest = isExact(expression) ? expressions.filter((one) => one !== expression) : expressions
    const others = isError(expression) ? [{ lookups: failedStates, rest: expressions }] : []
    return [{ lookups, rest }, ...others]
  })
  return candidates.sort((a, b) => rankOf(a.lookups) - rankOf(b.lookups)).slice(0, maxCandidates)
}

const rankOf = (lookups: readonly Lookup[]): number =>
  Math.max(0, ...lookups.map(({ column }) => indexedColumns.indexOf(column)))

const isError = (expression: Expression): boolean => 'column' in expression && expression.column === 'error'

/** The states of deliveries with an unresolved failure, for errors that too many failure groups may contain. */
const failedStates = failedTaskStates.map((value): Branch => ({ column: 'state', value }))

/** Parts of indexes that contain all deliveries for which an expression holds. `undefined` if there are none. */
function lookupsOf(expression: Expression): readonly Lookup[] | undefined {
  if ('all' in expression) {
    const candidates = expression.all.flatMap((one) => {
      const lookups = lookupsOf(one)
      return lookups ? [lookups] : []
    })
    return candidates.sort((a, b) => rankOf(a) - rankOf(b))[0]
  }
  if ('any' in expression) {
    const lookups = expression.any.map(lookupsOf)
    return lookups.every((one) => one !== undefined) ? lookups.flat() : undefined
  }
  return 'not' in expression ? lookupsOfOthers(expression.not) : lookupsOfTest(expression)
}

function lookupsOfTest(test: Test): readonly Lookup[] | undefined {
  if (test.column === 'error') return [{ column: 'failure_group', contains: test.contains }]
  if ('above' in test) return durationClassesAbove(test.above)?.map((value) => ({ column: 'duration_class', value }))
  if ('is' in test) {
    const { column } = test
    return isIndexed(column) ? [{ column, value: test.is }] : undefined
  }
  if (!('startsWith' in test)) return undefined
  const { column, startsWith: prefix } = test
  const isListed = column === 'event' || column === 'repository' || column === 'sha' || column === 'ref'
  return isListed ? [{ column, prefix, fits: (value) => value.startsWith(prefix) }] : undefined
}

const isIndexed = (column: string): column is IndexedColumn => indexedColumns.some((one) => one === column)

/** The lookups for all values but those of a test. Only for columns that always have a value. */
function lookupsOfOthers(expression: Expression): readonly Lookup[] | undefined {
  const tests = 'any' in expression ? expression.any : [expression]
  const isTestOf = (column: string) => tests.every((one) => 'column' in one && one.column === column)
  const fits = (value: string) => !tests.some((test) => meets(value, test as Test))
  if (isTestOf('event')) return [{ column: 'event', prefix: '', fits }]
  if (!isTestOf('state')) return undefined
  return deliveryStates.filter(fits).map((value) => ({ column: 'state', value }))
}

const meets = (value: string, test: Test): boolean =>
  'is' in test ? value === test.is : 'startsWith' in test && value.startsWith(test.startsWith)

/** Whether the lookups of an expression contain no other deliveries. */
function isExact(expression: Expression): boolean {
  if ('any' in expression) return expression.any.every(isExact)
  if ('not' in expression) return true
  if (!('column' in expression) || ['guid', 'duration'].includes(expression.column)) return false
  return expression.column !== 'error' || !hasNumber(expression.contains)
}

/**
 * The branches of a candidate.
 * @param values The values of each range, and the groups of each error; `undefined` if there are too many.
 * @returns nothing if there are more than `maxBranches`.
 */
export function branchesOf(
  { lookups }: Candidate,
  values: ReadonlyMap<Lookup, readonly (string | number)[] | undefined>,
): Branch[] | undefined {
  const branches = new Map<string, Branch>()
  for (const lookup of lookups) {
    const { column } = lookup
    const found = 'value' in lookup ? [lookup.value] : values.get(lookup)?.filter((value) => fits(lookup, value))
    if (!found) return undefined
    for (const value of found) branches.set(`${column} ${value}`, { column, value })
  }
  return branches.size <= maxBranches ? [...branches.values()] : undefined
}

const fits = (lookup: Lookup, value: string | number): boolean => !('fits' in lookup) || lookup.fits(String(value))

/** The ids of a step, newest first. */
export interface Step {
  ids: number[]
  /** The step has all ids from this one on; 0 if no older ones are left. */
  reached: number
}

/** Minimum ids that a step reads of each branch. Fewer would need more steps. */
const minIds = 50

/** How many ids a step reads of each branch, so that it reads about `size` ids together. */
export const idsPerBranch = (branches: number, size: number): number =>
  branches <= 1 ? size : Math.max(minIds, Math.ceil(size / branches))

/**
 * Merges the newest ids of each branch. Below the last id of a branch, the branch may have ids that were not read, so
 * the step ends at the highest of these ids.
 * @param limit The number of ids that were read of each branch. A branch with fewer ids has no more.
 */
export function mergeIds(branches: readonly (readonly number[])[], limit: number): Step {
  const reached = Math.max(0, ...branches.map((ids) => (ids.length < limit ? 0 : (ids.at(-1) ?? 0))))
  const ids = [...new Set(branches.flat())].filter((id) => id >= reached)
  return { ids: branches.length <= 1 ? ids : ids.sort((a, b) => b - a), reached }
}

/** The index of the step that gets furthest, which is the one with the fewest deliveries per id. */
export function furthest(steps: readonly Step[]): number {
  const order = (a: Step, b: Step) => a.reached - b.reached || a.ids.length - b.ids.length
  return steps.indexOf([...steps].sort(order)[0] as Step)
}
