import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'

/** How long to wait for the background work of a store, in milliseconds: several times as long as the work may take. */
const timeout = 120_000

/**
 * Calls `probe` until it returns a value, and returns that value. The pauses between the calls grow with the time that
 * has passed, because a store takes seconds to detect a dead worker, and hundreds of calls would load it meanwhile.
 */
export async function eventually<T>(what: string, probe: () => Promise<T | false | undefined>): Promise<T> {
  for (const startedAt = Date.now(); ; ) {
    const found = await probe()
    if (found !== false && found !== undefined) return found
    const elapsed = Date.now() - startedAt
    assert.ok(elapsed < timeout, `${what}: not within ${timeout} ms`)
    await setTimeout(Math.max(25, elapsed / 10))
  }
}
