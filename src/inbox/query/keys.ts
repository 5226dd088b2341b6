/** The keys of a search: the names before a colon that mean a column, and not a path in the payload. */
import { parsePositiveDuration } from '../../runtime/units.ts'
import { deliveryStates } from '../records.ts'
import { commitTest, refTest } from './addresses.ts'
import { type Expression, isWord, queryFlags, type TextColumn } from './query.ts'
import { expectedTimestamp, parseTimestamp } from './timestamp.ts'

/** One value of a condition. With a wildcard, a column must begin with it. */
export interface Value {
  text: string
  hasWildcard: boolean
}

interface ColumnKey {
  /** Keys with the same name replace each other. */
  name: string
  /** Describes the valid values. */
  expected: string
  /** All values, if they are few. */
  choices?: readonly string[]
  /** Whether commas separate several values. */
  isList: boolean
  /** @returns nothing if the value is invalid. */
  read(value: Value): Expression | undefined
}

interface TimeKey {
  time: 'since' | 'until'
  expected: string
  read(value: string, now: number): number | undefined
}

export type Key = ColumnKey | TimeKey

const choiceKey = (name: 'state' | 'flag', choices: readonly string[]): ColumnKey => ({
  ...{ name, choices, isList: true, expected: `one of ${choices.join(', ')}` },
  read: ({ text, hasWildcard }) => {
    return choices.includes(text) && !hasWildcard ? ({ column: name, is: text } as Expression) : undefined
  },
})

const expectedText = 'a text, which may end with the wildcard *; put a text with another * in quotes'

/** Only at its end, a `*` is a wildcard. The parser has removed this one. */
const textTest = (column: TextColumn, { text, hasWildcard }: Value): Expression => {
  return hasWildcard ? { column, startsWith: text } : { column, is: text }
}

const textKey = (name: string, read: (value: Value) => Expression | undefined): ColumnKey => {
  // PostgreSQL has no text with this character.
  return {
    name,
    isList: true,
    expected: expectedText,
    read: (value) => (value.text.includes('\0') ? undefined : read(value)),
  }
}

const columnKey = (column: TextColumn): ColumnKey => textKey(column, (value) => textTest(column, value))

/** `issues.opened` is an event and its action. The action follows the first dot: GitHub's events have no dots. */
function eventTest({ text, hasWildcard }: Value): Expression {
  const dot = text.indexOf('.')
  if (dot <= 0 || (dot === text.length - 1 && !hasWildcard)) return textTest('event', { text, hasWildcard })
  const action = textTest('action', { text: text.slice(dot + 1), hasWildcard })
  return { all: [{ column: 'event', is: text.slice(0, dot) }, action] }
}

const refKey = (name: string, kind: 'heads' | 'tags'): ColumnKey =>
  textKey(name, ({ text, hasWildcard }) => refTest(kind, text, hasWildcard ? 'startsWith' : 'is'))

const shaKey = textKey('sha', (value) => {
  const isHex = /^[0-9a-f]{4,64}$/i.test(value.text)
  return isHex ? commitTest(value.text) : textTest('sha', value)
})

const organizationKey: ColumnKey = {
  ...{ name: 'org', isList: true, expected: 'the name of an organization or user, such as acme' },
  read({ text, hasWildcard }) {
    if (/[/\0]/.test(text)) return undefined
    return { column: 'repository', startsWith: hasWildcard ? text : `${text}/` }
  },
}

const numberKey = (name: string, column: 'number' | 'failure_group', expected: string): ColumnKey => ({
  ...{ name, isList: true, expected },
  read({ text, hasWildcard }) {
    const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    return Number.isSafeInteger(number) && !hasWildcard ? { column, is: number } : undefined
  },
})

const containsKey = (column: 'title' | 'error'): ColumnKey => ({
  ...{ name: column, isList: false, expected: 'a text without control characters' },
  read: ({ text }) => (isWord(text) ? { column, contains: text } : undefined),
})

const durationKey: ColumnKey = {
  ...{ name: 'duration', isList: false, expected: '> or < and a duration, such as >5s or <200ms' },
  read({ text }) {
    const [, comparison, limit = ''] = /^([<>])(.*)$/.exec(text) ?? []
    const duration = parsePositiveDuration(limit)
    if (duration === undefined) return undefined
    return comparison === '>' ? { column: 'duration', above: duration } : { column: 'duration', below: duration }
  },
}

const timeKey = (time: 'since' | 'until'): TimeKey => ({ time, expected: expectedTimestamp, read: parseTimestamp })

const repository = columnKey('repository')
const flag = choiceKey('flag', queryFlags)

export const keys: ReadonlyMap<string, Key> = new Map<string, Key>([
  ['state', choiceKey('state', deliveryStates)],
  ['event', textKey('event', eventTest)],
  ['action', columnKey('action')],
  ['repository', repository],
  ['repo', repository],
  ['org', organizationKey],
  ['sender', columnKey('sender')],
  ['source', columnKey('source')],
  ['guid', columnKey('guid')],
  ['ref', columnKey('ref')],
  ['branch', refKey('branch', 'heads')],
  ['tag', refKey('tag', 'tags')],
  ['sha', shaKey],
  ['number', numberKey('number', 'number', 'a whole number')],
  ['title', containsKey('title')],
  ['handler', columnKey('handler')],
  ['error', containsKey('error')],
  ['failure', numberKey('failure', 'failure_group', 'the id of a failure group')],
  ['duration', durationKey],
  ['is', flag],
  ['flag', flag],
  ['since', timeKey('since')],
  ['until', timeKey('until')],
])
