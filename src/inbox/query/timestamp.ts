import { parseDuration } from '../../runtime/timer.ts'

/** Describes the valid forms of a timestamp. */
export const expectedTimestamp =
  'milliseconds since 1970, a date such as 2026-01-31 or 2026-01-31T12:00:00Z, or an age such as 2h or 7d'

/** Parses a timestamp, into milliseconds since 1970. @returns nothing if the text is invalid. */
export function parseTimestamp(text: string, now: number = Date.now()): number | undefined {
  return milliseconds(text) ?? date(text) ?? age(text, now)
}

const milliseconds = (text: string): number | undefined => (/^\d{1,15}$/.test(text) ? Number(text) : undefined)

/** A date starts in UTC. A time must have its zone, since the operator's and the server's may differ. */
const isoDate = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/

function date(text: string): number | undefined {
  if (!isoDate.test(text) || !isDay(text.slice(0, 10))) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}

/** `Date` reads 31 February as 3 March. */
function isDay(text: string): boolean {
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

function age(text: string, now: number): number | undefined {
  const ms = parseDuration(text)
  return ms === undefined ? undefined : now - ms
}
