import { parseDuration } from '../../runtime/timer.ts'

/** What a moment must be, in words. */
export const expectedTimestamp =
  'milliseconds since 1970, a date such as 2026-01-31 or 2026-01-31T12:00:00Z, or an age such as 2h or 7d'

/** A point in time that somebody typed, as milliseconds since 1970; `undefined` for what is none. */
export function parseTimestamp(text: string, now: number = Date.now()): number | undefined {
  return milliseconds(text) ?? date(text) ?? age(text, now)
}

const milliseconds = (text: string): number | undefined => (/^\d{1,15}$/.test(text) ? Number(text) : undefined)

/** A day begins in UTC, and a time says its zone: whose else would it be? */
const isoDate = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/

function date(text: string): number | undefined {
  if (!isoDate.test(text) || !isDay(text.slice(0, 10))) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}

/** Where there is no 31st of February, `Date` takes the 3rd of March. */
function isDay(text: string): boolean {
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

function age(text: string, now: number): number | undefined {
  const ms = parseDuration(text)
  return ms === undefined ? undefined : now - ms
}
