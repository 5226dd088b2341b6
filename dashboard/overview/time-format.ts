import { dayNumber, timeFormat } from '../ui/zone.ts'

const hour = 3_600_000

const clock = timeFormat({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const day = timeFormat({ month: 'short', day: 'numeric' })

/** A label of the time axis: the date where a day begins, otherwise the time. */
export const tickFormat = (at: number): string =>
  dayNumber(at) === dayNumber(at - 1) ? clock().format(at) : day().format(at)

/**
 * The start of a step, with the date if a step is an hour or longer, because the window then spans several days.
 * @param step Length of a step in milliseconds.
 */
export const stepFormat =
  (step: number): ((at: number) => string) =>
  (at) =>
    step >= hour ? dayAndTime(at) : clock().format(at)

/** A date and a time, to the minute. */
export const dayAndTime = (at: number): string => `${day().format(at)}, ${clock().format(at)}`
