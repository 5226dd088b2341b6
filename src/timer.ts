/** Calls `work` after `ms` milliseconds, without keeping a process alive for it; what it returns takes that back. */
export function startTimer(work: () => void, ms: number): () => void {
  const timer: unknown = setTimeout(work, ms)
  // A number where browsers set the example; an object on Node.js, Bun and Deno.
  ;(timer as { unref?(): void }).unref?.()
  return () => clearTimeout(timer as number)
}
