/** The longest delay of a timer, in milliseconds. JavaScript runs timers with a longer delay immediately. */
export const maxTimer: number = 2 ** 31 - 1

/**
 * Calls `work` after `ms` milliseconds, or after `maxTimer` if that is less.
 * @param keepAlive Whether the timer keeps the process alive. Default: it does not.
 * @returns A function that stops the timer.
 */
export function startTimer(work: () => void, ms: number, keepAlive = false): () => void {
  const timer: unknown = setTimeout(work, Math.min(ms, maxTimer))
  // An object on Node.js, Bun and Deno; a number in browsers and in Workers.
  if (!keepAlive) (timer as { unref?(): void }).unref?.()
  return () => clearTimeout(timer as number)
}

/**
 * Waits for `ms` milliseconds, or until `end` settles if that is earlier. Rejects if `end` rejects first.
 * @param keepAlive Whether the wait keeps the process alive. Default: it does not.
 */
export async function wait(ms: number, end: Promise<unknown>, keepAlive = false): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = startTimer(resolve, ms, keepAlive)
  try {
    await Promise.race([end, promise])
  } finally {
    stop()
  }
}

/**
 * Waits for `work`, but not longer than `ms` milliseconds. Rejects if `work` rejects first. The wait keeps the process
 * alive.
 */
export const within = (ms: number, work: Promise<unknown>): Promise<void> => wait(ms, work, true)

/** Runs `work`, and rejects as soon as the signal aborts. @throws the signal's reason, as `fetch()` does. */
export async function untilAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    return await Promise.race([work(), promise])
  } finally {
    signal.removeEventListener('abort', abort) // one signal may outlive thousands of calls
  }
}

/**
 * Waits for `ms` milliseconds, or until the signal aborts. It never rejects.
 * @param keepAlive Whether the wait keeps the process alive. Default: it does not.
 */
export async function sleep(
  ms: number,
  signal: AbortSignal,
  { keepAlive = false }: { keepAlive?: boolean } = {},
): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const abort = () => resolve()
  signal.addEventListener('abort', abort)
  await wait(ms, promise, keepAlive)
  signal.removeEventListener('abort', abort)
}
