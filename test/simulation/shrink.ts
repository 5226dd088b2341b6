import type { Scenario } from './scenario.ts'
import { type Outcome, simulate } from './simulation.ts'
import type { SimulatedStore } from './store.ts'

/** Leaves out all events without which the schedule still violates an invariant of the same kind. */
export async function shrink(
  scenario: Scenario,
  outcome: Outcome,
  store: SimulatedStore,
): Promise<{ scenario: Scenario; outcome: Outcome }> {
  let smallest = { scenario, outcome }
  const kind = kindOf(outcome)
  for (let size = Math.ceil(scenario.actions.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let begin = 0; begin < smallest.scenario.actions.length; ) {
      const actions = smallest.scenario.actions.toSpliced(begin, size)
      const candidate = { ...smallest.scenario, actions }
      const found = await simulate(candidate, store)
      if (kindOf(found) === kind) smallest = { scenario: candidate, outcome: found }
      else begin += size
    }
  }
  return smallest
}

const kindOf = ({ violation }: Outcome): string | undefined => violation?.split(':', 1)[0]
