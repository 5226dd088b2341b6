import type { Inbox } from '../inbox/inbox.ts'
import { startTimer } from '../runtime/timer.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import { SweepLease } from './sweep-lease.ts'
import {
  type RecoveryOptions,
  Sweeper,
  type SweepOptions,
  type SweepParts,
  type SweepReport,
  type Swept,
} from './sweeper.ts'
import { usualTiming } from './timing.ts'

/** What a recovery works with. */
export interface RecoveryParts extends SweepParts {
  logger: FullLogger
}

/** A sweep, by whichever process made it. */
export interface Sweep {
  /** When it ended, in milliseconds since 1970. */
  at: number
  reports: SweepReport[]
}

/** Under this name the inbox remembers the last sweep, and lets one process at a time make one. */
const sweeping = 'recovery'
/** Milliseconds between two looks whether what was asked for has come in. */
const arrivalInterval = 10_000

/** Looks at start and from time to time for what GitHub sent and did not come in, and fetches it. */
export class Recovery {
  readonly #parts: RecoveryParts
  readonly #options: RecoveryOptions
  readonly #sweeper: Sweeper
  readonly #lease: SweepLease
  readonly #stopping = new AbortController()
  #stopTimers: { next?: () => void; watch?: () => void } = {}
  readonly #underWay = new Set<Promise<unknown>>()

  constructor(parts: RecoveryParts, options: RecoveryOptions) {
    this.#parts = parts
    this.#options = options
    this.#lease = new SweepLease(parts.inbox, sweeping, parts.timing ?? usualTiming)
    this.#sweeper = new Sweeper(parts, options, this.#stopping.signal, () => this.#lease.check())
  }

  /** Sweeps now, and then every so often. */
  start(): void {
    void this.#follow(this.#turn())
  }

  /** Lets go of what is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#stopTimers.next?.()
    this.#stopTimers.watch?.()
    await Promise.allSettled(this.#underWay)
  }

  /**
   * Looks at all hooks once, and fetches what is missing.
   * @returns `undefined` if another process is at it, or this one already.
   */
  sweep(options: SweepOptions = {}): Promise<Swept | undefined> {
    return this.#follow(options.dryRun ? this.#sweepAll(options) : this.#sweepAlone(options))
  }

  async #sweepAlone(options: SweepOptions): Promise<Swept | undefined> {
    if (!(await this.#lease.take())) return undefined
    try {
      const all = await this.#sweepAll(options)
      if (this.#stopping.signal.aborted) return all
      const sweep: Sweep = { at: Date.now(), reports: all.reports }
      await this.#parts.inbox.setValue(sweeping, JSON.stringify(sweep))
      return all
    } finally {
      await this.#lease.release()
    }
  }

  async #sweepAll(options: SweepOptions): Promise<Swept> {
    const all: Swept = { reports: [], missedDeliveries: [] }
    for (const target of this.#options.targets) {
      const { reports, missedDeliveries } = await this.#sweeper.sweep(target, options)
      all.reports.push(...reports)
      all.missedDeliveries = all.missedDeliveries.concat(missedDeliveries)
    }
    return all
  }

  /** So that `stop` can wait for it. */
  async #follow<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    try {
      return await work
    } finally {
      this.#underWay.delete(work)
    }
  }

  async #turn(): Promise<void> {
    const { logger } = this.#parts
    const { signal } = this.#stopping
    const { every } = this.#options
    const { lease } = this.#parts.timing ?? usualTiming
    let wait = every
    try {
      const swept = await this.sweep()
      if (!swept) wait = Math.min(every, lease) // whoever was at it may have died
      if (!signal.aborted) for (const report of swept?.reports ?? []) tell(logger, report)
    } catch (err) {
      if (!signal.aborted) logger.error({ err }, 'What GitHub sent and did not come in cannot be looked for')
    }
    if (signal.aborted) return
    this.#stopTimers.next = startTimer(() => this.start(), wait)
    this.#watchArrivals()
  }

  /** Notes what has come in of what was asked for, until all has. It asks nobody but the inbox. */
  #watchArrivals(): void {
    if (this.#stopping.signal.aborted) return
    const watch = async () => {
      if (await this.#noteArrivals()) this.#watchArrivals()
    }
    this.#stopTimers.watch?.()
    this.#stopTimers.watch = startTimer(() => {
      void this.#follow(watch()).catch(() => undefined) // the next sweep does it
    }, arrivalInterval)
  }

  /** @returns Whether there is more to come. */
  async #noteArrivals(): Promise<boolean> {
    const { inbox, source } = this.#parts
    const asked = (await inbox.missedDeliveries()).filter(({ state }) => state === 'requested')
    let left = asked.length
    for (const [hookId, gaps] of Map.groupBy(asked, (gap) => gap.hookId)) {
      const held = new Set(await inbox.knownGuids({ source, hookId, guids: gaps.map(({ guid }) => guid) }))
      const arrived = gaps.filter(({ guid }) => held.has(guid))
      await inbox.saveMissedDeliveries(arrived.map((gap) => ({ ...gap, state: 'received' })))
      left -= arrived.length
    }
    return left > 0
  }
}

/** The last sweep of any process that shares the inbox. */
export async function lastSweep(inbox: Pick<Inbox, 'getValue'>): Promise<Sweep | undefined> {
  const text = await inbox.getValue(sweeping)
  return text === undefined ? undefined : (JSON.parse(text) as Sweep)
}

function tell(logger: FullLogger, { counts, error, ...report }: SweepReport): void {
  const { target } = report
  if (error !== undefined)
    logger.error({ ...report, error }, `Deliveries of ${target} cannot all be recovered: ${error}`)
  else if (counts.requested + counts.missed + counts.unrecorded > 0)
    logger.warn({ ...report, ...counts }, `Deliveries of ${target} did not come in`)
}
