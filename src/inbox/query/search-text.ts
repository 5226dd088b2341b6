import type { PathCondition, Query } from './query.ts'

/** The text of a search that finds the deliveries of a query. */
export function searchText({
  words,
  paths,
  where,
  since,
  until,
  before: _,
  limit: __,
  budget: ___,
  ...columns
}: Query): string {
  const times = Object.entries({ since, until }).flatMap(([key, at]) => {
    return at === undefined ? [] : [`${key}:${new Date(at).toISOString()}`]
  })
  const tests = Object.entries(columns).flatMap(([key, value]) => {
    return value === undefined ? [] : [`${key}:${/^[\w./-]+$/.test(String(value)) ? value : quoted(String(value))}`]
  })
  return [...tests, ...times, termsOf({ words, paths, where })].filter((term) => term !== '').join(' ')
}

/** The conditions that are no members of a query, as terms of a search. */
export function termsOf({ words = [], paths = [], where = [] }: Pick<Query, 'words' | 'paths' | 'where'>): string {
  return [...words.map(quoted), ...paths.map(pathText), ...where.map(({ text }) => text)].join(' ')
}

/** Puts a text in quotes. The texts of a parsed query contain no quotes, so nothing is escaped. */
const quoted = (text: string): string => `"${text}"`

/** A condition as a term of a search. The dot keeps the term from being a word, or a condition on a column. */
const pathText = ({ path, value }: PathCondition): string => `.${quoted(path.join('.'))}:${quoted(value)}`
