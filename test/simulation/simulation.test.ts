import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { backlogOf, type Scenario, scenarioOf } from './scenario.ts'
import { simulate } from './simulation.ts'
import { openStore, storeNames } from './stores.ts'

/** Schedules that violated an invariant before a repair, or that do so if the code has the defect. */
const repaired = new URL('scenarios/', import.meta.url)

test.each(readdirSync(repaired))('on the model, the schedule %s keeps all invariants', async (file) => {
  const { defect, scenario } = JSON.parse(readFileSync(new URL(file, repaired), 'utf8')) as Repaired
  expect((await simulate(scenario, openStore('model'))).violation, defect).toBeUndefined()
})

interface Repaired {
  /** The defect that it finds. */
  defect: string
  scenario: Scenario
}

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
