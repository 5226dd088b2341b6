/**
 * Runs `work`. If the last attempt of a handler exceeds its timeout meanwhile, calls `report`, and does not wait for
 * `work`: a handler that ignores the signal may never end. A shutdown does not count, because the attempt is repeated.
 */
export async function reportLastTimeout<T>(
  { isLastAttempt, signal }: { readonly isLastAttempt: boolean; readonly signal: AbortSignal },
  report: () => Promise<void>,
  work: () => Promise<T>,
): Promise<T> {
  const onAbort = () => {
    if (isLastAttempt && signal.reason?.name === 'TimeoutError') void report()
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort)
  try {
    return await work()
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Milliseconds for all requests of a report: the requests of the attempt itself end with its signal. */
export const lateReportTimeout = 10_000
