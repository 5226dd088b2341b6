import { setTimeout } from 'node:timers/promises'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import type { Random } from '../../campaign/random.ts'
import type { Victim } from '../../campaign/victim.ts'
import type { Database } from '../database.ts'
import { matching, selectForRetry } from './queries.ts'
import type { ProgressWatch } from './watch.ts'
import type { Workers } from './workers.ts'

/** The faults made while workers handle an ordered backlog. */
export const backlogKinds = {
  resized: 'workers join, others are closed',
  killed: 'a worker of the backlog is killed',
  retried: 'an operator retries old deliveries',
  jobless: 'jobs of pg-boss are deleted',
  suspended: 'every process of PostgreSQL is suspended',
  matcher: 'a worker is suspended while it matches',
  locked: 'old deliveries are locked before they are matched',
} as const
export type BacklogKind = keyof typeof backlogKinds

/** The campaign, as a fault sees it. */
export interface BacklogStage {
  random: Random
  database: Database
  inbox: Inbox
  workers: Workers
  watch: ProgressWatch
  /** Milliseconds for which the server is suspended at most. */
  longest: number
  /** Stores more deliveries. */
  refill(): Promise<void>
  /** Notes that an operator retries deliveries now. */
  noteRetry(deliveries: readonly { guid: string; state: string }[]): void
  /** Waits for something that must come about within the takeover time. @throws {Error} with `what` if it does not. */
  soon(what: string, came: () => boolean | Promise<boolean>): Promise<void>
}

/** Makes a fault. Resolves when the fault is over. */
export type BacklogFault = (stage: BacklogStage) => Promise<void>

const maxWorkers = 4

/** Milliseconds until deleted jobs are made anew: the longest interval of the reconciliation. */
const jobsAreBack = 15_000

/** Milliseconds for which deliveries are locked. */
const lockTime = 1500

/** Waits until more deliveries have ended, unless all have. */
async function goesOn({ watch, soon }: BacklogStage, count = 20): Promise<void> {
  const before = watch.ended
  await soon('Deliveries are not handled any more', () => watch.ended >= before + count || watch.left === 0)
}

const resize: BacklogFault = async (stage) => {
  const { random, workers } = stage
  const size = random.whole(1, maxWorkers)
  const old = random.shuffle(workers.running)
  while (workers.running.length <= Math.min(size, maxWorkers - 1)) await workers.join()
  for (const one of old) {
    if (workers.running.length <= size) break
    await workers.close(one)
    await goesOn(stage)
  }
}

const kill: BacklogFault = async (stage) => {
  const { random, workers, watch, soon } = stage
  if (workers.running.length === 1) await workers.join()
  const worker = random.pick(workers.running)
  await soon('A worker runs nothing', () => watch.repositoriesOf(worker.pid).length > 0 || watch.left === 0)
  watch.interrupt(worker.pid)
  await workers.kill(worker)
  await goesOn(stage)
  await soon('No worker takes over the tasks of a dead one', () => watch.repositoriesOf(worker.pid).length === 0)
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
  await goesOn(stage)
}

const deleteJobs: BacklogFault = async (stage) => {
  const { random, database, watch } = stage
  const share = random.pick([0.5, 1])
  await database.deleteJobs(share)
  if (share === 1) watch.outage(jobsAreBack)
  await goesOn(stage, 200) // more than those that run now, and those that follow them directly
}

const suspendServer: BacklogFault = async (stage) => {
  const { random, database, watch, longest } = stage
  const isBack = watch.outage()
  await database.suspend()
  await setTimeout(random.whole(longest / 2, longest))
  database.thaw()
  isBack()
  await goesOn(stage)
}

const suspendMatcher: BacklogFault = async (stage) => {
  const { workers, watch, soon } = stage
  if (workers.running.length === 1) await workers.join()
  const worker = await suspendWhileMatching(stage)
  if (!worker) return
  try {
    await goesOn(stage)
    await soon('No worker takes over the tasks of a suspended one', () => watch.repositoriesOf(worker.pid).length === 0)
  } finally {
    worker.goOn()
  }
  await goesOn(stage)
}

/** @returns a worker that stands still in the middle of a transaction that matches, unless all is matched before. */
async function suspendWhileMatching({ random, database, workers, watch }: BacklogStage): Promise<Victim | undefined> {
  while (watch.left > 0) {
    const worker = random.pick(workers.running)
    watch.interrupt(worker.pid)
    await worker.stop()
    const [before] = await matching(database.pool)
    await setTimeout(100)
    const [after] = before === undefined ? [] : await matching(database.pool)
    if (before !== undefined && before === after) return worker
    worker.goOn()
    await setTimeout(random.whole(0, 20))
  }
  return undefined
}

/** Newer deliveries of the same repositories must not overtake those that are locked. */
const lockOldest: BacklogFault = async (stage) => {
  const { database } = stage
  let isStored = false
  const storing = stage.refill().finally(() => (isStored = true))
  let unlock = await database.lockUnmatched()
  while (!unlock && !isStored) unlock = await database.lockUnmatched()
  await setTimeout(lockTime)
  await unlock?.()
  await storing
  await goesOn(stage)
}

export const backlogFaults: Record<BacklogKind, BacklogFault> = {
  resized: resize,
  killed: kill,
  retried: retry,
  jobless: deleteJobs,
  suspended: suspendServer,
  matcher: suspendMatcher,
  locked: lockOldest,
}
