import { setTimeout } from 'node:timers/promises'
import { deaths, fatal } from '../campaign/handlers.ts'
import type { Progress } from '../campaign/progress.ts'
import type { Random } from '../campaign/random.ts'
import type { Victim } from '../campaign/victim.ts'
import type { Database } from './database.ts'
import { running } from './inbox-contents.ts'
import type { Processes } from './processes.ts'
import type { Condition } from './time-limits.ts'
import type { Traffic } from './traffic.ts'

/** The faults for processes under load. */
export const kinds = {
  worker: 'a worker is killed',
  receiver: 'a receiver is killed',
  poison: `a delivery kills ${deaths} workers`,
  terminated: 'all database connections are terminated',
  crash: 'PostgreSQL is shut down immediately and restarted later',
  exhausted: 'another program takes all connections',
  stopped: 'a worker is suspended until others reclaim its tasks',
  frozen: 'some or all connections are suspended',
  disconnected: 'the network between a worker and the database fails',
} as const
export type Kind = keyof typeof kinds

/** The parts of a campaign that a fault uses. */
export interface Stage {
  random: Random
  database: Database
  processes: Processes
  traffic: Traffic
  progress: Progress
  /** The maximum time for which the database is unavailable or connections are suspended, in milliseconds. */
  longest: number
  /** Records which tasks have succeeded. These successes must not disappear. */
  noteOutcomes(): Promise<void>
  /** Waits for a condition that must hold within the time of a takeover. @throws {Error} with `what` if it does not. */
  soon(what: string, condition: Condition): Promise<unknown>
  /** The same for a task that waits until other tasks have run one by one. */
  eventually(what: string, condition: Condition): Promise<unknown>
}

/** Injects a fault. Resolves when the fault is over and workers run attempts again. */
export type Fault = (stage: Stage) => Promise<void>

/** Sends a delivery and waits until it is handled. */
export async function expectProgress({ traffic, progress, random, soon }: Stage): Promise<void> {
  const guid = random.guid()
  traffic.send(guid, 'push')
  await soon('No worker handled a new delivery', () => progress.of(guid, 'quick')?.through === true)
}

/** Waits until a random worker runs an attempt. @returns that worker. */
async function busyWorker({ random, processes, progress, soon }: Stage): Promise<Victim> {
  await Promise.all(processes.workers.map(({ ready }) => ready))
  const worker = random.pick(processes.workers)
  await soon('A worker ran no attempt', () => progress.openOf(worker.pid).length > 0)
  return worker
}

const isTakenOver = ({ progress, soon }: Stage, { pid }: Victim) =>
  soon('No other worker claimed the tasks of the failed worker', () => progress.openOf(pid).length === 0)

const killWorker: Fault = async (stage) => {
  const worker = await busyWorker(stage)
  await worker.kill()
  await isTakenOver(stage, worker)
}

const killReceiver: Fault = async (stage) => {
  await stage.processes.ready()
  await stage.random.pick(stage.processes.receivers).kill()
  await expectProgress(stage)
}

const poison: Fault = async ({ random, traffic, progress, eventually }) => {
  const guid = random.guid()
  traffic.send(guid, 'fork')
  for (let attempt = 1; attempt <= deaths + 1; attempt++) {
    await eventually(`Attempt ${attempt} did not begin`, () => (progress.of(guid, fatal)?.attempt ?? 0) >= attempt)
  }
  await eventually(
    'No worker handled the delivery that killed workers',
    () => progress.of(guid, fatal)?.through === true,
  )
}

const terminate: Fault = async (stage) => {
  await stage.database.terminate()
  await expectProgress(stage)
}

const crash: Fault = async (stage) => {
  const { database, traffic, random, longest } = stage
  await stage.noteOutcomes()
  await database.crash()
  const endOutage = traffic.outage()
  await setTimeout(random.whole(longest / 2, longest))
  endOutage()
  await database.comeBack()
  await expectProgress(stage)
}

const exhaust: Fault = async (stage) => {
  const { database, traffic, random, longest } = stage
  const releaseConnections = await database.exhaust()
  const endOutage = traffic.outage()
  await setTimeout(random.whole(longest / 2, longest))
  endOutage()
  await releaseConnections()
  await expectProgress(stage)
}

const stop: Fault = async (stage) => {
  const worker = await busyWorker(stage)
  await worker.stop()
  try {
    await isTakenOver(stage, worker)
  } finally {
    worker.resume()
  }
  await expectProgress(stage)
}

const freeze: Fault = async (stage) => {
  const { database, random, longest } = stage
  const share = random.pick([0.5, 1])
  await database.freeze(() => random.next() < share)
  await setTimeout(random.whole(longest / 2, longest))
  database.thaw()
  await expectProgress(stage)
}

const disconnect: Fault = async (stage) => {
  const { database, processes, progress, soon } = stage
  const worker = await busyWorker(stage)
  const link = processes.linkOf(worker)
  link.block()
  try {
    // The disconnected worker continues its attempts, so only the inbox shows which of its tasks were reclaimed.
    const left = await running(database.pool, progress.openOf(worker.pid))
    const isTaken = async () => (await running(database.pool, left)).length === 0
    await soon('No other worker reclaimed the tasks of the disconnected worker', isTaken)
  } finally {
    link.unblock()
  }
  await expectProgress(stage)
}

export const faults: Record<Kind, Fault> = {
  worker: killWorker,
  receiver: killReceiver,
  poison,
  terminated: terminate,
  crash,
  exhausted: exhaust,
  stopped: stop,
  frozen: freeze,
  disconnected: disconnect,
}
