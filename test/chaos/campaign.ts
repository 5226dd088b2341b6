import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Journal } from '../campaign/journal.ts'
import { Random } from '../campaign/random.ts'
import { Sender } from '../campaign/sender.ts'
import { Judge, type Verdict } from '../campaign/verdict.ts'
import { Crew } from './crew.ts'
import { Database } from './database.ts'
import { duties } from './duties.ts'
import { faults, goesOn, type Kind, kinds, type Stage } from './faults.ts'
import { attemptsOf, contradictions, holdingOf, unfinished } from './holding.ts'
import { Progress } from './progress.ts'
import { Traffic } from './traffic.ts'

/** How often a fault was made, and the longest time in milliseconds until all went on. */
export interface Made {
  times: number
  longest: number
}

/** The result of a campaign. */
export interface Report {
  seed: number
  faults: Partial<Record<Kind, Made>>
  /** Requests; those without an answer in full; those answered but not 2xx. */
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
  /** For which faults go on; each comes at least once. */
  seconds: number
  only?: readonly Kind[] | undefined
  /** Milliseconds between heartbeats of the workers. */
  heartbeat?: number
  /** Milliseconds for which the database is away, and connections stand still, at most. */
  longest?: number
  connections?: number
  onFault?(kind: Kind, soFar: Report): void
}

/** Milliseconds within which all must go on after a fault, as the documentation says it. */
const promised = 30_000
/** Milliseconds in which all must be handled once there are no faults any more. */
const patience = 60_000

/** Makes faults, one after the other, under load; then looks what became of all that was acked. */
export async function runCampaign(options: CampaignOptions): Promise<Report> {
  const database = await Database.start()
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-chaos-'))
  const journal = new Journal(join(folder, 'journal.txt'))
  const { heartbeat = 2500 } = options
  const crew = await Crew.start({ url: database.url, journal: journal.path, heartbeat }, 2)
  const campaign = new Campaign(options, database, crew, journal)
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
  readonly #database: Database
  readonly #random: Random
  readonly #sender: Sender
  readonly #journal: Journal
  readonly #judge: Judge
  readonly #crew: Crew
  readonly #made: Partial<Record<Kind, Made>> = {}
  readonly #wrong: string[] = []
  readonly #began = performance.now()
  #traffic: Traffic | undefined
  #verdict: Verdict | undefined
  /** The longest wait of the fault that is made now. */
  #waited = 0

  constructor(options: CampaignOptions, database: Database, crew: Crew, journal: Journal) {
    const { seed } = options
    this.#options = options
    this.#database = database
    this.#random = new Random(seed)
    this.#sender = new Sender(new Random(seed + 1))
    this.#judge = new Judge(this.#sender, journal, duties, { reordersConcurrent: true })
    this.#crew = crew
    this.#journal = journal
  }

  async run(): Promise<void> {
    const { seed, seconds, only, connections = 12, longest = 6000, onFault } = this.#options
    const [crew, database, random, progress] = [this.#crew, this.#database, this.#random, new Progress(this.#journal)]
    await crew.ready()
    const traffic = new Traffic(this.#sender, new Random(seed + 2), () => crew.ports(), connections)
    this.#traffic = traffic
    const stage: Stage = {
      ...{ random, database, crew, traffic, progress, longest },
      noteOutcomes: async () => this.#judge.note({ attempts: await attemptsOf(database.pool) }),
      soon: (what, came) => this.#soon(what, came),
    }
    await goesOn(stage)
    const all = only ?? (Object.keys(faults) as Kind[])
    for (let round = 0; round === 0 || this.#seconds() < seconds; round++) {
      for (const kind of random.shuffle(all)) {
        if (round > 0 && this.#seconds() >= seconds) break
        this.#waited = 0
        await faults[kind](stage).catch(({ message }) => {
          throw new Error(`${message}, after this: ${kinds[kind]}`)
        })
        const { times, longest } = this.#made[kind] ?? { times: 0, longest: 0 }
        this.#made[kind] = { times: times + 1, longest: Math.max(longest, this.#waited) }
        onFault?.(kind, this.report())
        await setTimeout(random.whole(0, 1000)) // of load without a fault
      }
    }
    if (!database.pinned) this.#wrong.push('The transaction that was left open did not stay open')
    await this.#end(traffic)
  }

  /** A campaign that could not go on. */
  fail({ message }: Error): void {
    this.#wrong.push(message)
  }

  /** Leaves no process behind. */
  async clear(): Promise<void> {
    this.#traffic?.abandon()
    this.#database.thaw()
    await this.#crew.clear()
    await this.#database.stop()
  }

  report(): Report {
    const { acked, figures } = this.#sender
    const wrong = [
      ...this.#wrong,
      ...(this.#traffic?.wrong ?? []),
      ...this.#crew.wrong,
      ...(this.#verdict?.wrong ?? []),
    ]
    return {
      ...{ seed: this.#options.seed, faults: this.#made, ...figures, acked: acked.size, wrong },
      ...{ verdict: this.#verdict, lost: this.#verdict?.lost ?? [], seconds: this.#seconds() },
    }
  }

  /** Has all come to its end, and judges. */
  async #end(traffic: Traffic): Promise<void> {
    const { pool } = this.#database
    const over = performance.now() + patience
    await Promise.race([traffic.end(), setTimeout(patience, undefined, { ref: false })])
    if (this.#sender.open.size > 0) this.#wrong.push(`${this.#sender.open.size} deliveries are never acked`)
    while ((await unfinished(pool)) > 0 && performance.now() < over) await setTimeout(50)
    await this.#crew.close()
    this.#verdict = this.#judge.judge(await holdingOf(pool))
    this.#wrong.push(...(await contradictions(pool)))
  }

  async #soon(what: string, came: () => boolean | Promise<boolean>): Promise<void> {
    const began = performance.now()
    while (!(await came())) {
      if (performance.now() - began > promised) throw new Error(`${what} within ${promised / 1000} s`)
      await setTimeout(10)
    }
    this.#waited = Math.max(this.#waited, performance.now() - began)
  }

  #seconds(): number {
    return (performance.now() - this.#began) / 1000
  }
}
