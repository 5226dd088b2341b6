/** The parameters of queries. */
import * as v from 'valibot'
import { parseQuery, type Query, QueryError } from '../../../inbox/query/query.ts'
import { valueColumns } from '../../../inbox/query/values.ts'
import { type Fault, ProblemError } from '../../problem.ts'
import { choice, members } from '../../schema.ts'
import { Filters } from './bodies.ts'
import { aCount, aPrefix } from './values.ts'

const optional = v.optional

/** Deliveries in a page. */
const maxPage = 500

export const ListQuery = members({
  ...Filters.entries,
  before: optional(aCount(1)),
  limit: optional(aCount(1, maxPage)),
})

export const ValuesQuery = members({
  column: choice(valueColumns),
  prefix: optional(aPrefix),
  limit: optional(aCount(1, 100)),
})

export const windowNames = ['1h', '24h', '7d'] as const
export type WindowName = (typeof windowNames)[number]

export const StatsQuery = members({ window: optional(choice(windowNames), '1h') })

/** Words and paths in a search. Each takes time for every delivery that is read. */
const maxConditions = 20

/**
 * Merges the search `q` into the other filters. All conditions must hold, so a column that both name must have the same
 * value in both.
 * @param prefix Precedes the names of parameters in faults.
 * @throws {ProblemError} that names everything that is wrong with `q`.
 */
export function queryOf({ q, ...filters }: v.InferOutput<typeof Filters>, prefix = ''): Query {
  if (q === undefined) return filters
  const faults: Fault[] = []
  const fault = (name: string, expected: string) => faults.push({ name: prefix + name, expected })
  const search = searchIn(q, fault)
  const { words = [], paths = [] } = search
  if (words.length + paths.length > maxConditions) fault('q', `${maxConditions} words and paths at most`)
  const query: Query = filters
  for (const name of Object.keys(search) as (keyof Query)[]) {
    if (query[name] !== undefined && query[name] !== search[name]) {
      fault('q', `the same ${name} as the parameter has, or none`)
    }
  }
  if (faults.length > 0) throw ProblemError.because(faults)
  return { ...query, ...search }
}

/** An empty query if `text` is not valid. */
function searchIn(text: string, fault: (name: string, expected: string) => void): Query {
  try {
    return parseQuery(text)
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    for (const { name, expected } of error.faults) fault(`q.${name}`, expected)
    return {}
  }
}
