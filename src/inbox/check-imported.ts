import type { ImportedDelivery } from './inbox.ts'
import { attemptOutcomes, deliveryStates, taskStates } from './records.ts'

/**
 * Checks that the states are known, and that no task or attempt is repeated, because an import comes from a file.
 * @throws {Error} that says what to do. It shows no text of the delivery.
 */
export function checkImported({ delivery: { state, tasks } }: ImportedDelivery): void {
  checkKnown('"state"', state, deliveryStates)
  checkUnique('"tasks" has several items with the same "handler"', tasks, ({ handler }) => handler)
  for (const { state, attempts, uncounted = 0 } of tasks) {
    checkKnown('"state" of a task', state, taskStates)
    if (!Number.isInteger(uncounted) || uncounted < 0 || uncounted > attempts.length) {
      throw new Error('"uncounted" of a task is not a number of its attempts: leave it out')
    }
    checkUnique('"attempts" of a task has several items with the same "number"', attempts, ({ number }) => number)
    for (const { outcome } of attempts) checkKnown('"outcome" of an attempt', outcome, attemptOutcomes)
  }
}

function checkKnown(name: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) throw new Error(`${name} is unknown: use one of ${known.join(', ')}`)
}

function checkUnique<Item>(problem: string, items: readonly Item[], keyOf: (item: Item) => unknown): void {
  if (new Set(items.map(keyOf)).size < items.length) throw new Error(`${problem}: keep one of them`)
}
