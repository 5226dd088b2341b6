import { parsePositiveDuration } from '../../runtime/units.ts'

/** Describes the valid forms of a timestamp. */
export const expectedTimestamp =
  'milliseconds since 1970, a date such as 2026-01-31 or 2026-01-31T12:00:00Z, or an age such as 2h or 7d'

/** A date means its start in UTC. A time must have a zone, because operator and server may be in different zones. */
const isoDate = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/

/** Parses a timestamp, into milliseconds since 1970. @returns nothing if the text is invalid. */
export function parseTimestamp(text: string, now: number = Date.now()): number | undefined {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  const date = isoDate.test(text) && isDay(text.slice(0, 10)) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(date)) return date
  const age = parsePositiveDuration(text)
  return age === undefined ? undefined : now - age
}

/** Whether a date exists: `Date` would read 31 February as 3 March. */
function isDay(text: string): boolean {
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}
