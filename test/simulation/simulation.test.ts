import { afterAll, expect, test } from 'vitest'
import { inboxFile } from '../inbox/stores.ts'
import { scenarioOf } from './scenario.ts'
import { simulate } from './simulation.ts'
import { SqliteStore } from './sqlite.ts'

const store = new SqliteStore(inboxFile(afterAll))
afterAll(() => store.close())

/** Seeds of schedules that violated an invariant before a repair. */
const repaired = [
  [241, 'more tasks than the concurrency of the handler'],
  [1026, 'tasks that are dead before their handler is called, because another handler ended the process'],
  [413, 'tasks that begin after a suspension, without their lease'],
  [1000796, 'deliveries that two workers report as dead'],
] as const

test.each(repaired)('seed %d does not have %s', async (seed) => {
  expect((await simulate(scenarioOf(seed), store)).violation).toBeUndefined()
})

/** Milliseconds of real time in which fresh seeds are explored. */
const budget = 2000

test('fresh seeds keep all invariants', { timeout: 300_000 }, async () => {
  const end = performance.now() + budget
  let seed = Math.floor(Math.random() * 2 ** 31)
  do {
    const { violation } = await simulate(scenarioOf(seed), store)
    expect(violation, `npm run test:simulate -- --seed ${seed}`).toBeUndefined()
    seed++
  } while (performance.now() < end)
})

test('a seed always leads to the same schedule', async () => {
  const [first, second] = [await simulate(scenarioOf(7), store), await simulate(scenarioOf(7), store)]
  expect(second.trace).toEqual(first.trace)
})
