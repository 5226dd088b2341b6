import { afterAll, describe, expect, test } from 'vitest'
import { backlogOf, scenarioOf } from './scenario.ts'
import { simulate } from './simulation.ts'
import { openStore, storeNames } from './stores.ts'

/** Milliseconds of real time in which fresh seeds are explored on each store. */
const budget = 500

describe.each(storeNames)('on the store %s', (name) => {
  const store = openStore(name)
  afterAll(() => store.close())

  test('fresh seeds keep all invariants', { timeout: 300_000 }, async () => {
    const end = performance.now() + budget
    let seed = Math.floor(Math.random() * 2 ** 31)
    do {
      const { violation } = await simulate(scenarioOf(seed), store)
      expect(violation, `npm run test:simulate -- --store ${name} --seed ${seed}`).toBeUndefined()
      seed++
    } while (performance.now() < end)
  })

  test.each([1, 5])('an old delivery is offered while all batches are full, seed %d', async (seed) => {
    expect((await simulate(backlogOf(seed, { count: 120, isOrdered: false }), store)).violation).toBeUndefined()
  })

  test('a seed always leads to the same schedule', async () => {
    const [first, second] = [await simulate(scenarioOf(7), store), await simulate(scenarioOf(7), store)]
    expect(second.trace).toEqual(first.trace)
  })
})
