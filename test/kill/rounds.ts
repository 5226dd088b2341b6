import { setTimeout } from 'node:timers/promises'
import { deaths, fatal } from '../campaign/handlers.ts'
import type { Journal } from '../campaign/journal.ts'
import { Progress } from '../campaign/progress.ts'
import type { Random } from '../campaign/random.ts'
import type { Sender } from '../campaign/sender.ts'
import type { Victim } from '../campaign/victim.ts'
import type { ProgramSettings } from './program.ts'

/** The kinds of kills: when a process is killed, or which processes are killed. */
export const kinds = {
  accept: 'while it accepts and commits',
  handler: 'while handlers run',
  outcome: 'after a handler has finished, before its outcome is recorded',
  worker: 'only the worker, in a process of its own',
  both: 'worker and receiver at the same time',
  takeover: 'right after a start, while it reclaims tasks',
  migration: 'right after the first start, while it migrates',
  resumed: 'after it was suspended until another worker reclaimed its tasks',
  fatal: `by a handler, which does so ${deaths} times`,
} as const
export type Kind = keyof typeof kinds

/** The parts of a campaign that a round uses. */
export interface Stage {
  random: Random
  sender: Sender
  journal: Journal
  /** Whether a suspended process holds the write lock of the inbox. */
  isLocked(): boolean
  start(role: ProgramSettings['role']): Victim
  /** Kills the processes at the same time, and counts this as one kill. */
  kill(kind: Kind, ...victims: Victim[]): Promise<void>
  /** Waits for a process that kills itself, and counts the kill. */
  killed(kind: Kind, victim: Victim): Promise<void>
  /**
   * Continues with a new inbox. Before the call, all deliveries of the current inbox must be handled, and its processes
   * closed.
   */
  renew(): Promise<Stage>
}

/** When a round begins, all earlier deliveries have been handled. When it ends, every process has ended. */
export type Round = (stage: Stage, receiver: Victim, worker: Victim) => Promise<void>

/** The maximum of the random wait before a kill, in milliseconds. */
const longest = 300

/** Begins the load. @returns `over`, which resolves when the load has ended, because the receiver was killed. */
async function loadOf({ sender }: Stage, receiver: Victim): Promise<{ over: Promise<void> }> {
  return { over: sender.load(await receiver.ready) }
}

const atAccept: Round = async (stage, receiver) => {
  const load = await loadOf(stage, receiver)
  await setTimeout(stage.random.whole(0, longest))
  await stage.kill('accept', receiver)
  await load.over
}

const duringHandler: Round = async (stage, receiver) => {
  const { journal, random } = stage
  const least = journal.read() + random.whole(1, 400)
  const load = await loadOf(stage, receiver)
  while (journal.read() < least || journal.lines.at(-1)?.mark !== '+') await setTimeout(1)
  await stage.kill('handler', receiver)
  await load.over
}

const beforeOutcome: Round = async (stage, receiver) => {
  receiver.tell({ killSelfAfter: stage.random.whole(1, 300) })
  const load = await loadOf(stage, receiver)
  await stage.killed('outcome', receiver)
  await load.over
}

const ownWorker: Round = async (stage, receiver, worker) => {
  const { random } = stage
  const load = await loadOf(stage, receiver)
  await setTimeout(random.whole(0, longest))
  await stage.kill('worker', worker)
  const next = stage.start('worker')
  await next.loaded
  await setTimeout(random.whole(0, longest))
  await stage.kill('both', next, receiver)
  await load.over
}

const atTakeover: Round = async (stage, receiver) => {
  await atAccept(stage, receiver, receiver)
  for (let count = stage.random.whole(1, 2); count > 0; count--) {
    const victim = stage.start('all')
    await victim.loaded
    await setTimeout(stage.random.whole(0, longest))
    await stage.kill('takeover', victim)
  }
}

const atMigration: Round = async (stage, receiver) => {
  receiver.tell('close')
  await receiver.ended
  const { random, start, kill } = await stage.renew()
  for (let count = random.whole(1, 2); count > 0; count--) {
    const victim = start('all')
    await victim.loaded
    await setTimeout(random.whole(0, 15))
    await kill('migration', victim)
  }
}

/** Milliseconds within which a worker must reclaim the tasks of another one. */
const reclaimTimeout = 120_000

/** Waits for a condition that must hold within `reclaimTimeout`. @throws {Error} with `what` if it does not. */
async function soon(what: string, condition: () => boolean): Promise<void> {
  const end = performance.now() + reclaimTimeout
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what} within ${reclaimTimeout / 1000} s`)
    await setTimeout(1)
  }
}

const afterSuspension: Round = async ({ journal, random, sender, isLocked, start, kill }, receiver, worker) => {
  const progress = new Progress(journal)
  let isSuspended = false
  await worker.ready
  const load = sender.load(await receiver.ready, () => isSuspended)
  // While a worker is suspended in a transaction, no other process can write, and reclaim its tasks.
  do {
    worker.resume()
    await soon('A worker ran no attempt', () => progress.openOf(worker.pid).length > 0)
    await worker.stop()
  } while (isLocked())
  isSuspended = true
  const next = start('worker')
  await soon('No worker reclaimed the tasks of a suspended one', () => progress.openOf(worker.pid).length === 0)
  worker.resume()
  await setTimeout(random.whole(0, longest))
  await kill('resumed', worker, next, receiver)
  await load
}

const byHandler: Round = async (stage, receiver) => {
  const { random, sender, journal, start, killed, kill } = stage
  const progress = new Progress(journal)
  const load = await loadOf(stage, receiver)
  const guid = random.guid()
  sender.open.set(guid, 'fork')
  const port = await receiver.ready
  let hasEnded = false
  void receiver.ended.then(() => (hasEnded = true))
  while (sender.open.has(guid) && !hasEnded) await sender.resend(port) // under load, the receiver may reject it at first
  let victim = receiver
  for (let death = 1; death <= deaths; death++) {
    await soon(`Attempt ${death} of the handler did not begin`, () => (progress.of(guid, fatal)?.attempt ?? 0) >= death)
    await killed('fatal', victim)
    victim = start('all')
  }
  await load.over
  await victim.loaded
  await setTimeout(random.whole(0, longest))
  await kill('fatal', victim)
}

/** The rounds. `split`: whether the worker is a process of its own. */
export const rounds: readonly { split: boolean; run: Round }[] = [
  { split: false, run: atAccept },
  { split: false, run: duringHandler },
  { split: false, run: beforeOutcome },
  { split: true, run: ownWorker },
  { split: false, run: atTakeover },
  { split: false, run: atMigration },
  { split: true, run: afterSuspension },
  { split: false, run: byHandler },
]
