import { setTimeout } from 'node:timers/promises'
import type { Duty } from '../campaign/duties.ts'

/** The handler that never settles, and how many attempts it has. */
export const [stuck, stuckAttempts] = ['stuck', 2]

/** A handler of the same large payloads that does settle. */
export const bulky = 'bulky'

/** The objects that the handlers that never settle keep. */
const held: unknown[] = []

/** @param timeout Milliseconds after which an attempt of the stuck handler ends. */
export function stuckDuties(timeout: number): Duty[] {
  return [
    {
      name: stuck,
      events: ['fork'],
      options: { timeout, attempts: stuckAttempts, concurrency: 200 },
      work: ({ data }) => {
        held.push(data)
        return new Promise(() => {}) // whatever its signal says
      },
    },
    { name: bulky, events: ['fork'], work: async () => void (await setTimeout(10)) },
  ]
}
