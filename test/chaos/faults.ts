import { setTimeout } from 'node:timers/promises'
import type { Random } from '../campaign/random.ts'
import type { Victim } from '../campaign/victim.ts'
import type { Crew } from './crew.ts'
import type { Database } from './database.ts'
import { deaths, fatal } from './duties.ts'
import { running } from './holding.ts'
import type { Progress } from './progress.ts'
import type { Traffic } from './traffic.ts'

/** The faults for processes under load. */
export const kinds = {
  worker: 'a worker is killed',
  receiver: 'a receiver is killed',
  poison: `a delivery kills ${deaths} workers`,
  terminated: 'every connection is terminated',
  crash: 'PostgreSQL is shut down at once, and is away',
  exhausted: 'another program takes all connections',
  stopped: 'a worker stands still, and goes on too late',
  frozen: 'some connections stand still',
  lineless: 'a worker hears nothing of the database any more',
} as const
export type Kind = keyof typeof kinds

/** The parts of a campaign that a fault needs. */
export interface Stage {
  random: Random
  database: Database
  crew: Crew
  traffic: Traffic
  progress: Progress
  /** Milliseconds for which the database is away, and connections stand still, at most. */
  longest: number
  /** Notes the outcomes that are there: none of them may be gone in the end. */
  noteOutcomes(): Promise<void>
  /** Waits for something that must come about soon. @throws {Error} with `what` if it does not. */
  soon(what: string, came: () => boolean | Promise<boolean>): Promise<void>
}

/** Resolves when the fault is over and all processes work again. */
export type Fault = (stage: Stage) => Promise<void>

/** Sends a delivery, which is to be handled soon. */
export async function goesOn({ traffic, progress, random, soon }: Stage): Promise<void> {
  const guid = random.guid()
  traffic.send(guid, 'push')
  await soon('Nothing was handled any more', () => progress.of(guid, 'quick')?.through === true)
}

/** @returns a worker in the middle of something. */
async function busyWorker({ random, crew, progress, soon }: Stage): Promise<Victim> {
  await Promise.all(crew.workers.map(({ ready }) => ready))
  const worker = random.pick(crew.workers)
  await soon('A worker does nothing', () => progress.openOf(worker.pid).length > 0)
  return worker
}

const isTakenOver = ({ progress, soon }: Stage, { pid }: Victim) =>
  soon('The tasks of a live worker are not claimed by another worker', () => progress.openOf(pid).length === 0)

const killWorker: Fault = async (stage) => {
  const worker = await busyWorker(stage)
  await worker.kill()
  await isTakenOver(stage, worker)
}

const killReceiver: Fault = async (stage) => {
  await stage.crew.ready()
  await stage.random.pick(stage.crew.receivers).kill()
  await goesOn(stage)
}

const poison: Fault = async ({ random, traffic, progress, soon }) => {
  const guid = random.guid()
  traffic.send(guid, 'fork')
  for (let attempt = 1; attempt <= deaths + 1; attempt++) {
    await soon(`Attempt ${attempt} does not begin`, () => (progress.of(guid, fatal)?.attempt ?? 0) >= attempt)
  }
  await soon('A delivery that killed workers is not handled', () => progress.of(guid, fatal)?.through === true)
}

const terminate: Fault = async (stage) => {
  await stage.database.terminate()
  await goesOn(stage)
}

const crash: Fault = async (stage) => {
  const { database, traffic, random, longest } = stage
  await stage.noteOutcomes()
  await database.crash()
  const isBack = traffic.outage()
  await setTimeout(random.whole(longest / 2, longest))
  isBack()
  await database.comeBack()
  await goesOn(stage)
}

const exhaust: Fault = async (stage) => {
  const { database, traffic, random, longest } = stage
  const giveBack = await database.exhaust()
  const isBack = traffic.outage()
  await setTimeout(random.whole(longest / 2, longest))
  isBack()
  await giveBack()
  await goesOn(stage)
}

const stop: Fault = async (stage) => {
  const worker = await busyWorker(stage)
  await worker.stop()
  try {
    await isTakenOver(stage, worker)
  } finally {
    worker.goOn()
  }
  await goesOn(stage)
}

const freeze: Fault = async (stage) => {
  const { database, random, longest } = stage
  const share = random.pick([0.5, 1])
  await database.freeze(() => random.next() < share)
  await setTimeout(random.whole(longest / 2, longest))
  database.thaw()
  await goesOn(stage)
}

const loseLine: Fault = async (stage) => {
  const { database, crew, progress, soon } = stage
  const worker = await busyWorker(stage)
  const line = crew.lineOf(worker)
  line.die()
  try {
    // The worker resumes without help, so only the inbox shows which of its tasks other workers may claim.
    const left = await running(database.pool, progress.openOf(worker.pid))
    const isTaken = async () => (await running(database.pool, left)).length === 0
    await soon('The tasks of the silent worker are still leased to it', isTaken)
  } finally {
    line.goOn()
  }
  await goesOn(stage)
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
  lineless: loseLine,
}
