import { startTimer } from '../timer.ts'

/** Timers that are set for longer fire at once. */
const longestTimer = 2 ** 31 - 1

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

/** Lets `ms` pass, or waits for `end` if that comes first. It keeps no process alive. */
export async function rest(ms: number, end: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = startTimer(resolve, ms)
  await Promise.race([end, promise])
  stop()
}
