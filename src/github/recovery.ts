import type { Inbox } from '../inbox/inbox.ts'
import type { FullLogger } from '../logger.ts'
import { startTimer } from '../timer.ts'
import { type RecoveryOptions, Sweeper, type SweepParts, type SweepReport, type Swept } from './sweeper.ts'

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
/** Milliseconds after which the sweep of a process that died is another's, and how often it is renewed. */
const [leaseTime, leaseRenewal] = [120_000, 20_000]
/** Milliseconds between two looks whether what was asked for has come in. */
const arrivalInterval = 10_000

/** Looks at start and from time to time for what GitHub sent and did not come in, and fetches it. */
export class Recovery {
  readonly #parts: RecoveryParts
  readonly #options: RecoveryOptions
  readonly #sweeper: Sweeper
  readonly #holder = crypto.randomUUID()
  readonly #stopping = new AbortController()
  #renewedAt = Number.NEGATIVE_INFINITY
  #stopTimers: (() => void)[] = []
  #under: Promise<unknown> = Promise.resolve()

  constructor(parts: RecoveryParts, options: RecoveryOptions) {
    this.#parts = parts
    this.#options = options
    this.#sweeper = new Sweeper(parts, options, this.#stopping.signal, () => this.#renew())
  }

  /** Sweeps now, and then every so often. */
  start(): void {
    this.#under = this.#turn()
  }

  /** Lets go of what is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const stop of this.#stopTimers) stop()
    await this.#under
  }

  /**
   * Looks at all hooks once, and fetches what is missing.
   * @param dryRun Only looks, and keeps nothing of it.
   * @returns `undefined` if another process is at it.
   */
  async sweep({ dryRun = false }: { dryRun?: boolean } = {}): Promise<Swept | undefined> {
    if (!dryRun && !(await this.#holds())) return undefined
    const all: Swept = { reports: [], gaps: [] }
    for (const target of this.#options.targets) {
      const { reports, gaps } = await this.#sweeper.sweep(target, dryRun)
      all.reports.push(...reports)
      all.gaps.push(...gaps)
    }
    if (dryRun || this.#stopping.signal.aborted) return all
    const { inbox } = this.#parts
    await inbox.remember(sweeping, JSON.stringify({ at: Date.now(), reports: all.reports } satisfies Sweep))
    await inbox.lease(sweeping, this.#holder, 0)
    return all
  }

  async #turn(): Promise<void> {
    const { logger } = this.#parts
    const { signal } = this.#stopping
    try {
      const swept = await this.sweep()
      if (!signal.aborted) for (const report of swept?.reports ?? []) tell(logger, report)
    } catch (err) {
      if (!signal.aborted) logger.error({ err }, 'What GitHub sent and did not come in cannot be looked for')
    }
    if (signal.aborted) return
    const next = startTimer(() => this.start(), this.#options.every)
    this.#stopTimers = [next]
    this.#watchArrivals()
  }

  #holds(): Promise<boolean> {
    this.#renewedAt = performance.now()
    return this.#parts.inbox.lease(sweeping, this.#holder, leaseTime)
  }

  /** @throws if another process has taken the sweep for that of one that died. */
  async #renew(): Promise<void> {
    if (performance.now() - this.#renewedAt < leaseRenewal || (await this.#holds())) return
    throw new Error('Another process goes on with this sweep')
  }

  /** Notes what has come in of what was asked for, until all has or the next sweep begins. It asks nobody but the inbox. */
  #watchArrivals(): void {
    const watch = async () => {
      if (await this.#noteArrivals()) this.#watchArrivals()
    }
    this.#stopTimers[1] = startTimer(() => void watch().catch(() => undefined), arrivalInterval) // else the next sweep does
  }

  /** @returns Whether there is more to come. */
  async #noteArrivals(): Promise<boolean> {
    const { inbox, source } = this.#parts
    const asked = (await inbox.gaps()).filter(({ state }) => state === 'asked')
    let left = asked.length
    for (const [hookId, gaps] of Map.groupBy(asked, (gap) => gap.hookId)) {
      const held = new Set(await inbox.held({ source, hookId, guids: gaps.map(({ guid }) => guid) }))
      const arrived = gaps.filter(({ guid }) => held.has(guid))
      await inbox.noteGaps(arrived.map((gap) => ({ ...gap, state: 'arrived' })))
      left -= arrived.length
    }
    return left > 0
  }
}

/** The last sweep of any process that shares the inbox. */
export async function lastSweep(inbox: Pick<Inbox, 'recall'>): Promise<Sweep | undefined> {
  const text = await inbox.recall(sweeping)
  return text === undefined ? undefined : (JSON.parse(text) as Sweep)
}

function tell(logger: FullLogger, { gaps, error, ...report }: SweepReport): void {
  const { target } = report
  if (error !== undefined)
    logger.error({ ...report, error }, `Deliveries of ${target} cannot all be recovered: ${error}`)
  else if (gaps.asked + gaps.missed + gaps.absent > 0)
    logger.warn({ ...report, ...gaps }, `Deliveries of ${target} did not come in`)
}
