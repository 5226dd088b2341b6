import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Journal } from '../../campaign/journal.ts'
import { Random } from '../../campaign/random.ts'
import { Database } from '../database.ts'
import { readContents, unfinished } from '../inbox-contents.ts'
import { Backlog } from './deliveries.ts'
import { neverFails } from './handler.ts'
import { judgeBacklog } from './verdict.ts'
import { Workers } from './workers.ts'

export interface Measured {
  workers: number
  /** The time of the fastest run, from the message `go` to the workers until all deliveries are handled. */
  seconds: number
  deliveriesPerSecond: number
}

export interface ThroughputReport {
  measured: Measured[]
  /** Problems. Both lists are empty after a successful run. */
  lost: string[]
  wrong: string[]
}

export interface ThroughputOptions {
  seed: number
  size?: number
  repositories?: number
  /** The number of workers in each run. Of several runs with the same number, the best one counts. */
  runs?: readonly number[]
}

/** The maximum time of two workers, as a multiple of the time of one worker. Above 1, because times vary with load. */
export const maxSlowdown = 1.25

/** The default of the handler option `concurrency`. */
const concurrency = 25

/** Milliseconds within which a backlog must be handled. */
const drainTimeout = 120_000

/** Measures how fast one worker and several workers handle the same ordered backlog without faults. */
export async function measureThroughput(options: ThroughputOptions): Promise<ThroughputReport> {
  const { size = 5000, runs = [1, 2, 4, 2, 1, 1, 2] } = options
  const best = new Map<number, number>()
  const report: ThroughputReport = { measured: [], lost: [], wrong: [] }
  const database = await Database.start()
  try {
    for (const count of runs) {
      const seconds = await measure(database, count, { ...options, size }, report)
      best.set(count, Math.min(seconds, best.get(count) ?? seconds))
    }
  } catch (error) {
    report.wrong.push((error as Error).message)
  } finally {
    await database.stop()
  }
  for (const [count, seconds] of best) {
    report.measured.push({ workers: count, seconds, deliveriesPerSecond: size / seconds })
  }
  return report
}

/** The time of two workers as a multiple of the time of one worker, or 1 if one of these times was not measured. */
export function slowdownOf({ measured }: ThroughputReport): number {
  const [one, two] = [1, 2].map((count) => measured.find(({ workers }) => workers === count)?.seconds)
  return one === undefined || two === undefined ? 1 : two / one
}

/** @returns the seconds of one run. */
async function measure(
  database: Database,
  count: number,
  { seed, size, repositories = 50 }: ThroughputOptions & { size: number },
  report: ThroughputReport,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-throughput-'))
  const journal = new Journal(join(folder, 'journal.txt'))
  const backlog = new Backlog(new Random(seed), repositories, neverFails)
  const settings = { url: database.url, journal: journal.path, heartbeat: 2500, concurrency, waits: true }
  const workers = new Workers(settings)
  try {
    await database.reset()
    await backlog.store(database.url, size)
    await Promise.all(Array.from({ length: count }, () => workers.join()))
    const began = performance.now()
    for (const worker of workers.running) worker.tell('go')
    while ((await unfinished(database.pool)) > 0) {
      if (performance.now() > began + drainTimeout)
        throw new Error(`${count} workers did not finish a backlog of ${size} deliveries`)
      await setTimeout(50)
    }
    const seconds = (performance.now() - began) / 1000
    await workers.closeAll()
    journal.read()
    const verdict = judgeBacklog(backlog, journal.lines, await readContents(database.pool), {
      interrupted: new Set(),
      retries: [],
    })
    report.lost.push(...verdict.lost)
    report.wrong.push(...verdict.wrong, ...workers.wrong)
    return seconds
  } finally {
    await workers.clear()
    rmSync(folder, { recursive: true })
  }
}
