/** Tests of what happens after a wait need not wait. Each function replaces `setTimeout` for timers of one duration. */
import { beforeAll, onTestFinished, vi } from 'vitest'

type Replacement = (work: () => void, real: typeof setTimeout) => NodeJS.Timeout

function replaceTimers(ms: number, replacement: Replacement): () => void {
  const real = globalThis.setTimeout
  const start = (work: () => void, delay?: number, ...args: []) =>
    delay === ms ? replacement(work, real) : real(work, delay, ...args)
  const timers = vi.spyOn(globalThis, 'setTimeout').mockImplementation(start as typeof setTimeout)
  return () => timers.mockRestore()
}

/** Shortens timers of `ms` milliseconds in the tests of a `describe`. */
export function shortenTimers(ms: number): void {
  beforeAll(() => replaceTimers(ms, (work, real) => real(work, Math.min(ms, 20))))
}

/** Holds timers of `ms` milliseconds until `end` resolves, in a test whose timers of this duration are not cleared. */
export function holdTimers(ms: number, end: Promise<void>): void {
  const hold: Replacement = (work, real) => {
    void end.then(work)
    return real(() => {}, 0)
  }
  onTestFinished(replaceTimers(ms, hold))
}
