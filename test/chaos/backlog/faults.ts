import { setTimeout } from 'node:timers/promises'
import type { Store } from '../../../src/inbox/inbox.ts'
import type { Random } from '../../campaign/random.ts'
import type { Victim } from '../../campaign/victim.ts'
import type { Database } from '../database.ts'
import type { Condition } from '../time-limits.ts'
import { deaths, neverFails } from './handler.ts'
import { matching, selectForRetry } from './queries.ts'
import type { ProgressWatch } from './watch.ts'
import type { Workers } from './workers.ts'

/** The faults that are injected while workers handle an ordered backlog. */
export const backlogKinds = {
  resized: 'workers join, others are closed',
  killed: 'a worker of the backlog is killed',
  retried: 'an operator retries old deliveries',
  suspended: 'every process of PostgreSQL is suspended',
  matcher: 'a worker is suspended while it matches',
  paused: 'a worker is suspended while it handles',
  fatal: `a delivery of the backlog kills ${deaths} workers`,
  locked: 'old deliveries are locked before they are matched',
} as const
export type BacklogKind = keyof typeof backlogKinds

/** The parts of the campaign that a fault uses. */
export interface BacklogStage {
  random: Random
  database: Database
  inbox: Store
  workers: Workers
  watch: ProgressWatch
  /** The maximum time for which PostgreSQL is suspended, in milliseconds. */
  longest: number
  /** Stores more deliveries. */
  refill(): Promise<void>
  /** Records that an operator is about to retry deliveries. */
  noteRetry(deliveries: readonly { guid: string; state: string }[]): void
  /** Waits for a condition that must hold within the time of a takeover. @throws {Error} with `what` if it does not. */
  soon(what: string, condition: Condition): Promise<unknown>
  /** The same for a task that waits until other tasks have run one by one. */
  eventually(what: string, condition: Condition): Promise<unknown>
}

/** Injects a fault. Resolves when the fault is over. */
export type BacklogFault = (stage: BacklogStage) => Promise<void>

const maxWorkers = 4

/** How many deliveries of its repository run before a delivery that kills workers, so that all workers know it in time. */
const fatalDistance = 15

/** Milliseconds for which deliveries are locked. */
const lockTime = 1500

/** Waits until `count` more deliveries have ended, or until none is left. */
async function expectProgress({ watch, soon }: BacklogStage, count = 20): Promise<void> {
  const before = watch.ended
  await soon('No worker handled further deliveries', () => watch.ended >= before + count || watch.left === 0)
}

const resize: BacklogFault = async (stage) => {
  const { random, workers } = stage
  const size = random.whole(1, maxWorkers)
  const old = random.shuffle(workers.running)
  while (workers.running.length <= Math.min(size, maxWorkers - 1)) await workers.join()
  for (const one of old) {
    if (workers.running.length <= size) break
    await workers.close(one)
    await expectProgress(stage)
  }
}

const kill: BacklogFault = async (stage) => {
  const { random, workers, watch, soon } = stage
  if (workers.running.length === 1) await workers.join()
  const worker = random.pick(workers.running)
  await soon('A worker ran no delivery', () => watch.repositoriesOf(worker.pid).length > 0 || watch.left === 0)
  watch.interrupt(worker.pid)
  await workers.kill(worker)
  await expectProgress(stage)
  await soon('No worker claimed the tasks of a dead worker', () => watch.repositoriesOf(worker.pid).length === 0)
}

const retry: BacklogFault = async (stage) => {
  const { database, inbox, noteRetry } = stage
  for (const [state, count] of [
    ['done', 20],
    ['dead', 5],
    ['retrying', 5],
  ] as const) {
    const { rows } = await database.pool.query<{ id: number; guid: string; state: string }>(selectForRetry, [
      state,
      count,
    ])
    if (rows.length === 0) continue
    noteRetry(rows)
    await inbox.retry({ ids: rows.map(({ id }) => id) })
  }
  await expectProgress(stage)
}

const suspendServer: BacklogFault = async (stage) => {
  const { random, database, watch, longest } = stage
  const endOutage = watch.outage()
  await database.suspend()
  await setTimeout(random.whole(longest / 2, longest))
  database.thaw()
  endOutage()
  await expectProgress(stage)
}

const suspendMatcher: BacklogFault = async (stage) => {
  const { workers } = stage
  if (workers.running.length === 1) await workers.join()
  const worker = await suspendWhileMatching(stage)
  if (worker) await resumeWhenReclaimed(stage, worker)
}

const suspendWorker: BacklogFault = async (stage) => {
  const { random, workers, watch, soon } = stage
  if (workers.running.length === 1) await workers.join()
  const worker = random.pick(workers.running)
  await soon('A worker ran no delivery', () => watch.repositoriesOf(worker.pid).length > 0 || watch.left === 0)
  watch.interrupt(worker.pid)
  await worker.stop()
  await resumeWhenReclaimed(stage, worker)
}

/** Resumes a suspended worker when other workers have claimed its tasks. */
async function resumeWhenReclaimed(stage: BacklogStage, worker: Victim): Promise<void> {
  const { watch, soon } = stage
  try {
    await expectProgress(stage)
    await soon('No worker claimed the tasks of a suspended worker', () => watch.repositoriesOf(worker.pid).length === 0)
  } finally {
    worker.resume()
  }
  await expectProgress(stage)
}

/**
 * Suspends a worker in a transaction that matches deliveries.
 * @returns the worker, or nothing if all deliveries ended first.
 */
async function suspendWhileMatching({ random, database, workers, watch }: BacklogStage): Promise<Victim | undefined> {
  while (watch.left > 0) {
    const worker = random.pick(workers.running)
    watch.interrupt(worker.pid)
    await worker.stop()
    const [before] = await matching(database.pool)
    await setTimeout(100)
    const [after] = before === undefined ? [] : await matching(database.pool)
    if (before !== undefined && before === after) return worker
    worker.resume()
    await setTimeout(random.whole(0, 20))
  }
  return undefined
}

const killByHandler: BacklogFault = async (stage) => {
  const { random, workers, watch, eventually } = stage
  const guid = random.pick(watch.upcoming(fatalDistance).filter(neverFails))
  workers.makeFatal(guid)
  for (let attempt = 1; attempt <= deaths; attempt++) {
    await eventually(`Attempt ${attempt} of a delivery that kills workers did not begin`, () => {
      return watch.runnerOf(guid, attempt) !== undefined
    })
    const worker = workers.running.find(({ pid }) => pid === watch.runnerOf(guid, attempt))
    if (!worker) throw new Error('A worker ran a delivery that had to kill it')
    watch.interrupt(worker.pid)
    await workers.kill(worker)
    await workers.join()
  }
  await eventually('No worker handled the delivery that killed workers', () => watch.hasEnded(guid))
}

/** Locks old deliveries while more are stored. Newer deliveries of a repository must not overtake its locked ones. */
const lockOldest: BacklogFault = async (stage) => {
  const { database } = stage
  let isStored = false
  const storing = stage.refill().finally(() => (isStored = true))
  let unlock = await database.lockUnmatched()
  while (!unlock && !isStored) unlock = await database.lockUnmatched()
  await setTimeout(lockTime)
  await unlock?.()
  await storing
  await expectProgress(stage)
}

export const backlogFaults: Record<BacklogKind, BacklogFault> = {
  resized: resize,
  killed: kill,
  retried: retry,
  suspended: suspendServer,
  matcher: suspendMatcher,
  paused: suspendWorker,
  fatal: killByHandler,
  locked: lockOldest,
}
