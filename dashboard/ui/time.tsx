import { signal } from '@preact/signals'
import { serverTime } from '../api/client.ts'
import { duration } from './units.ts'

/** The server's time in milliseconds since 1970, updated every second while the page is visible. */
export const now = signal(serverTime())

setInterval(() => {
  if (!document.hidden) now.value = serverTime()
}, 1000)

const exactFormat = new Intl.DateTimeFormat(undefined, {
  ...{ year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' },
  ...{ fractionalSecondDigits: 3, timeZoneName: 'short' },
})

/** To the millisecond, in the operator's time zone. */
export const exact = (at: number): string => exactFormat.format(at)

const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: 'long', month: 'long', day: 'numeric' })
const zone = new Intl.DateTimeFormat(undefined, { timeZoneName: 'short' })

/** The date in the operator's time zone, with the name of the zone, since the server may be in another one. */
export function dayNameOf(at: number, from: number): string {
  const daysAgo = Math.round((new Date(from).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000)
  const name = daysAgo === 0 ? 'Today, ' : daysAgo === 1 ? 'Yesterday, ' : ''
  const zoneName = zone.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value
  return `${name}${dayFormat.format(at)} (${zoneName})`
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

export function Exact({ at }: { at: number }) {
  return (
    <time class="number" dateTime={new Date(at).toISOString()} title={relative(at, now.value)}>
      {exact(at)}
    </time>
  )
}
