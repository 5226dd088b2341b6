import { setTimeout } from 'node:timers/promises'
import type { Journal } from '../campaign/journal.ts'
import type { Random } from '../campaign/random.ts'
import type { Sender } from '../campaign/sender.ts'
import type { Victim } from '../campaign/victim.ts'
import type { ProgramSettings } from './program.ts'

/** When a process is killed. */
export const kinds = {
  accept: 'while it accepts and commits',
  handler: 'while handlers run',
  outcome: 'a handler is through, its outcome not recorded',
  worker: 'the worker, which is a process of its own',
  both: 'worker and receiver at once',
  takeover: 'right after a start, while it takes over',
  migration: 'right after the first start, while it migrates',
} as const
export type Kind = keyof typeof kinds

/** The parts of a campaign that a round needs. */
export interface Stage {
  random: Random
  sender: Sender
  journal: Journal
  start(role: ProgramSettings['role']): Victim
  /** Kills, all at once, and counts it. */
  kill(kind: Kind, ...victims: Victim[]): Promise<void>
  /** Waits for one that kills itself, and counts it. */
  killed(kind: Kind, victim: Victim): Promise<void>
  /** Ends an inbox in which all is done, and goes on with a new one. */
  renew(): Promise<Stage>
}

/** One round begins with all that was sent handled, and ends with every process dead. */
export type Round = (stage: Stage, receiver: Victim, worker: Victim) => Promise<void>

/** Milliseconds that a kill is at most away from the beginning of the load. */
const longest = 300

/** @returns the resources that end with the receiver. */
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

/** Whether a round needs its worker in a process of its own, and its actions. */
export const rounds: readonly { split: boolean; run: Round }[] = [
  { split: false, run: atAccept },
  { split: false, run: duringHandler },
  { split: false, run: beforeOutcome },
  { split: true, run: ownWorker },
  { split: false, run: atTakeover },
  { split: false, run: atMigration },
]
