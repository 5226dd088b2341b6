import { wait } from '../runtime/timer.ts'

/** What `work` gives, unless `signal` aborts first. @throws the signal's reason, as `fetch()` does. */
export async function untilAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    return await Promise.race([work(), promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Lets `ms` pass, or waits for the abort if that comes first. It keeps no process alive. */
export async function restUntilAborted(signal: AbortSignal, ms: number): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const abort = () => resolve()
  signal.addEventListener('abort', abort)
  await wait(ms, promise)
  signal.removeEventListener('abort', abort)
}
