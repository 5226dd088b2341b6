import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'

/** Milliseconds that a store has for what it does by itself: several times of what it may take. */
const patience = 120_000

/** Asks until `probe` gives something, and gives it. */
export async function eventually<T>(what: string, probe: () => Promise<T | false | undefined>): Promise<T> {
  for (const deadline = Date.now() + patience; ; ) {
    const found = await probe()
    if (found !== false && found !== undefined) return found
    assert.ok(Date.now() < deadline, `${what}: not within ${patience} ms`)
    await setTimeout(25)
  }
}
