/** `npm run test:simulate`: explores schedules with fresh seeds on all cores, or repeats one. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { type Scenario, scenarioOf } from './scenario.ts'
import { shrink } from './shrink.ts'
import { simulate } from './simulation.ts'
import type { SimulatedStore } from './store.ts'
import { allStoreNames, startStore, storeNames } from './stores.ts'

const help = `Usage: npm run test:simulate -- [options]

  --seeds N    number of schedules (default: 10000)
  --first N    seed of the first schedule (default: a random one)
  --store NAME model, sqlite or postgres (default: model, and one schedule in twenty on sqlite)
  --threads N  number of threads (default: one for each core)
  --seed N     run only this schedule, and print what happens in it
  --scenario FILE  run only the schedule of a file in test/simulation/scenarios
  --only NAME  look only for violations of this invariant, for example "order"

Exits with 1 after a violation, and prints a short schedule that has it, and its scenario as JSON.
`

type StoreName = (typeof allStoreNames)[number]

/** Of this many schedules, one runs on SQLite by default. */
const sqliteShare = 20

/** Milliseconds between two lines of progress, if the output is not a terminal. */
const logInterval = 60_000

/** The schedules of a thread: every `step`th seed from `first` to before `end`. */
interface Assignment {
  first: number
  end: number
  step: number
  stores: readonly StoreName[]
  only: string
  /** Shared by all threads. Not 0: a thread has found a violation, and all threads stop. */
  stopped: Int32Array
}

/** The results of a thread since its last report. */
interface Report {
  store: StoreName
  schedules: number
  steps: number
  /** Milliseconds. */
  duration: number
  faults: Readonly<Record<string, number>>
  /** A short schedule that violates an invariant. */
  violation?: string
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    first: { type: 'string' },
    store: { type: 'string' },
    threads: { type: 'string', default: String(availableParallelism()) },
    seed: { type: 'string' },
    scenario: { type: 'string' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h' },
  },
})

const stores = values.store === undefined ? storeNames : allStoreNames.filter((name) => name === values.store)
const [seeds, threads] = [Number(values.seeds), Number(values.threads)]
const first = Number(values.first ?? Math.floor(Math.random() * 2 ** 31))
const seed = Number(values.seed ?? first)
const isValid =
  stores.length > 0 && seeds > 0 && threads > 0 && [seeds, threads, first, seed].every(Number.isSafeInteger)

if (!isMainThread) await runSchedules(workerData as Assignment)
else if (values.help || !isValid) {
  process.stderr.write(help)
  process.exitCode = values.help ? 0 : 2
} else if (values.scenario !== undefined) for (const name of stores) await repeat(readScenario(values.scenario), name)
else if (values.seed !== undefined) for (const name of stores) await repeat(scenarioOf(seed), name)
else await explore()

/** Runs a schedule. If it violates an invariant, prints a shorter one. */
async function repeat(scenario: Scenario, name: StoreName): Promise<void> {
  const store = await startStore(name)
  const outcome = await simulate(scenario, store)
  const found = outcome.violation === undefined ? undefined : await shrink(scenario, outcome, store)
  if (found) process.exitCode = 1
  const lines = found ? describe(found) : [...outcome.trace, 'No violation']
  process.stdout.write(`On the store ${name}:\n${lines.join('\n')}\n`)
  await store.close()
}

function readScenario(file: string): Scenario {
  return JSON.parse(readFileSync(file, 'utf8')).scenario
}

function describe({ scenario, outcome }: Awaited<ReturnType<typeof shrink>>): string[] {
  return [...outcome.trace, outcome.violation as string, JSON.stringify({ defect: 'name the defect', scenario })]
}

/** Runs the schedules of this thread, and reports after each hundred, or after a violation. */
async function runSchedules({ first, end, step, stores, only, stopped }: Assignment): Promise<void> {
  const open = new Map<StoreName, SimulatedStore>()
  for (const name of stores) open.set(name, await startStore(name))
  const reports = new Map<StoreName, Report>()
  const send = () => {
    for (const report of reports.values()) parentPort?.postMessage(report)
    reports.clear()
  }
  for (let seed = first, done = 1; seed < end && Atomics.load(stopped, 0) === 0; seed += step, done++) {
    const name = stores.length === 1 || done % sqliteShare > 0 ? (stores[0] as StoreName) : (stores[1] as StoreName)
    const begin = performance.now()
    const outcome = await runSchedule(seed, name, only)
    const report = { ...outcome, store: name, schedules: 1, duration: performance.now() - begin }
    reports.set(name, sumOf(report, reports.get(name)))
    if (report.violation !== undefined) Atomics.store(stopped, 0, 1)
    if (done % 100 === 0) send()
  }
  send()
  for (const store of open.values()) await store.close()

  async function runSchedule(
    seed: number,
    name: StoreName,
    only: string,
  ): Promise<Pick<Report, 'steps' | 'faults' | 'violation'>> {
    const [scenario, store] = [scenarioOf(seed), open.get(name) as SimulatedStore]
    const outcome = await simulate(scenario, store)
    const { steps, faults } = outcome
    if (!outcome.violation?.startsWith(only)) return { steps, faults }
    const found = await shrink(scenario, outcome, store)
    const events = `${found.scenario.actions.length} of ${scenario.actions.length} events`
    const violation = [`Seed ${seed} on ${name}, with ${events}:`, ...describe(found)].join('\n')
    return { steps, faults, violation }
  }
}

async function explore(): Promise<void> {
  process.stdout.write(`${seeds} schedules from seed ${first}\n`)
  const begin = performance.now()
  const totals = new Map<StoreName, Report>()
  const shared = { stores, only: values.only, stopped: new Int32Array(new SharedArrayBuffer(4)) }
  let [violations, shownAt] = [0, begin]
  const running = Array.from({ length: threads }, (_, index): Worker => {
    const data: Assignment = { ...shared, first: first + index, end: first + seeds, step: threads }
    const thread = new Worker(new URL(import.meta.url), { workerData: data, argv: process.argv.slice(2) })
    thread.on('message', (report: Report) => {
      totals.set(report.store, sumOf(report, totals.get(report.store)))
      const done = [...totals.values()].reduce((sum, total) => sum + total.schedules, 0)
      const now = performance.now()
      if (process.stderr.isTTY || now - shownAt > logInterval) {
        const rate = (done / (now - begin)) * 1000
        const line = `${done} of ${seeds} schedules from seed ${first}, ${rate.toFixed(0)} a second`
        process.stderr.write(process.stderr.isTTY ? `\r${line}` : `${line}\n`)
        shownAt = now
      }
      if (report.violation === undefined) return
      violations++
      process.exitCode = 1
      process.stdout.write(`\n${report.violation}\n`)
    })
    return thread
  })
  await Promise.all(running.map((thread) => once(thread, 'exit')))
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  for (const { store, schedules, steps, duration, faults } of totals.values()) {
    const rate = (schedules / duration) * 1000
    process.stdout.write(`${store}: ${schedules} schedules, ${steps} steps, ${rate.toFixed(0)} a second and thread\n`)
    for (const [kind, times] of Object.entries(faults).sort()) process.stdout.write(`  ${times} × ${kind}\n`)
  }
  process.stdout.write(`${violations} violations\n`)
}

/** Adds the numbers of an earlier report. */
function sumOf(report: Report, earlier: Report | undefined): Report {
  if (!earlier) return report
  const faults = { ...earlier.faults }
  for (const [kind, times] of Object.entries(report.faults)) faults[kind] = (faults[kind] ?? 0) + times
  return {
    ...{ ...report, faults, schedules: earlier.schedules + report.schedules },
    ...{ steps: earlier.steps + report.steps, duration: earlier.duration + report.duration },
  }
}
