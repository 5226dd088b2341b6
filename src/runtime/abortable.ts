/** Waiting that ends early when an `AbortSignal` aborts. */
import { wait, within } from './timer.ts'

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
 * Waits for `ms`, or until the signal aborts. It never rejects.
 * @param keepAlive Whether the process may exit while it waits. Default: it may.
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
  await (keepAlive ? within(ms, promise) : wait(ms, promise))
  signal.removeEventListener('abort', abort)
}
