import { afterAll, beforeAll, expect, test } from 'vitest'
import { PostgresStore } from './postgres.ts'
import { scenarioOf } from './scenario.ts'
import { simulate } from './simulation.ts'

let store: PostgresStore
beforeAll(async () => {
  store = await PostgresStore.start()
})
afterAll(() => store.close())

/** Milliseconds of real time in which fresh seeds are explored. */
const budget = 500

test('fresh seeds keep all invariants', { timeout: 300_000 }, async () => {
  const end = performance.now() + budget
  let seed = Math.floor(Math.random() * 2 ** 31)
  do {
    const { violation } = await simulate(scenarioOf(seed), store)
    expect(violation, `npm run test:simulate -- --store postgres --seed ${seed}`).toBeUndefined()
    seed++
  } while (performance.now() < end)
})
