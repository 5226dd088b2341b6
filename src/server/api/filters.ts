import { parseQuery, type Query, QueryError, queryFlags } from '../../inbox/query/query.ts'
import { deliveryStates } from '../../inbox/records.ts'
import { type Fault, Unanswerable } from '../problem.ts'
import { aChoice, aCount, aMoment, aText, type Reader } from './values.ts'

/** Words and paths in a search; each costs, for every delivery that is looked at. */
const mostConditions = 20
/** Deliveries in a page. */
const mostLimit = 500

/** Whatever a query can have, but for what only says how far to look. */
type FilterName = Exclude<keyof Query, 'words' | 'paths' | 'before' | 'limit' | 'budget'> | 'q'

/** By which deliveries are chosen; those of a list are the same as those of an act. */
export const filters: Readonly<Record<FilterName, Reader>> = {
  state: aChoice(deliveryStates),
  event: aText,
  action: aText,
  repository: aText,
  sender: aText,
  source: aText,
  guid: aText,
  ref: aText,
  sha: aText,
  number: aCount(0),
  handler: aText,
  flag: aChoice(queryFlags),
  since: aMoment,
  until: aMoment,
  q: aText,
}

/** Which part of a list. */
export const paging: Readonly<Record<'before' | 'limit', Reader>> = { before: aCount(1), limit: aCount(1, mostLimit) }

/**
 * Reads filters, whose values are texts or, in a body, numbers.
 * @param readers Those that may be given.
 * @param prefix What their names are told with.
 * @throws {Unanswerable} naming all that is wrong.
 */
export function readFilters(
  given: Readonly<Record<string, unknown>>,
  readers: Readonly<Record<string, Reader>>,
  prefix = '',
): Query {
  const query: Record<string, unknown> = {}
  const faults: Fault[] = []
  for (const [name, value] of Object.entries(given)) {
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined
    const read = reader?.read(typeof value === 'number' ? String(value) : value)
    const expected = reader?.expected ?? `one of ${Object.keys(readers).join(', ')}`
    if (read === undefined) faults.push({ name: prefix + name, expected })
    else query[name] = read
  }
  const { q, ...rest } = query
  const fault = ({ name, expected }: Fault) => faults.push({ name: prefix + name, expected })
  const merged = typeof q === 'string' ? withSearch(rest, q, fault) : rest
  if (faults.length > 0) throw Unanswerable.because(faults)
  return merged
}

/** All conditions must hold, and what is named twice can have only one value. */
function withSearch(query: Query, text: string, fault: (fault: Fault) => void): Query {
  const search = searchIn(text, fault)
  const { words = [], paths = [] } = search
  if (words.length + paths.length > mostConditions) {
    fault({ name: 'q', expected: `${mostConditions} words and paths at most` })
  }
  for (const name of Object.keys(search) as (keyof Query)[]) {
    if (query[name] !== undefined && query[name] !== search[name]) {
      fault({ name: 'q', expected: `the same ${name} as the parameter has, or none` })
    }
  }
  return { ...query, ...search }
}

/** Nothing, where something in it cannot be read. */
function searchIn(text: string, fault: (fault: Fault) => void): Query {
  try {
    return parseQuery(text)
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    for (const { name, expected } of error.faults) fault({ name: `q.${name}`, expected })
    return {}
  }
}
