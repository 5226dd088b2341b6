import { signal } from '@preact/signals'
import { serverTime } from '../api/client.ts'
import { utc } from './preferences.ts'
import { duration } from './units.ts'
import { dayNumber, timeFormat } from './zone.ts'

/** The server's time in milliseconds since 1970, updated every second while the page is visible. */
export const now = signal(serverTime())

setInterval(() => {
  if (!document.hidden) now.value = serverTime()
}, 1000)

const date = { year: 'numeric', month: 'short', day: 'numeric' } as const
const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const
const exactFormat = timeFormat({ ...date, ...clock, fractionalSecondDigits: 3, timeZoneName: 'short' })
const clockFormat = timeFormat(clock)
const dateFormat = timeFormat(date)
const dayFormat = timeFormat({ weekday: 'long', month: 'long', day: 'numeric' })
const zoneFormat = timeFormat({ timeZoneName: 'short' })

/** To the millisecond. */
export const exact = (at: number): string => exactFormat().format(at)

/** The time of day, and the date if it is another day than `from`. */
export function clockText(at: number, from: number): string {
  const time = clockFormat().format(at)
  return dayNumber(at) === dayNumber(from) ? time : `${dateFormat().format(at)}, ${time}`
}

/** The date with the name of the time zone, since the server may be in another one. */
export function dayNameOf(at: number, from: number): string {
  const daysAgo = dayNumber(from) - dayNumber(at)
  const name = daysAgo === 0 ? 'Today, ' : daysAgo === 1 ? 'Yesterday, ' : ''
  const zone = zoneFormat().formatToParts(at)
  const zoneName = zone.find(({ type }) => type === 'timeZoneName')?.value
  return `${name}${dayFormat().format(at)} (${zoneName})`
}

/** Rounds times below a minute to five seconds, and times below an hour to minutes, so that a list does not flicker. */
export function relative(at: number, from: number): string {
  const ms = Math.abs(from - at)
  if (ms < 5000) return 'now'
  const step = ms < 60_000 ? 5000 : ms < 3_600_000 ? 60_000 : 1
  const rounded = Math.floor(ms / step) * step
  return from < at ? `in ${duration(rounded)}` : `${duration(rounded)} ago`
}

/** How long ago a time was, or how far in the future it is. The tooltip has the exact time. */
export function Ago({ at }: { at: number }) {
  return (
    <time class="number" dateTime={new Date(at).toISOString()} title={exact(at)}>
      {relative(at, now.value)}
    </time>
  )
}

/** How long something has lasted. Rounded as `Ago`. */
export function Age({ since }: { since: number }) {
  const ms = Math.max(0, now.value - since)
  const step = ms < 60_000 ? 1000 : 60_000
  return (
    <time class="number" dateTime={new Date(since).toISOString()} title={`since ${exact(since)}`}>
      {duration(Math.floor(ms / step) * step)}
    </time>
  )
}

export function Exact({ at }: { at: number }) {
  return (
    <time class="number" dateTime={new Date(at).toISOString()} title={relative(at, now.value)}>
      {exact(at)}
    </time>
  )
}

/** Shows all times in UTC, for example to compare them with the log of the server. */
export function UtcSwitch() {
  return (
    <label class="utc">
      <input
        type="checkbox"
        checked={utc.value}
        onChange={({ currentTarget }) => (utc.value = currentTarget.checked)}
      />{' '}
      Times in UTC
    </label>
  )
}
