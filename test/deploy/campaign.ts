import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Store } from '../../src/inbox/inbox.ts'
import type { DeliveryDetail } from '../../src/inbox/records.ts'
import { deliveryStateOf } from '../../src/inbox/states.ts'
import { type EventName, testHandlers } from '../campaign/handlers.ts'
import { Journal } from '../campaign/journal.ts'
import { Random } from '../campaign/random.ts'
import { Sender } from '../campaign/sender.ts'
import { type AttemptRow, type InboxContents, Judge, tooManyLate, type Verdict } from '../campaign/verdict.ts'
import { Traffic } from '../chaos/traffic.ts'
import { startPostgres } from '../postgres/server.ts'
import { Fleet, type Kind, kinds } from './fleet.ts'
import { judgeChanges } from './judge-changes.ts'
import { openStore, type StoreName } from './store.ts'
import { type Version, versions } from './versions.ts'

/** The result of a campaign. */
export interface Report {
  seed: number
  store: StoreName
  replaced: Record<Kind, number>
  sent: number
  acked: number
  /** Deliveries that an operator retried, because a handler of them was dead. */
  retried: number
  /** Attempts of the changed handlers, by the version of the process that ran them. */
  attempts: Record<Version, number>
  verdict: Verdict | undefined
  /** Lists that must be empty. */
  lost: string[]
  wrong: string[]
  seconds: number
}

export interface CampaignOptions {
  seed: number
  store: StoreName
  /**
   * Seconds from the start of the run. Each kind of replacement happens at least once, and a delivery ends dead before the
   * handlers are repaired, also if that takes longer.
   */
  seconds: number
  onReplaced?(soFar: Report): void
}

const all = Object.keys(kinds) as Kind[]

/** The number of connections that send deliveries. */
const connections = 2
/** Milliseconds within which all deliveries must be handled after the last replacement. */
const drainTimeout = 240_000

/** Replaces processes of two versions of a module in random order under load, then checks every delivery. */
export async function runCampaign(options: CampaignOptions): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'hookserver-deploy-'))
  const server = options.store === 'postgres' ? await startPostgres() : undefined
  const campaign = new Campaign(options, folder, server?.url ?? join(folder, 'inbox.db'))
  try {
    await campaign.run()
  } catch (error) {
    campaign.fail(error as Error)
  } finally {
    await campaign.clear()
    await server?.stop()
    rmSync(folder, { recursive: true })
  }
  return campaign.report()
}

class Campaign {
  readonly #options: CampaignOptions
  readonly #random: Random
  readonly #sender: Sender
  readonly #kept: Journal
  readonly #changed: Journal
  readonly #repaired: string
  readonly #inbox: Store
  readonly #fleet: Fleet
  readonly #traffic: Traffic
  readonly #judge: Judge
  readonly #replaced: Record<Kind, number> = { overlap: 0, gap: 0, kill: 0 }
  readonly #wrong: string[] = []
  readonly #began = performance.now()
  #retried = 0
  #verdict: Verdict | undefined

  constructor(options: CampaignOptions, folder: string, target: string) {
    const { seed, store } = options
    this.#options = options
    this.#random = new Random(seed)
    this.#sender = new Sender(new Random(seed + 1))
    this.#kept = new Journal(join(folder, 'kept.txt'))
    this.#changed = new Journal(join(folder, 'changed.txt'))
    this.#repaired = join(folder, 'repaired')
    this.#inbox = openStore({ store, target })
    const journals = { kept: this.#kept.path, changed: this.#changed.path }
    this.#fleet = new Fleet(
      { store, target, journals, repaired: this.#repaired },
      [this.#kept, this.#changed],
      this.#random,
    )
    this.#traffic = new Traffic(this.#sender, new Random(seed + 2), () => this.#fleet.ports(), connections)
    this.#judge = new Judge(this.#sender, this.#kept, testHandlers, { reordersConcurrent: store === 'postgres' })
  }

  async run(): Promise<void> {
    const { seconds } = this.#options
    await this.#fleet.start()
    do await this.#replace()
    while (this.#seconds() < seconds / 2 || (await this.#inbox.overview()).states.dead === 0)
    writeFileSync(this.#repaired, '')
    await this.#retryDead()
    while (this.#missing().length > 0 || this.#seconds() < seconds) await this.#replace()
    await this.#traffic.end()
    await this.#drain()
    await this.#fleet.close()
    await this.#check()
  }

  /** Records that the campaign could not continue. */
  fail({ message }: Error): void {
    this.#wrong.push(message)
  }

  async clear(): Promise<void> {
    this.#traffic.abandon()
    await this.#fleet.clear()
    await this.#inbox.close()
  }

  report(): Report {
    const { seed, store } = this.#options
    const begun = this.#changed.lines.filter(({ mark }) => mark === '+')
    const [first, second] = versions.map((version) => {
      return begun.filter(({ pid }) => this.#fleet.versionOf(pid) === version).length
    }) as [number, number]
    return {
      ...{ seed, store, replaced: this.#replaced, sent: this.#sender.figures.sent, acked: this.#sender.acked.size },
      ...{ retried: this.#retried, attempts: { 1: first, 2: second }, verdict: this.#verdict },
      lost: this.#verdict?.lost ?? [],
      wrong: [...this.#wrong, ...this.#traffic.wrong, ...this.#fleet.wrong, ...(this.#verdict?.wrong ?? [])],
      seconds: this.#seconds(),
    }
  }

  /** Replaces a process, in a way that has not happened yet if there is one. */
  async #replace(): Promise<void> {
    const missing = this.#missing()
    const kind = await this.#fleet.replace(this.#random.pick(missing.length > 0 ? missing : all))
    this.#replaced[kind]++
    this.#options.onReplaced?.(this.report())
    await setTimeout(this.#random.whole(0, 300)) // load without a replacement
  }

  #missing(): Kind[] {
    return all.filter((kind) => this.#replaced[kind] === 0)
  }

  /** As an operator who has repaired the cause of the failures. */
  async #retryDead(): Promise<void> {
    this.#retried += await this.#inbox.retry({ query: { state: 'dead' } })
  }

  /** Waits until all deliveries have ended. Meanwhile, retries those that end dead. */
  async #drain(): Promise<void> {
    const end = performance.now() + drainTimeout
    for (;;) {
      const { pending, running, retrying, dead } = (await this.#inbox.overview()).states
      const unfinished = pending + running + retrying
      if (unfinished + dead === 0) return
      if (performance.now() > end) throw new Error(`${unfinished} deliveries were not handled, and ${dead} are dead`)
      if (dead > 0) await this.#retryDead()
      await setTimeout(50)
    }
  }

  async #check(): Promise<void> {
    const deliveries = await this.#deliveries()
    this.#verdict = this.#judge.judge(contentsOf(deliveries))
    this.#changed.read()
    const problems = judgeChanges({
      deliveries: deliveries.map((one) => ({ ...one, tasks: one.tasks.filter(({ handler }) => !isKept(handler)) })),
      lines: this.#changed.lines,
      eventOf: (guid) => (this.#sender.acked.get(guid) ?? this.#sender.open.get(guid)) as EventName,
      versionOf: (pid) => this.#fleet.versionOf(pid),
      mayReorder: (guid, before) => {
        return this.#options.store === 'postgres' && !this.#sender.ackedBefore(guid, before)
      },
    })
    this.#wrong.push(...problems, ...tooManyLate(this.#verdict.late, 0))
  }

  /** All deliveries, in the order of their ids. */
  async #deliveries(): Promise<DeliveryDetail[]> {
    const details: DeliveryDetail[] = []
    for (let before: number | undefined = Number.MAX_SAFE_INTEGER; before !== undefined; ) {
      const { deliveries, next } = await this.#inbox.list({ before, limit: 500 })
      for (const { id } of deliveries) details.push((await this.#inbox.get(id)) as DeliveryDetail)
      before = next
    }
    return details.reverse()
  }

  #seconds(): number {
    return (performance.now() - this.#began) / 1000
  }
}

const keptNames: ReadonlySet<string> = new Set(testHandlers.map(({ name }) => name))
const isKept = (handler: string): boolean => keptNames.has(handler)

/** The contents of the inbox as they would be without the changed handlers. */
function contentsOf(deliveries: readonly DeliveryDetail[]): InboxContents {
  const kept = deliveries.map((one) => ({ ...one, tasks: one.tasks.filter(({ handler }) => isKept(handler)) }))
  const attempts = kept.flatMap(({ guid, tasks }) => {
    return tasks.flatMap(({ handler, attempts }) => {
      return attempts.map(({ number, outcome }): AttemptRow => ({ guid, handler, number, outcome }))
    })
  })
  return {
    deliveries: kept.map(({ id, guid, tasks }) => ({
      id,
      guid,
      state: deliveryStateOf(tasks.map(({ state }) => state)),
    })),
    attempts: attempts.sort((a, b) => a.number - b.number),
  }
}
