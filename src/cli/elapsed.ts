const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000]

/** How long ago that was, to the precision one remembers it by: `12s`, `5m`, `3h`, `12d`. */
export function age(at: number, now: number): string {
  const ms = Math.max(0, now - at)
  if (ms < minute) return `${Math.floor(ms / second)}s`
  if (ms < hour) return `${Math.floor(ms / minute)}m`
  return ms < 2 * day ? `${Math.floor(ms / hour)}h` : `${Math.floor(ms / day)}d`
}

/** Milliseconds, in the unit that suits them. */
export function elapsed(ms: number): string {
  if (ms < second) return `${Math.round(ms)} ms`
  if (ms < minute) return `${(ms / second).toFixed(1)} s`
  if (ms < hour) return `${(ms / minute).toFixed(1)} min`
  return ms < 2 * day ? `${(ms / hour).toFixed(1)} h` : `${(ms / day).toFixed(1)} d`
}
