/** The time zone of the page: the operator's, or UTC. */
import { utc } from './preferences.ts'

/** A format of times that follows the chosen time zone. */
export function timeFormat(options: Intl.DateTimeFormatOptions): () => Intl.DateTimeFormat {
  const own = new Intl.DateTimeFormat(undefined, options)
  const ofUtc = new Intl.DateTimeFormat(undefined, { ...options, timeZone: 'UTC' })
  return () => (utc.value ? ofUtc : own)
}

/** The number of the day in the chosen time zone. Consecutive days have consecutive numbers. */
export function dayNumber(at: number): number {
  const ahead = utc.value ? 0 : new Date(at).getTimezoneOffset() * 60_000
  return Math.floor((at - ahead) / 86_400_000)
}
