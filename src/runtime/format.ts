/** Texts for people: counts, times, and arguments of suggested commands. */

import { day, hour, minute, second } from './units.ts'

/** An argument of a suggested command, for a POSIX shell. */
export const shellQuoted = (text: string): string =>
  /^[\w./@:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

/** `1 delivery`, `2 deliveries`. */
export function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** The time since `at`, rounded down: `12s`, `5m`, `3h`, `12d`. */
export function formatAge(at: number, now: number): string {
  const ms = Math.max(0, now - at)
  if (ms < minute) return `${Math.floor(ms / second)}s`
  if (ms < hour) return `${Math.floor(ms / minute)}m`
  return ms < 2 * day ? `${Math.floor(ms / hour)}h` : `${Math.floor(ms / day)}d`
}

/** `0.8 ms`, `12 ms`, `1.5 s`, `2.0 min`, `3.5 h`, `4.0 d`. */
export function formatDuration(ms: number): string {
  if (ms < second) return `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`
  if (ms < minute) return `${(ms / second).toFixed(1)} s`
  if (ms < hour) return `${(ms / minute).toFixed(1)} min`
  return ms < 2 * day ? `${(ms / hour).toFixed(1)} h` : `${(ms / day).toFixed(1)} d`
}
