import { afterAll, describe, expect, test } from 'vitest'
import { backlogOf, scenarioOf } from './scenario.ts'
import { simulate } from './simulation.ts'
import { openStore, storeNames } from './stores.ts'

/** Schedules that violated an invariant before a repair, or that do so if the code has the defect. */
const repaired = [
  [1057, 'tasks that begin after a suspension, without their lease'],
  [103_762, 'handlers that begin after their worker has closed'],
  [107_220, 'suspects that run at the same time, because one was released'],
  [7027, 'a death that two results report'],
  [1011, 'more running handlers than their concurrency, because a slot is released too early'],
  [1275, 'deliveries with order keys that are matched before earlier ones'],
  [2288, 'tasks of a dead worker that no other one gets, because that worker may still claim'],
  [40_017_096, 'a task that begins twice, because a repeated result of an earlier attempt returns it again'],
  [
    20_311_986,
    'leases that expire at once, because their worker was registered again with its earlier number of heartbeats',
  ],
  [500_077_676, 'tasks that begin after a suspension that both clocks hide, because one was set back'],
  [600_065_314, 'leases that expire soon, because the machine slept while the store registered the worker'],
  [800_016_669, 'leases that expire soon, because a suspension followed a slow registration'],
] as const

test.each(repaired)('on the model, seed %d does not have %s', async (seed) => {
  expect((await simulate(scenarioOf(seed), openStore('model'))).violation).toBeUndefined()
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
