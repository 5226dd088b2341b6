import { setTimeout } from 'node:timers/promises'
import type { TestHandler } from '../campaign/handlers.ts'

/** The handler that never settles, and its maximum attempts. */
export const [stuck, stuckAttempts] = ['stuck', 2]

/** A handler that settles, for the same large payloads. */
export const bulky = 'bulky'

/** The payloads that attempts of the handler `stuck` keep in memory. */
const held: unknown[] = []

/** @param timeout Milliseconds after which an attempt of the stuck handler ends. */
export function stuckHandlers(timeout: number): TestHandler[] {
  return [
    {
      name: stuck,
      events: ['fork'],
      options: { timeout, attempts: stuckAttempts, concurrency: 200 },
      work: ({ payload }) => {
        held.push(payload)
        return new Promise(() => {}) // ignores its signal
      },
    },
    { name: bulky, events: ['fork'], work: async () => void (await setTimeout(10)) },
  ]
}
