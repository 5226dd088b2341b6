import type { Inbox } from '../inbox/inbox.ts'
import { type MissedDelivery, type MissedDeliveryState, missedDeliveryStates } from '../inbox/missed-deliveries.ts'
import { findAppHookId } from './app-hook.ts'
import { DeliveryLog } from './delivery-log.ts'
import { type FillOptions, fill } from './fill.ts'
import { failureText, PatientRequester, pauseUntil, type Requester } from './requester.ts'
import { keep, look, type SweepPlan } from './sweep.ts'
import { findHooks, nameOf, type Target, type WatchedHook } from './target.ts'
import { type Timing, usualTiming } from './timing.ts'

/** What is to be recovered, and how. */
export interface RecoveryOptions extends Pick<FillOptions, 'mode' | 'includeOk' | 'every' | 'pace'> {
  targets: readonly Target[]
  /** Where GitHub delivers to: by it the hooks are found that are not named by their id. */
  url: string | undefined
  /** Milliseconds that a sweep looks back at most. Default: as long as GitHub keeps deliveries. */
  lookback: number | undefined
  /** Milliseconds for which GitHub keeps deliveries: 3 days, and 7 on an Enterprise Server. */
  kept: number
}

/** What a sweep works with. */
export interface SweepParts {
  inbox: Inbox
  /** Where deliveries come in. */
  source: string
  /** Whoever may read the deliveries of a target. */
  connect(target: Target): Promise<Requester>
  isHandled(event: string, action: string | undefined): boolean
  timing?: Timing
}

/** How one sweep is made. */
export interface SweepOptions {
  /** Only looks, and keeps nothing of it. Default: `false`. */
  dryRun?: boolean
  /**
   * Looks back as far as it may, whatever was seen before, and asks at once for what failed again: as somebody wants it
   * who has just mended something. Default: `false`.
   */
  thorough?: boolean
}

/** What came of looking at one hook. */
export interface SweepReport {
  target: string
  hookId?: string | undefined
  /** From when on GitHub's log was read, in milliseconds since 1970. */
  from?: number
  /** Deliveries in it. */
  sent: number
  /** Not here, and nobody handles them. */
  unhandled: number
  /** Those that are or were missing, by how they stand now. */
  counts: Record<MissedDeliveryState, number>
  /** How often GitHub was asked. */
  calls: number
  /** What kept it from coming to its end. */
  error?: string
}

/** What came of a sweep, and each gap that it saw. */
export interface Swept {
  reports: SweepReport[]
  missedDeliveries: MissedDelivery[]
}

/** Looks at the hooks of targets once. */
export class Sweeper {
  readonly #parts: SweepParts
  readonly #options: RecoveryOptions
  readonly #signal: AbortSignal
  readonly #mayGoOn: () => Promise<void>

  /** @param mayGoOn Called before each call that fetches. @throws if this process may not go on. */
  constructor(parts: SweepParts, options: RecoveryOptions, signal: AbortSignal, mayGoOn: () => Promise<void>) {
    this.#parts = parts
    this.#options = options
    this.#signal = signal
    this.#mayGoOn = mayGoOn
  }

  async sweep(target: Target, options: SweepOptions): Promise<Swept> {
    const signal = this.#signal
    const { timing = usualTiming } = this.#parts
    const swept: Swept = { reports: [], missedDeliveries: [] }
    try {
      const github = await this.#parts.connect(target)
      for (const hook of await findHooks(target, { github, url: this.#options.url, signal, timing })) {
        const { report, gaps } = await this.#sweepHook(hook, github, options)
        swept.reports.push(report)
        swept.missedDeliveries = swept.missedDeliveries.concat(gaps)
      }
    } catch (error) {
      swept.reports.push({ ...nothing(nameOf(target)), error: failureText(error) })
    }
    return swept
  }

  async #sweepHook(
    hook: WatchedHook,
    github: Requester,
    { dryRun = false, thorough = false }: SweepOptions,
  ): Promise<{ report: SweepReport; gaps: MissedDelivery[] }> {
    const requester = new PatientRequester(github, this.#signal, this.#parts.timing)
    const log = new DeliveryLog(requester, hook.path)
    const report = nothing(hook.target)
    let gaps: MissedDelivery[] = []
    try {
      const newest = async () => (await log.since(0).next()).value?.[0]
      const hookId = hook.id ?? (await findAppHookId(this.#parts.inbox, log, newest)) // nothing sent, nothing missing
      if (hookId !== undefined) {
        const plan = await this.#planFor({ target: hook.target, hookId, log, thorough })
        const found = await look(plan)
        gaps = found.gaps
        const { from, sent, unhandled } = found
        Object.assign(report, { hookId, from, sent, unhandled })
        if (!dryRun) {
          await keep(plan, found)
          const filled = await fill(plan, gaps, this.#fillOptions(thorough))
          gaps = filled.gaps
          if (filled.error !== undefined) report.error = failureText(filled.error)
        }
      }
    } catch (error) {
      report.error = failureText(error)
    }
    return { report: { ...report, counts: counted(gaps), calls: requester.calls }, gaps }
  }

  #fillOptions(thorough: boolean): FillOptions {
    const signal = this.#signal
    const every = thorough ? 0 : this.#options.every
    return { ...this.#options, every, pause: pauseUntil(signal), signal, mayGoOn: this.#mayGoOn }
  }

  async #planFor(looked: Pick<SweepPlan, 'target' | 'hookId' | 'log' | 'thorough'>): Promise<SweepPlan> {
    const { inbox, source, isHandled } = this.#parts
    const { kept, lookback = kept } = this.#options
    const now = Date.now()
    const born = Math.floor((await inbox.createdAt()) / 1000) * 1000 // GitHub's log has whole seconds
    const earliest = Math.max(born, now - Math.min(kept, lookback))
    return { ...looked, inbox, source, earliest, kept, isHandled, now }
  }
}

function nothing(target: string): SweepReport {
  return { target, sent: 0, unhandled: 0, counts: counted([]), calls: 0 }
}

export function counted(gaps: readonly MissedDelivery[]): Record<MissedDeliveryState, number> {
  const counts = Object.fromEntries(missedDeliveryStates.map((state) => [state, 0])) as Record<
    MissedDeliveryState,
    number
  >
  for (const { state } of gaps) counts[state]++
  return counts
}
