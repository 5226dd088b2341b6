import type { ImportedDelivery } from './inbox.ts'
import { attemptOutcomes, deliveryStates, taskStates } from './records.ts'
import { latestTime } from './retry.ts'

/**
 * Maximum values. A store adds to a count, and sums the durations of a delivery. If a result exceeded 2^53, or 2^31 in a
 * column of PostgreSQL, the store could not read or write the delivery any more, nor list others with it.
 */
const [maxCount, maxDuration] = [1_000_000_000, 1_000_000_000_000]

/**
 * Checks that the states are known, that a `Date` can hold each time, that no number is too large, and that no task or
 * attempt is repeated, because an import comes from a file.
 * @throws {Error} that says what to do. It shows no text of the delivery.
 */
export function checkImported({ delivery }: ImportedDelivery): void {
  const { state, tasks } = delivery
  for (const name of ['receivedAt', 'storedAt', 'ackedAt'] as const) checkTime(`"${name}"`, delivery[name])
  checkWhole('"number"', delivery.number, Number.MAX_SAFE_INTEGER)
  for (const name of ['duplicates', 'secretIndex'] as const) checkWhole(`"${name}"`, delivery[name], maxCount)
  checkKnown('"state"', state, deliveryStates)
  checkUnique('"tasks" has several items with the same "handler"', tasks, ({ handler }) => handler)
  for (const { state, nextAttemptAt, attempts, uncounted = 0 } of tasks) {
    checkKnown('"state" of a task', state, taskStates)
    checkTime('"nextAttemptAt" of a task', nextAttemptAt)
    if (!Number.isInteger(uncounted) || uncounted < 0 || uncounted > attempts.length) {
      throw new Error('"uncounted" of a task is not a number of its attempts: leave it out')
    }
    checkUnique('"attempts" of a task has several items with the same "number"', attempts, ({ number }) => number)
    for (const { number, outcome, startedAt, duration } of attempts) {
      checkWhole('"number" of an attempt', number, maxCount)
      checkWhole('"duration" of an attempt', duration, maxDuration)
      checkKnown('"outcome" of an attempt', outcome, attemptOutcomes)
      checkTime('"startedAt" of an attempt', startedAt)
    }
  }
}

function checkKnown(name: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) throw new Error(`${name} is unknown: use one of ${known.join(', ')}`)
}

function checkTime(name: string, time = 0): void {
  if (Number.isInteger(time) && Math.abs(time) <= latestTime) return
  throw new Error(`${name} is not a time: use whole milliseconds since 1970, up to ${latestTime}`)
}

function checkWhole(name: string, value = 0, max: number): void {
  if (Number.isInteger(value) && Math.abs(value) <= max) return
  throw new Error(`${name} is not a whole number up to ${max}: correct it`)
}

function checkUnique<Item>(problem: string, items: readonly Item[], keyOf: (item: Item) => unknown): void {
  if (new Set(items.map(keyOf)).size < items.length) throw new Error(`${problem}: keep one of them`)
}
