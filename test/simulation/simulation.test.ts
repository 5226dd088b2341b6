import { afterAll, describe, expect, test } from 'vitest'
import { backlogOf, scenarioOf } from './scenario.ts'
import { simulate } from './simulation.ts'
import { openStore, storeNames } from './stores.ts'

/** Schedules that violated an invariant before a repair, or do so again if that repair is undone. */
const repaired = [
  ['model', 100_045, 'tasks that are dead before their handler is called, because another handler ended the process'],
  ['model', 100_198, 'tasks that begin after a suspension, without their lease'],
  ['sqlite', 100_054, 'tasks that begin after a suspension, without their lease'],
  ['model', 100_777, 'a task that begins twice, because two calls have returned it'],
  ['model', 102_921, 'a task that begins without its lease, because the registration of the worker took too long'],
  ['model', 616_535_132, 'deliveries that wait for a leased task that no worker runs'],
  ['model', 1_687_419_136, 'memory of a task that gave up when it got the memory'],
] as const

test.each(repaired)('on the store %s, seed %d does not have %s', async (name, seed) => {
  const store = openStore(name)
  try {
    expect((await simulate(scenarioOf(seed), store)).violation).toBeUndefined()
  } finally {
    await store.close()
  }
})

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
