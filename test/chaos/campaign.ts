import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Journal } from '../campaign/journal.ts'
import { Progress } from '../campaign/progress.ts'
import { Random } from '../campaign/random.ts'
import { Sender } from '../campaign/sender.ts'
import { Judge, tooManyLate, type Verdict } from '../campaign/verdict.ts'
import { Database } from './database.ts'
import { expectProgress, faults, type Kind, kinds, type Stage } from './faults.ts'
import { testHandlers } from './handlers.ts'
import { attemptsOf, contradictions, readContents, unfinished } from './inbox-contents.ts'
import { Processes } from './processes.ts'
import { type Condition, type TimeLimits, timeLimits, within } from './time-limits.ts'
import { Traffic } from './traffic.ts'

/** How often a fault was injected, and the longest wait for a condition of the fault (`soon`), in milliseconds. */
export interface FaultFigures {
  times: number
  longest: number
}

/** The result of a campaign. */
export interface Report {
  seed: number
  faults: Partial<Record<Kind, FaultFigures>>
  /** Requests: all, those without a complete answer, and those with an answer other than 2xx. */
  sent: number
  cut: number
  rejected: number
  acked: number
  duplicates: number
  verdict: Verdict | undefined
  /** Lists that must be empty. */
  lost: string[]
  wrong: string[]
  seconds: number
}

export interface CampaignOptions {
  seed: number
  /** Seconds from the start of the run. Faults are injected until then, and each fault at least once. */
  seconds: number
  only?: readonly Kind[] | undefined
  /** Milliseconds between heartbeats of the workers. */
  heartbeat?: number
  /** The maximum time for which the database is unavailable or connections are suspended, in milliseconds. */
  longest?: number
  connections?: number
  /** Default: the promised times. */
  limits?: TimeLimits
  onFault?(kind: Kind, soFar: Report): void
}

/** Injects faults one after the other under load, then checks every acknowledged delivery. */
export async function runCampaign(options: CampaignOptions): Promise<Report> {
  const database = await Database.start()
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-chaos-'))
  const journal = new Journal(join(folder, 'journal.txt'))
  const { heartbeat = 2500 } = options
  const processes = await Processes.start({ url: database.url, journal: journal.path, heartbeat }, 2)
  const campaign = new Campaign(options, database, processes, journal)
  try {
    await campaign.run()
  } catch (error) {
    campaign.fail(error as Error)
  } finally {
    await campaign.clear()
    rmSync(folder, { recursive: true })
  }
  return campaign.report()
}

class Campaign {
  readonly #options: CampaignOptions
  readonly #limits: TimeLimits
  readonly #database: Database
  readonly #random: Random
  readonly #sender: Sender
  readonly #journal: Journal
  readonly #judge: Judge
  readonly #processes: Processes
  readonly #injected: Partial<Record<Kind, FaultFigures>> = {}
  readonly #wrong: string[] = []
  readonly #began = performance.now()
  #traffic: Traffic | undefined
  #verdict: Verdict | undefined
  /** The longest wait for a condition of the current fault, in milliseconds. */
  #waited = 0

  constructor(options: CampaignOptions, database: Database, processes: Processes, journal: Journal) {
    const { seed } = options
    this.#options = options
    this.#limits = options.limits ?? timeLimits()
    this.#database = database
    this.#random = new Random(seed)
    this.#sender = new Sender(new Random(seed + 1))
    this.#judge = new Judge(this.#sender, journal, testHandlers, { reordersConcurrent: true })
    this.#processes = processes
    this.#journal = journal
  }

  async run(): Promise<void> {
    const { seed, seconds, only, connections = 12, longest = 6000, onFault } = this.#options
    const [processes, database, random, progress] = [
      this.#processes,
      this.#database,
      this.#random,
      new Progress(this.#journal),
    ]
    await processes.ready()
    const traffic = new Traffic(this.#sender, new Random(seed + 2), () => processes.ports(), connections)
    this.#traffic = traffic
    const stage: Stage = {
      ...{ random, database, processes, traffic, progress, longest },
      noteOutcomes: async () => this.#judge.note({ attempts: await attemptsOf(database.pool) }),
      soon: (what, condition) => this.#within(this.#limits.takeover, what, condition),
      eventually: (what, condition) => this.#within(this.#limits.inTurn, what, condition),
    }
    await expectProgress(stage)
    const all = only ?? (Object.keys(faults) as Kind[])
    for (let round = 0; round === 0 || this.#seconds() < seconds; round++) {
      for (const kind of random.shuffle(all)) {
        if (round > 0 && this.#seconds() >= seconds) break
        this.#waited = 0
        await faults[kind](stage).catch(({ message }) => {
          throw new Error(`${message}, after the fault: ${kinds[kind]}`)
        })
        const { times, longest } = this.#injected[kind] ?? { times: 0, longest: 0 }
        this.#injected[kind] = { times: times + 1, longest: Math.max(longest, this.#waited) }
        onFault?.(kind, this.report())
        await setTimeout(random.whole(0, 1000)) // load without a fault
      }
    }
    if (!database.pinned) this.#wrong.push('The transaction that had to stay open was closed')
    await this.#end(traffic)
  }

  /** Records that the campaign could not continue. */
  fail({ message }: Error): void {
    this.#wrong.push(message)
  }

  /** Ends the traffic, all processes and the database. */
  async clear(): Promise<void> {
    this.#traffic?.abandon()
    this.#database.thaw()
    await this.#processes.clear()
    await this.#database.stop()
  }

  report(): Report {
    const { acked, figures } = this.#sender
    const wrong = [
      ...this.#wrong,
      ...(this.#traffic?.wrong ?? []),
      ...this.#processes.wrong,
      ...(this.#verdict?.wrong ?? []),
      ...tooManyLate(this.#verdict?.late ?? 0, this.#injected.stopped?.times ?? 0),
    ]
    return {
      ...{ seed: this.#options.seed, faults: this.#injected, ...figures, acked: acked.size, wrong },
      ...{ verdict: this.#verdict, lost: this.#verdict?.lost ?? [], seconds: this.#seconds() },
    }
  }

  /** Ends the traffic, waits until all deliveries are handled, closes the processes, and judges the result. */
  async #end(traffic: Traffic): Promise<void> {
    const { pool } = this.#database
    const over = performance.now() + this.#limits.drain
    await Promise.race([traffic.end(), setTimeout(this.#limits.drain, undefined, { ref: false })])
    if (this.#sender.open.size > 0) this.#wrong.push(`${this.#sender.open.size} deliveries were not acknowledged`)
    while ((await unfinished(pool)) > 0 && performance.now() < over) await setTimeout(50)
    await this.#processes.close()
    this.#verdict = this.#judge.judge(await readContents(pool))
    this.#wrong.push(...(await contradictions(pool)))
  }

  async #within(limit: number, what: string, condition: Condition): Promise<void> {
    this.#waited = Math.max(this.#waited, await within(limit, what, condition))
  }

  #seconds(): number {
    return (performance.now() - this.#began) / 1000
  }
}
