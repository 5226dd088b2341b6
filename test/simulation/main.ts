/** `npm run test:simulate`: explores schedules with fresh seeds, or repeats one. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { scenarioOf } from './scenario.ts'
import { shrink } from './shrink.ts'
import { simulate } from './simulation.ts'
import { SqliteStore } from './sqlite.ts'

const help = `Usage: npm run test:simulate -- [options]

  --seeds N   number of schedules (default: 1000)
  --first N   seed of the first schedule (default: a random one)
  --seed N    run only this schedule, and print what happens in it
  --only NAME look only for violations of this invariant, for example "order"

Exits with 1 after the first violation, and prints a short schedule that has it.
`

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h' },
  },
})

if (values.help) process.stdout.write(help)
else await main()

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-simulation-'))
  const store = new SqliteStore(join(folder, 'inbox.db'))
  try {
    if (values.seed !== undefined) await repeat(Number(values.seed), store)
    else await explore(Number(values.first ?? Math.floor(Math.random() * 2 ** 31)), Number(values.seeds), store)
  } finally {
    store.close()
    rmSync(folder, { recursive: true })
  }
}

async function repeat(seed: number, store: SqliteStore): Promise<void> {
  const { trace, violation = 'No violation' } = await simulate(scenarioOf(seed), store)
  process.stdout.write(`${[...trace, violation].join('\n')}\n`)
  if (violation !== 'No violation') process.exitCode = 1
}

async function explore(first: number, count: number, store: SqliteStore): Promise<void> {
  const begin = performance.now()
  const faults: Record<string, number> = {}
  let steps = 0
  for (let done = 1; done <= count; done++) {
    const scenario = scenarioOf(first + done - 1)
    const outcome = await simulate(scenario, store)
    steps += outcome.steps
    for (const [kind, times] of Object.entries(outcome.faults)) faults[kind] = (faults[kind] ?? 0) + times
    if (outcome.violation?.startsWith(values.only)) {
      const { scenario: smaller, outcome: shown } = await shrink(scenario, outcome, store)
      process.stdout.write(
        `Seed ${scenario.seed}, with ${smaller.actions.length} of ${scenario.actions.length} events:\n`,
      )
      process.stdout.write(`${[...shown.trace, shown.violation].join('\n')}\n`)
      process.exitCode = 1
      return
    }
    if (done % 100 === 0 || done === count) {
      const rate = (done / (performance.now() - begin)) * 1000
      process.stderr.write(`\r${done} of ${count} schedules from seed ${first}, ${rate.toFixed(0)} a second`)
    }
  }
  const found = Object.entries(faults).map(([kind, times]) => `${times} × ${kind}`)
  process.stdout.write(`\n${count} schedules, ${steps} steps, 0 violations. Faults: ${found.join(', ')}\n`)
}
