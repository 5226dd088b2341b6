import { median } from '../statistics.ts'
import { table } from '../table.ts'

export const judgement = (value: number, most: number): string => (value <= most ? 'met' : 'NOT MET')

/** Repeated measurements of one wait, in milliseconds. */
export interface Waited {
  what: string
  times: readonly number[]
  /** The longest time for which the page was blocked during a measurement. */
  longestTask?: number
  /** The budget for the median. None if the server, and not the page, determines the time. */
  most?: number
  /** The budget for the longest task. */
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
