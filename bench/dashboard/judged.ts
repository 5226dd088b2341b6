import { median } from '../process.ts'
import { table } from '../table.ts'

export const judgement = (value: number, most: number): string => (value <= most ? 'met' : 'NOT MET')

/** What somebody waited for, several times; in milliseconds. */
export interface Waited {
  what: string
  times: readonly number[]
  /** The longest that the page was held up on the way. */
  longestTask?: number
  /** What the median must not exceed, where it is for the page to decide. */
  most?: number
  /** What the longest task must not exceed. */
  mostTask?: number
}

export function waitedTable(rows: readonly Waited[]): string {
  return table(
    ['until it is painted', 'median ms', 'worst ms', 'longest task ms', 'budget ms', ''],
    rows.map(({ what, times, longestTask = 0, most, mostTask = Number.POSITIVE_INFINITY }) => [
      what,
      median(times).toFixed(0),
      Math.max(...times).toFixed(0),
      longestTask === 0 ? '< 50' : longestTask.toFixed(0),
      most === undefined ? '' : String(most),
      most === undefined ? '' : longestTask > mostTask ? 'NOT MET: long task' : judgement(median(times), most),
    ]),
  )
}
