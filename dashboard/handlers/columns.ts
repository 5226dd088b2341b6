/** The columns of the table of handlers, and how rows are sorted by them. */
import type { Handler } from '../../src/server/api/schemas/responses.ts'

export type ColumnName = 'name' | 'success' | 'attempts' | 'p50' | 'p95' | 'p99' | 'running' | 'waiting' | 'failed'

export interface Column {
  title: string
  /** Explains the column. */
  hint: string
  /** What rows are sorted by. A missing number counts as the lowest. */
  value: (handler: Handler) => string | number | undefined
}

/** The share of successes among successes and failures, from 0 to 1. `undefined` if there are none of either. */
export function successOf({ statistics: { succeeded, failed, dead } }: Handler): number | undefined {
  const ended = succeeded + failed + dead
  return ended === 0 ? undefined : succeeded / ended
}

export const columns: Readonly<Record<ColumnName, Column>> = {
  name: { title: 'Handler', hint: 'The name of the handler', value: ({ name }) => name },
  success: { title: 'Success', hint: 'The share of attempts that succeeded', value: successOf },
  attempts: { title: 'Attempts', hint: 'Attempts that ended', value: ({ statistics }) => statistics.attempts },
  ...latencyColumns(),
  running: {
    title: 'Running',
    hint: 'Attempts that run now, in all processes',
    value: ({ statistics }) => statistics.running,
  },
  waiting: {
    title: 'Waiting',
    hint: 'Deliveries that wait for an attempt now, and the longest wait',
    value: ({ statistics }) => statistics.waiting,
  },
  failed: {
    title: 'Failed',
    hint: 'Attempts that failed, with and without a retry',
    value: ({ statistics: { failed, dead } }) => failed + dead,
  },
}

function latencyColumns(): Record<'p50' | 'p95' | 'p99', Column> {
  const column = (name: 'p50' | 'p95' | 'p99', hint: string): Column => {
    return { title: name, hint, value: ({ statistics }) => statistics.durations?.[name] }
  }
  return {
    p50: column('p50', 'Half of the attempts took at most so long'),
    p95: column('p95', '95 % of the attempts took at most so long'),
    p99: column('p99', '99 % of the attempts took at most so long'),
  }
}

export interface Sort {
  column: ColumnName
  isDescending: boolean
}

/** The order in the address: `p95`, or `-p95` for the highest first. Default: the names. */
export function sortIn(text = 'name'): Sort {
  const isDescending = text.startsWith('-')
  const column = isDescending ? text.slice(1) : text
  return Object.hasOwn(columns, column)
    ? { column: column as ColumnName, isDescending }
    : { column: 'name', isDescending: false }
}

/** The order after a click on the title of a column. Numbers begin with the highest one. */
export function nextSort(column: ColumnName, sort: Sort): string {
  const isDescending = column === sort.column ? !sort.isDescending : column !== 'name'
  return isDescending ? `-${column}` : column
}

/** Sorts by the column, and by name if two values are the same. */
export function sorted(handlers: readonly Handler[], { column, isDescending }: Sort): Handler[] {
  const { value } = columns[column]
  const direction = isDescending ? -1 : 1
  return handlers.toSorted((a, b) => {
    return direction * compare(value(a) ?? -1, value(b) ?? -1) || compare(a.name, b.name)
  })
}

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0)
