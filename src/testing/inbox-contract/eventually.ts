import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'

/** How long to wait for the background work of a store, in milliseconds: several times as long as the work may take. */
const timeout = 120_000

/** Calls `probe` until it returns a value, and returns that value. */
export async function eventually<T>(what: string, probe: () => Promise<T | false | undefined>): Promise<T> {
  for (const deadline = Date.now() + timeout; ; ) {
    const found = await probe()
    if (found !== false && found !== undefined) return found
    assert.ok(Date.now() < deadline, `${what}: not within ${timeout} ms`)
    await setTimeout(25)
  }
}
