const hour = 3_600_000

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' })

/** A label of the time axis: the date where a day begins, otherwise the time. */
export function tickFormat(at: number): string {
  const date = new Date(at)
  return date.getHours() === 0 && date.getMinutes() === 0 ? day.format(at) : clock.format(at)
}

/**
 * The start of a step, with the date if a step is an hour or longer, because the window then spans several days.
 * @param step Length of a step in milliseconds.
 */
export const stepFormat =
  (step: number): ((at: number) => string) =>
  (at) =>
    step >= hour ? dayAndTime(at) : clock.format(at)

/** A date and a time, to the minute. */
export const dayAndTime = (at: number): string => `${day.format(at)}, ${clock.format(at)}`
