import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { postgres } from '../../../src/postgres/index.ts'
import { Journal } from '../../campaign/journal.ts'
import { Random } from '../../campaign/random.ts'
import { tooManyLate } from '../../campaign/verdict.ts'
import { Database } from '../database.ts'
import { contradictions, readContents, unfinished } from '../inbox-contents.ts'
import { type TimeLimits, timeLimits, within } from '../time-limits.ts'
import { Backlog } from './deliveries.ts'
import { type BacklogKind, type BacklogStage, backlogFaults, backlogKinds } from './faults.ts'
import { type BacklogVerdict, judgeBacklog, type OperatorRetry } from './verdict.ts'
import { ProgressWatch } from './watch.ts'
import { Workers } from './workers.ts'

export interface BacklogReport {
  /** How often each fault was injected. */
  faults: Partial<Record<BacklogKind, number>>
  stored: number
  retried: number
  verdict: BacklogVerdict | undefined
  /** The longest time without progress while a task was due, in milliseconds. */
  longestPause: number
  /** Problems. Both lists are empty after a successful run. */
  lost: string[]
  wrong: string[]
  seconds: number
}

export interface BacklogOptions {
  seed: number
  /** Seconds from the start of the run. Faults are injected until then, and each fault at least once. */
  seconds: number
  only?: readonly BacklogKind[] | undefined
  /** Deliveries that are stored before the first worker starts. */
  size?: number
  repositories?: number
  /** Milliseconds between heartbeats of the workers. */
  heartbeat?: number
  /** The maximum time for which PostgreSQL is suspended, in milliseconds. */
  longest?: number
  /** Default: the promised times. */
  limits?: TimeLimits
  onFault?(kind: BacklogKind): void
}

/** The maximum number of attempts that one worker runs at a time: less than the number of repositories. */
const concurrency = 10

/** Injects faults while workers, which join and leave, handle an ordered backlog far larger than their concurrency. */
export async function runBacklog(options: BacklogOptions): Promise<BacklogReport> {
  const { seed, size = 20_000, repositories = 50, heartbeat = 2500, longest = 6000, limits = timeLimits() } = options
  const began = performance.now()
  const elapsed = () => (performance.now() - began) / 1000
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-backlog-'))
  const random = new Random(seed)
  const database = await Database.start()
  const journal = new Journal(join(folder, 'journal.txt'))
  const backlog = new Backlog(new Random(seed + 1), repositories)
  const workers = new Workers({ url: database.url, journal: journal.path, heartbeat, concurrency })
  const watch = new ProgressWatch(backlog, journal, { concurrency, limits })
  const retries: OperatorRetry[] = []
  const report: BacklogReport = {
    ...{ faults: {}, stored: 0, retried: 0, verdict: undefined, longestPause: 0, lost: [], wrong: [], seconds: 0 },
  }
  const inbox = postgres(database.url)
  const stage: BacklogStage = {
    ...{ random, database, inbox, workers, watch, longest },
    soon: (what, condition) => within(limits.takeover, what, condition),
    eventually: (what, condition) => within(limits.inTurn, what, condition),
    refill: () => backlog.store(database.url, size / 2),
    noteRetry: (deliveries) => {
      const after = journal.read()
      for (const { guid, state } of deliveries) retries.push({ guid, after, hadEnded: state !== 'retrying' })
    },
  }
  try {
    await backlog.store(database.url, size)
    await Promise.all(Array.from({ length: random.whole(1, 4) }, () => workers.join()))
    watch.outage()()
    // Waits until workers have handled some deliveries: in one of the faults, an operator retries handled deliveries.
    await stage.soon('No worker handled the first deliveries', () => watch.ended >= size / 20)
    await makeFaults(stage, { ...options, elapsed, report })
    await drain(stage, report, limits.drain)
    await inbox.close()
    await workers.closeAll()
    journal.read()
    report.verdict = judgeBacklog(backlog, journal.lines, await readContents(database.pool), {
      interrupted: new Set(watch.interrupted.keys()),
      retries,
    })
    report.wrong.push(...(await contradictions(database.pool)))
  } catch (error) {
    report.wrong.push((error as Error).message)
  } finally {
    watch.stop()
    database.thaw()
    await workers.clear()
    await inbox.close().catch(() => undefined)
    await database.stop()
    rmSync(folder, { recursive: true })
  }
  report.lost.push(...(report.verdict?.lost ?? []))
  const suspensions = (report.faults.matcher ?? 0) + (report.faults.paused ?? 0)
  const late = tooManyLate(report.verdict?.late ?? 0, suspensions)
  report.wrong.push(...watch.wrong, ...workers.wrong, ...(report.verdict?.wrong ?? []), ...late)
  return { ...report, stored: backlog.size, retried: retries.length, longestPause: watch.longest, seconds: elapsed() }
}

interface FaultOptions extends BacklogOptions {
  elapsed(): number
  report: BacklogReport
}

/** Injects faults in random order, and refills the backlog so that it never becomes empty. */
async function makeFaults(stage: BacklogStage, { size = 20_000, ...options }: FaultOptions): Promise<void> {
  const { seconds, only = Object.keys(backlogKinds) as BacklogKind[], elapsed, report, onFault } = options
  for (let round = 0; round === 0 || elapsed() < seconds; round++) {
    for (const kind of stage.random.shuffle(only)) {
      if (round > 0 && elapsed() >= seconds) break
      stage.watch.fault = backlogKinds[kind]
      if (stage.watch.left < size / 2) await stage.refill()
      await backlogFaults[kind](stage).catch(({ message }) => {
        throw new Error(`${message}, after the fault: ${backlogKinds[kind]}`)
      })
      report.faults[kind] = (report.faults[kind] ?? 0) + 1
      onFault?.(kind)
      await setTimeout(stage.random.whole(0, 500))
    }
  }
}

/** Waits until no unfinished delivery is left, or until their number has not fallen for `limit` milliseconds. */
async function drain({ database: { pool }, watch }: BacklogStage, report: BacklogReport, limit: number): Promise<void> {
  watch.fault = 'the last fault'
  let [least, end] = [Number.POSITIVE_INFINITY, 0]
  for (;;) {
    const left = await unfinished(pool)
    if (left === 0) return
    if (left < least) [least, end] = [left, performance.now() + limit]
    if (performance.now() > end) {
      report.wrong.push(`${await unfinished(pool)} deliveries were not handled`)
      return
    }
    await setTimeout(100)
  }
}
