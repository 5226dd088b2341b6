import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { bundled } from '../bundled.ts'
import { fatalHandler, testHandlers } from '../campaign/handlers.ts'
import { Journal } from '../campaign/journal.ts'
import { Random } from '../campaign/random.ts'
import { Sender } from '../campaign/sender.ts'
import { Judge, tooManyLate, type Verdict } from '../campaign/verdict.ts'
import { Victim } from '../campaign/victim.ts'
import { isLocked, readContents, unfinished } from './inbox-contents.ts'
import type { ProgramSettings } from './program.ts'
import { type Kind, kinds, rounds, type Stage } from './rounds.ts'

/** The result of a campaign. */
export interface Report {
  seed: number
  kills: Record<Kind, number>
  /** Requests: all, including repeated ones; those without a complete answer; those with an answer other than 2xx. */
  sent: number
  cut: number
  rejected: number
  /** Deliveries that were acknowledged, and how many acknowledgments were for a copy. */
  acked: number
  duplicates: number
  stored: number
  handled: number
  expired: number
  unrecorded: number
  /** Attempts that a suspended process began after another worker had reclaimed their tasks. */
  late: number
  /** Lists that must be empty. */
  lost: string[]
  wrong: string[]
  seconds: number
  /** The folder of the inboxes. It is deleted if there are no problems. */
  folder: string
}

export interface CampaignOptions {
  kills: number
  seed: number
  /** Whether the killed processes run what `hookserver serve` runs, instead of an application with a mount. */
  served: boolean
  onKill?(report: Report): void
}

/** Milliseconds within which a process that is not suspended ends its transaction. */
const transactionTimeout = 1000

/** Milliseconds within which all stored deliveries must be handled after each round. */
const drainTimeout = 120_000

/** Kills processes under load, in rounds, and checks after each round whether an acknowledged delivery was lost. */
export async function runCampaign({ kills, seed, served, onKill }: CampaignOptions): Promise<Report> {
  const campaign = new Campaign(seed, served, onKill)
  try {
    await campaign.run(kills)
  } catch (error) {
    campaign.fail(error as Error)
  } finally {
    campaign.clear()
  }
  return campaign.report()
}

const program = await bundled(join(import.meta.dirname, 'program.ts'))

/** An inbox, and the objects that belong to it. */
interface Scene {
  file: string
  sender: Sender
  journal: Journal
  judge: Judge
  verdict: Verdict | undefined
}

class Campaign {
  readonly #random: Random
  readonly #onKill: ((report: Report) => void) | undefined
  readonly #seed: number
  readonly #served: boolean
  readonly #folder = mkdtempSync(join(tmpdir(), 'hookserver-kill-'))
  readonly #began = performance.now()
  readonly #kills = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, 0])) as Record<Kind, number>
  readonly #lost = new Set<string>()
  readonly #wrong = new Set<string>()
  readonly #alive = new Set<Victim>()
  readonly #scenes: Scene[] = []
  #scene: Scene

  constructor(seed: number, served: boolean, onKill?: (report: Report) => void) {
    this.#seed = seed
    this.#served = served
    this.#random = new Random(seed)
    this.#onKill = onKill
    this.#scene = this.#open()
  }

  async run(kills: number): Promise<void> {
    for (let count = 0; total(this.#kills) < kills; count++) {
      const { split, run } = rounds[count % rounds.length] as (typeof rounds)[number]
      const receiver = this.#start(split ? 'receiver' : 'all')
      const worker = split ? this.#start('worker') : receiver
      await this.#settle(receiver)
      await run(this.#stage(), receiver, worker)
    }
    const last = this.#start('all')
    await this.#settle(last)
    last.tell('close')
    await last.ended
  }

  /** Records that the campaign could not continue. */
  fail({ message }: Error): void {
    this.#wrong.add(message)
  }

  /** Ends all processes, and deletes the files if there are no problems. */
  clear(): void {
    for (const victim of this.#alive) void victim.kill()
    if (this.#lost.size + this.#wrong.size === 0) rmSync(this.#folder, { recursive: true })
  }

  report(): Report {
    const sum = (count: (scene: Scene) => number) => this.#scenes.reduce((all, scene) => all + count(scene), 0)
    const late = sum(({ verdict }) => verdict?.late ?? 0)
    return {
      seed: this.#seed,
      kills: this.#kills,
      sent: sum(({ sender }) => sender.figures.sent),
      cut: sum(({ sender }) => sender.figures.cut),
      rejected: sum(({ sender }) => sender.figures.rejected),
      acked: sum(({ sender }) => sender.acked.size),
      duplicates: sum(({ sender }) => sender.figures.duplicates),
      stored: sum(({ verdict }) => verdict?.stored ?? 0),
      handled: sum(({ verdict }) => verdict?.handled ?? 0),
      expired: sum(({ verdict }) => verdict?.expired ?? 0),
      unrecorded: sum(({ verdict }) => verdict?.unrecorded ?? 0),
      late,
      lost: [...this.#lost],
      wrong: [...this.#wrong, ...tooManyLate(late, this.#kills.resumed)],
      seconds: (performance.now() - this.#began) / 1000,
      folder: this.#folder,
    }
  }

  #open(): Scene {
    const path = join(this.#folder, String(this.#scenes.length))
    const [sender, journal, file] = [
      new Sender(new Random(this.#seed + this.#scenes.length + 1)),
      new Journal(`${path}.txt`),
      `${path}.db`,
    ]
    const scene = {
      file,
      sender,
      journal,
      judge: new Judge(sender, journal, [...testHandlers, fatalHandler]),
      verdict: undefined,
    }
    this.#scenes.push(scene)
    return scene
  }

  #stage(): Stage {
    const { file, sender, journal } = this.#scene
    return {
      random: this.#random,
      sender,
      journal,
      isLocked: () => isLocked(file, transactionTimeout),
      start: (role) => this.#start(role),
      kill: async (kind, ...victims) => {
        await Promise.all(victims.map((victim) => victim.kill()))
        await this.#count(kind, victims)
      },
      killed: (kind, victim) => this.#count(kind, [victim]),
      renew: async () => {
        this.#scene = this.#open()
        return this.#stage()
      },
    }
  }

  #start(role: ProgramSettings['role']): Victim {
    const { file, journal } = this.#scene
    const settings: ProgramSettings = { file, journal: journal.path, role, served: this.#served, isFatal: true }
    const victim = new Victim(program, settings)
    this.#alive.add(victim)
    void victim.ended.then(() => this.#alive.delete(victim))
    return victim
  }

  async #count(kind: Kind, victims: readonly Victim[]): Promise<void> {
    for (const victim of victims) {
      const end = await victim.ended
      if (end !== undefined) this.#wrong.add(end)
      else if (victim.complaints !== '') this.#wrong.add(`A process complained: ${victim.complaints}`)
    }
    this.#kills[kind]++
    this.#onKill?.(this.report())
  }

  /** Sends unacknowledged deliveries again, waits until all deliveries are handled, and checks the result. */
  async #settle(receiver: Victim): Promise<void> {
    const { file, sender, judge } = this.#scene
    await sender.resend(await receiver.ready)
    const end = performance.now() + drainTimeout
    while (unfinished(file) > 0) {
      if (performance.now() > end) throw new Error(`${unfinished(file)} deliveries were not handled`)
      await setTimeout(10)
    }
    const contents = readContents(file)
    const verdict = judge.judge(contents)
    for (const text of verdict.lost) this.#lost.add(text)
    for (const text of [...contents.damage, ...verdict.wrong]) this.#wrong.add(text)
    this.#scene.verdict = verdict
  }
}

export function total(kills: Record<Kind, number>): number {
  return Object.values(kills).reduce((sum, count) => sum + count, 0)
}
