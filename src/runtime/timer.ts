/** In milliseconds. Timers that are set for longer fire at once. */
export const longestTimer: number = 2 ** 31 - 1

/** Calls `work` after `ms` milliseconds, without keeping a process alive for it; what it returns takes that back. */
export function startTimer(work: () => void, ms: number): () => void {
  const timer: unknown = setTimeout(work, ms)
  // A number where browsers set the example; an object on Node.js, Bun and Deno.
  ;(timer as { unref?(): void }).unref?.()
  return () => clearTimeout(timer as number)
}

/** Lets `ms` pass, or waits for `end` if that comes first. It keeps no process alive. */
export async function rest(ms: number, end: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = startTimer(resolve, ms)
  await Promise.race([end, promise])
  stop()
}

/** Waits for `work`, but not longer than `ms`; unlike other timers this one keeps the process alive. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, Math.min(ms, longestTimer))
  try {
    await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

const second = 1000
const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: second,
  m: 60 * second,
  h: 3600 * second,
  d: 86_400 * second,
}

/** Of `30d`, `12h`, `15m`, `30s`, `500ms`; `undefined` for what is no such time. */
export function millisecondsOf(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? []
  const ms = Number(digits) * (units[unit] ?? 0)
  return digits === '' || ms < 1 || !Number.isSafeInteger(ms) ? undefined : ms
}
