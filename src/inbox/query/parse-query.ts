import { suggestion } from '../../runtime/nearest.ts'
import { addressIn, expectedAddress } from './addresses.ts'
import { type Key, keys, type Value } from './keys.ts'
import {
  type Condition,
  type Expression,
  isWord,
  type PathCondition,
  type Query,
  QueryError,
  type QueryFault,
} from './query.ts'

/** One term of a search: a condition on columns, a word, a value in the payload, or a time. */
type Term =
  | { kind: 'columns'; text: string; name: string; expression: Expression }
  | { kind: 'word'; text: string; word: string }
  | { kind: 'path'; text: string; path: PathCondition }
  | { kind: 'time'; text: string; name: 'since' | 'until'; time: number }

/** Terms that are joined by `or`. Most groups have one term. */
type Group = Term[]

/**
 * Parses a search. `docs/search.md` describes its grammar: words, addresses of GitHub, `key:value` for columns, and
 * `path:value` for the payload. If a key occurs twice, the last value counts, but every negated condition holds.
 * A blank text gives a query without conditions. Any other text has at least one condition, or is rejected.
 * @param now The time that ages such as `2h` are subtracted from, in milliseconds since 1970. Default: now.
 * @throws {QueryError} with all invalid terms: values (`state:gone`), keys (`status:dead`) and words (`""`).
 */
export function parseQuery(text: string, now: number = Date.now()): Query {
  const faults: QueryFault[] = []
  const words: string[] = []
  const paths: PathCondition[] = []
  const times: Pick<Query, 'since' | 'until'> = {}
  const conditions = new Map<string, Condition>()
  for (const group of groupsIn(text, now, faults)) {
    const [term] = group
    if (!term) continue
    if (group.length > 1) {
      const condition = alternatives(group, faults)
      conditions.set(condition.text, condition)
    } else if (term.kind === 'word') words.push(term.word)
    else if (term.kind === 'path') paths.push(term.path)
    else if (term.kind === 'time') times[term.name] = term.time
    else {
      // `event:issues.opened` and `action:closed` both set the action. `Object.assign` below uses the later condition.
      // `set` alone would leave a repeated key at its first place in the map, so `delete` comes first.
      conditions.delete(term.name)
      conditions.set(term.name, term)
    }
  }
  if (faults.length > 0) throw new QueryError(faults)
  const where: Condition[] = []
  const query: Query = times
  for (const { text, expression } of conditions.values()) {
    const members = membersOf(expression)
    // An address and a key may name different repositories. Then no delivery matches, instead of those of the last one.
    const isTaken = members && Object.keys(members).some((name) => name in query && name !== 'action')
    if (members && !isTaken) Object.assign(query, members)
    else where.push({ text, expression })
  }
  if (words.length > 0) query.words = words
  if (paths.length > 0) query.paths = paths
  if (where.length > 0) query.where = where
  return query
}

/** Parses the form that lists show, `issues.opened`. The action follows the first dot: GitHub's events have no dots. */
export function eventAndAction(text: string): Query {
  const dot = text.indexOf('.')
  const isBoth = dot > 0 && dot < text.length - 1
  return isBoth ? { event: text.slice(0, dot), action: text.slice(dot + 1) } : { event: text }
}

/** The members of a query with the same meaning as an expression. `undefined` if there are none. */
function membersOf(expression: Expression): Query | undefined {
  if ('column' in expression && 'is' in expression && expression.column !== 'failure_group') {
    return { [expression.column]: expression.is }
  }
  if (!('all' in expression)) return undefined
  const members = expression.all.map(membersOf)
  return members.every((one) => one !== undefined) ? Object.assign({}, ...members) : undefined
}

/** The tokens of a text. White space separates them, except between quotes. */
const tokensIn = (text: string): string[] => text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []

function* groupsIn(text: string, now: number, faults: QueryFault[]): Generator<Group> {
  let group: Group = []
  let isJoined = true
  let isLonely = false
  const tokens = tokensIn(text)
  for (const token of tokens) {
    if (token === 'or' || token === 'OR') {
      isLonely ||= isJoined
      isJoined = true
      continue
    }
    const term = termIn(token, now)
    if (!isJoined) {
      yield group
      group = []
    }
    isJoined = false
    if ('kind' in term) group.push(term)
    else faults.push(term)
  }
  if (isLonely || (isJoined && tokens.length > 0)) faults.push(lonelyOr)
  yield group
}

const lonelyOr: QueryFault = {
  name: 'or',
  expected: 'a condition before and after it; to search for the word, write "or" in quotes',
}

function alternatives(group: Group, faults: QueryFault[]): Condition {
  const any = group.flatMap((term): Expression[] => {
    if (term.kind === 'columns') return [term.expression]
    if (term.kind === 'word') return [{ column: 'word', contains: term.word }]
    faults.push({ name: 'or', expected: `words and conditions on columns, not ${term.text}` })
    return []
  })
  return { text: group.map((term) => term.text).join(' or '), expression: { any } }
}

function termIn(token: string, now: number): Term | QueryFault {
  if (!/^-[^\s-]/.test(token)) return positiveTermIn(token, now)
  const term = positiveTermIn(token.slice(1), now)
  if (!('kind' in term)) return term
  if (term.kind === 'columns') return negated(token, term.expression)
  if (term.kind === 'word') return negated(token, { column: 'word', contains: term.word })
  return {
    name: token,
    expected: 'a word or a condition on columns after the minus; put the term in quotes to search for its text',
  }
}

/** The text is also the name, so that another condition with the same key does not replace this one. */
const negated = (text: string, expression: Expression): Term => {
  return { kind: 'columns', text, name: text, expression: { not: expression } }
}

function positiveTermIn(token: string, now: number): Term | QueryFault {
  const address = addressIn(token)
  if (address === 'unknown') return { name: 'address', expected: expectedAddress }
  if (address) return { kind: 'columns', text: token, name: token, expression: address }
  const colon = token.indexOf(':')
  const name = colon < 0 ? '' : token.slice(0, colon).replaceAll('"', '')
  const raw = token.slice(colon + 1)
  const value = raw.replaceAll('"', '')
  if (name === '' || value === '' || token.startsWith('"')) {
    const word = token.replaceAll('"', '')
    return isWord(word) ? { kind: 'word', text: token, word } : { name: 'words', expected: expectedWord }
  }
  const key = keys.get(name)
  if (key) return conditionIn(token, name, key, raw, now)
  if (!name.includes('.')) return unknownKey(name)
  const path = (name.startsWith('.') ? name.slice(1) : name).split('.')
  return { kind: 'path', text: token, path: { path, value } }
}

const expectedWord = 'a word that is not empty and has no control characters'

function conditionIn(text: string, name: string, key: Key, raw: string, now: number): Term | QueryFault {
  if ('time' in key) {
    const time = key.read(raw.replaceAll('"', ''), now)
    return time === undefined ? { name, expected: key.expected } : { kind: 'time', text, name: key.time, time }
  }
  if (key.isList && hasInnerWildcard(raw)) return { name, expected: key.expected }
  const values = key.isList ? valuesIn(raw) : [{ text: raw.replaceAll('"', ''), hasWildcard: false }]
  const any: Expression[] = []
  for (const value of values) {
    const expression = key.read(value)
    if (!expression) return { name, expected: key.expected + suggestionOf(value, key) }
    any.push(expression)
  }
  const [only] = any
  if (!only) return { name, expected: key.expected }
  return { kind: 'columns', text, name: key.name, expression: any.length === 1 ? only : { any } }
}

/** The value may belong to another key, as in `is:dead` or `state:gone`. */
function suggestionOf({ text }: Value, { choices = [] }: { choices?: readonly string[] }): string {
  const [owner] = [...keys].find(([, key]) => 'choices' in key && key.choices?.includes(text)) ?? []
  const correction = suggestion(text.slice(0, maxName), choices)
  if (owner) return `. Did you mean "${owner}:${text}"?`
  return correction && `.${correction}`
}

/** The values of a list. Commas separate them, except between quotes. A quoted `*` is no wildcard. */
function valuesIn(raw: string): Value[] {
  const parts = raw.match(/(?:[^,"]|"[^"]*"?)+/g) ?? []
  return parts.flatMap((part) => {
    const hasWildcard = part.endsWith('*')
    const text = (hasWildcard ? part.slice(0, -1) : part).replaceAll('"', '')
    return text === '' && !hasWildcard ? [] : [{ text, hasWildcard }]
  })
}

/** Whether a `*` is not at the end of a value. A quoted one is no wildcard. */
const hasInnerWildcard = (raw: string): boolean => /\*[^,]/.test(raw.replaceAll(/"[^"]*"?/g, '"'))

/** Maximum characters of a name in a message. */
const maxName = 50

function unknownKey(name: string): QueryFault {
  const shown = name.slice(0, maxName)
  const correction = suggestion(shown, [...keys.keys()])
  const message = `Unknown key "${shown}".${correction} To search for a member of the payload, begin with a dot: ".${shown}:". To search for a text, put it in quotes.`
  return { name: shown, expected: 'a known key', message }
}
