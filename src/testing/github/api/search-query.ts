import { sees } from '../http/guard.ts'
import { paged, pageSize } from '../http/paging.ts'
import { HttpError, invalid, type Reply } from '../http/reply.ts'
import type { Call } from '../http/route.ts'
import type { Repository } from '../world/repository.ts'

export type Condition<Item> = (item: Item) => boolean

/** A kind of search. */
export interface Searchable<Item> {
  itemsOf(repository: Repository): readonly Item[]
  /** By name: the condition for a value. `undefined` for an unknown value. */
  qualifiers: Readonly<Record<string, (value: string) => Condition<Item> | undefined>>
  /** The condition for a word without a qualifier. */
  containing(text: string): Condition<Item>
}

/** A part of a search text: a word, or a qualifier with its value. */
export interface Term {
  negated: boolean
  /** The name of the qualifier. `undefined`: a word. */
  name: string | undefined
  value: string
}

/** The terms of a search text: `repo:octo/hello -label:"help wanted" broken cart`. @throws {HttpError} if there is none. */
export function termsIn({ url }: Call): Term[] {
  const text = url.searchParams.get('q') ?? ''
  if (text.trim() === '') throw invalid('Search', 'q', 'missing')
  const terms = text.matchAll(/(-?)(?:([a-z]+):)?(?:"([^"]*)"|(\S+))/g)
  return [...terms].map(([, minus, name, quoted, plain = '']) => ({
    negated: minus === '-',
    name,
    value: quoted ?? plain,
  }))
}

/** The items that match all terms, in the repositories that the caller may see. */
export function search<Item>(call: Call, terms: readonly Term[], kind: Searchable<Item>): Item[] {
  const conditions = terms.filter(({ name }) => !isScope(name)).map((term) => conditionOf(term, kind))
  return scopeOf(call, terms)
    .flatMap((repository) => kind.itemsOf(repository))
    .filter((item) => conditions.every((holds) => holds(item)))
}

/** GitHub ignores some qualifiers that it does not know. Here, such a search would find too much without any notice. */
function conditionOf<Item>(
  { negated, name, value }: Term,
  { qualifiers, containing }: Searchable<Item>,
): Condition<Item> {
  const qualifier = name !== undefined && Object.hasOwn(qualifiers, name) ? qualifiers[name] : undefined
  const condition = name === undefined ? containing(value) : qualifier?.(value)
  if (!condition) throw invalid('Search', 'q', 'invalid', `The local GitHub does not know ${name}:${value}`)
  return negated ? (item) => !condition(item) : condition
}

const isScope = (name: string | undefined): boolean => name === 'repo' || name === 'org' || name === 'user'

const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()

const isIn = ({ fullName, owner }: Repository, { name, value }: Term): boolean =>
  isSame(name === 'repo' ? fullName : owner.login, value)

/**
 * The visible repositories that `repo`, `org` and `user` name: of several, each one counts.
 * @throws {HttpError} if the caller sees nothing that they name.
 */
function scopeOf({ world, caller }: Call, terms: readonly Term[]): Repository[] {
  const visible = world.repositories.filter((repository) => !repository.private || sees(caller, repository))
  const [within, without] = [false, true].map((negated) =>
    terms.filter((term) => term.negated === negated && isScope(term.name)),
  )
  const found = visible.filter((repository) => {
    const isNamed = within?.length === 0 || within?.some((term) => isIn(repository, term))
    return isNamed && !without?.some((term) => isIn(repository, term))
  })
  const exists = ({ name, value }: Term) =>
    name === 'repo' ? visible.some(({ fullName }) => isSame(fullName, value)) : world.findAccount(value) !== undefined
  if (!within?.length || within.some(exists)) return found
  throw invalid(
    ...(['Search', 'q', 'invalid'] as const),
    'The listed users and repositories cannot be searched either because the resources do not exist or you do not have permission to view them.',
  )
}

/** GitHub shows no results after these, whatever their number is. */
const maxResults = 1000

/**
 * A page of results.
 * @param lastPage Whether the last page may reach beyond the maximum (`whole`) or ends before it.
 * @throws {HttpError} if the page begins after the last one, even if there are fewer results.
 */
export function resultsPage<Item>(
  { url }: Call,
  found: readonly Item[],
  lastPage: 'whole' | 'before',
  shape: (item: Item) => object,
): Reply {
  const size = pageSize(url)
  const pages = lastPage === 'whole' ? Math.ceil(maxResults / size) : Math.floor(maxResults / size)
  if (Number(url.searchParams.get('page') ?? 1) > pages)
    throw new HttpError(422, 'Only the first 1000 search results are available')
  return paged(url, found.slice(0, pages * size), (some) => ({
    ...{ total_count: found.length, incomplete_results: false },
    items: some.map((item) => ({ ...shape(item), score: 1 })),
  }))
}

/** Orders results by a number, such as a time: the highest first unless `order` is `asc`. */
export function ordered<Item extends { id: number }>({ url }: Call, found: Item[], by: (item: Item) => number): Item[] {
  const ascending = found.toSorted((one, other) => by(one) - by(other) || one.id - other.id)
  return url.searchParams.get('order') === 'asc' ? ascending : ascending.toReversed()
}
