import type { DeliveryDetail } from 'hookserver'

/** The width of the last column. The other four columns have a fixed width. */
const width = Math.max(30, (process.stdout.columns ?? 100) - 60)

/** Prints a row for each event and state. */
export function printTable(details: readonly DeliveryDetail[]): void {
  const rows = new Map<string, { count: number; attempts: number; result: string }>()
  for (const { event, state, tasks } of details) {
    const key = `${event.padEnd(28)} ${state}`
    const attempts = tasks.flatMap((task) => task.attempts)
    const row = rows.get(key) ?? { count: 0, attempts: 0, result: '' }
    const last = attempts.findLast(({ result, error }) => result ?? error)
    const result = last?.result ?? firstLine(last?.error)
    rows.set(key, { count: row.count + 1, attempts: row.attempts + attempts.length, result: row.result || result })
  }
  console.log(
    `\n${'event'.padEnd(28)} ${'state'.padEnd(10)} ${'count'.padStart(5)} ${'attempts'.padStart(9)}  for example`,
  )
  for (const [key, { count, attempts, result }] of [...rows].sort()) {
    const short = result.length > width ? `${result.slice(0, width - 1)}…` : result
    console.log(`${key.padEnd(39)} ${String(count).padStart(5)} ${String(attempts).padStart(9)}  ${short}`)
  }
}

/** Prints the dead deliveries with the errors of their attempts. */
export function printDead(details: readonly DeliveryDetail[]): void {
  for (const { id, event, repository, tasks } of details.filter(({ state }) => state === 'dead')) {
    console.log(`\nDead: delivery ${id}, ${event} of ${repository}`)
    for (const { handler, attempts } of tasks) {
      for (const { number, outcome, duration, error } of attempts) {
        console.log(`  ${handler} attempt ${number}: ${outcome} after ${duration} ms ${firstLine(error)}`)
      }
    }
  }
}

const firstLine = (text = ''): string => text.split('\n', 1)[0] as string
