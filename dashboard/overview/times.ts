const hour = 3_600_000

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' })

/** Beside an axis: the day where one begins. */
export function tickFormat(at: number): string {
  const date = new Date(at)
  return date.getHours() === 0 && date.getMinutes() === 0 ? day.format(at) : clock.format(at)
}

/** When a step begins; with the day, if steps are of several days. @param step Its length, in milliseconds. */
export const stepFormat =
  (step: number): ((at: number) => string) =>
  (at) =>
    step >= hour ? dayAndTime(at) : clock.format(at)

/** A day and a time, to the minute. */
export const dayAndTime = (at: number): string => `${day.format(at)}, ${clock.format(at)}`
