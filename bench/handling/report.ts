import { hasRedis } from '../databases.ts'
import { type GoalName, recordGoal } from '../goals.ts'
import { showProgress } from '../progress.ts'
import { median, ratioOf } from '../statistics.ts'
import { digits, table } from '../table.ts'
import { definitionOf, type Name, names } from './contestants.ts'
import { type Handling, measureHandling, steady } from './measure.ts'

/** The maximum number of rounds. A round takes more than a minute. */
const maxRounds = 5

const sqlite = 'hookserver, SQLite'
const postgres = 'hookserver, PostgreSQL'
const ordered = 'hookserver, PostgreSQL, ordered'
const twoWorkers = 'hookserver, PostgreSQL, two workers'

const pairs: readonly [ours: Name, other: Name, goal?: GoalName][] = [
  [sqlite, 'plainjob, Bun', 'handledToPlainjob'],
  [postgres, 'graphile-worker', 'handledToGraphile'],
  [ordered, 'graphile-worker', 'orderedToGraphile'],
  [postgres, 'pg-boss'],
  [postgres, 'BullMQ'],
  [twoWorkers, postgres, 'twoWorkers'],
]

/** Compares how fast hookserver and rivals handle a backlog. The handler only reads a number in the payload. */
export async function reportHandling({ rounds, deliveries }: { rounds: number; deliveries: number }): Promise<void> {
  const measured = names.filter((name) => definitionOf(name).store !== 'Redis' || hasRedis())
  for (const name of names) {
    if (!measured.includes(name)) console.log(`\n${name} is left out: redis-server is not on PATH`)
  }
  const count = Math.min(rounds, maxRounds)
  console.log(
    `\nA backlog of ${deliveries.toLocaleString('en')} pushes of 6.9 kB, handlers that do nothing; costs for each delivery; medians of ${count} rounds`,
  )
  const results = new Map(measured.map((name) => [name, [] as Handling[]]))
  for (let round = 0; round < count; round++) {
    for (const [name, rows] of results) {
      showProgress(`Round ${round + 1} of ${count}: ${name}`)
      rows.push(await measureHandling(name, deliveries))
    }
  }
  showProgress()
  console.log(resultTable(results, costs))
  printRatios(results)
  console.log(
    `\nAt a steady ${steady.rate} pushes a second: from the commit, and from the time when the push is due, to the handler`,
  )
  console.log(resultTable(results, times))
  recordGoal('handledSqlite', of(results, sqlite, 'rate'))
  recordGoal('handledPostgres', of(results, postgres, 'rate'))
  recordGoal('pickupPostgres', of(results, postgres, 'pickupP50'))
}

type Results = ReadonlyMap<Name, readonly Handling[]>

/** The median of a result; undefined if it was not measured. */
function of(results: Results, name: Name, field: keyof Handling): number | undefined {
  const values = results.get(name)?.map((row) => row[field]) ?? [undefined]
  return values.includes(undefined) ? undefined : median(values as number[])
}

type Column = readonly [head: string, field: keyof Handling, digits: number, unit?: number]

const costs: readonly Column[] = [
  ['handled/s', 'rate', 0],
  ['CPU µs', 'cpu', 1],
  ['DB CPU µs', 'databaseCpu', 1],
  ['total CPU µs', 'totalCpu', 1],
  ['statements', 'statements', 3],
  ['round trips', 'roundTrips', 3],
  ['WAL kB', 'logged', 2, 1000],
]

const times: readonly Column[] = [
  ['pickup p50 ms', 'pickupP50', 1],
  ['p99 ms', 'pickupP99', 1],
  ['from due p50 ms', 'latencyP50', 1],
  ['p99 ms', 'latencyP99', 1],
]

function resultTable(results: Results, columns: readonly Column[]): string {
  const measured = [...results.keys()].filter(
    (name) => of(results, name, columns[0]?.[1] as keyof Handling) !== undefined,
  )
  const rows = measured.map((name) => [
    name,
    ...columns.map(([, field, count, unit = 1]) => {
      const value = of(results, name, field)
      return digits(value && value / unit, count)
    }),
  ])
  return table(['queue', ...columns.map(([head]) => head)], rows)
}

function printRatios(results: Results): void {
  const rows = pairs.flatMap(([ours, other, goal]) => {
    const [own, others] = [results.get(ours), results.get(other)].map((rounds) => rounds?.map(({ rate }) => rate))
    if (!own || !others) return []
    const ratio = ratioOf(own, others)
    if (goal) recordGoal(goal, ratio)
    return [[`${ours} ÷ ${other}`, ratio.toFixed(2)]]
  })
  console.log('\nDeliveries handled a second, compared')
  console.log(table(['queues', 'ratio'], rows))
}
