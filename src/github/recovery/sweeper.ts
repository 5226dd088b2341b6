import { type MissedDelivery, type MissedDeliveryCounts, sumByState } from '../../inbox/missed-deliveries.ts'
import { DeliveryLog } from '../delivery-log.ts'
import type { Lease } from '../lease.ts'
import { findAppHookId } from '../recovered-delivery.ts'
import { describeError, type Requester, RetryingRequester } from '../requester.ts'
import { findWebhooks, nameOfTarget, type Target, type Webhook } from '../target.ts'
import { compareLog, type IdentifiedWebhook, saveComparison } from './compare-log.ts'
import { fetchMissed } from './fetch-missed.ts'
import type { RecoverySettings, SweepOptions } from './options.ts'

/** The result of a sweep for one webhook. */
export interface SweepReport {
  target: string
  hookId?: string | undefined
  /** From when on GitHub's log was read, in milliseconds since 1970. */
  from?: number
  /** Deliveries in this part of the log. */
  sent: number
  /** Deliveries that the inbox does not have, of events without a handler. */
  unhandled: number
  /** The missed deliveries that the sweep saw, by state. */
  counts: MissedDeliveryCounts
  /** Requests to GitHub. */
  calls: number
  /** Why the sweep of this webhook failed. */
  error?: string
}

/** The result of a sweep: a report for each webhook, and the missed deliveries that it saw. */
export interface Swept {
  reports: SweepReport[]
  missedDeliveries: MissedDelivery[]
}

/** Runs one sweep: reads GitHub's log of each webhook, compares it with the inbox, and requests missed deliveries. */
export class Sweeper {
  readonly #settings: RecoverySettings
  readonly #options: SweepOptions
  readonly #signal: AbortSignal
  readonly #lease: Lease | undefined

  /** @param lease Must be held while deliveries are requested. A dry run needs none. */
  constructor(settings: RecoverySettings, options: SweepOptions, signal: AbortSignal, lease: Lease | undefined) {
    // A thorough sweep does not wait until a delivery that failed again is due.
    this.#settings = options.thorough ? { ...settings, every: 0 } : settings
    this.#options = options
    this.#signal = signal
    this.#lease = lease
  }

  /** Sweeps the webhooks of a target. An error ends up in its report. */
  async sweep(target: Target): Promise<Swept> {
    const { url, connect } = this.#settings
    const swept: Swept = { reports: [], missedDeliveries: [] }
    try {
      const github = await connect(target)
      for (const webhook of await findWebhooks(target, url, this.#retrying(github))) {
        const { report, missedDeliveries } = await this.#sweepWebhook(webhook, github)
        swept.reports.push(report)
        swept.missedDeliveries = swept.missedDeliveries.concat(missedDeliveries)
      }
    } catch (error) {
      swept.reports.push({ ...emptyReport(nameOfTarget(target)), error: describeError(error) })
    }
    return swept
  }

  async #sweepWebhook(
    webhook: Webhook,
    github: Requester,
  ): Promise<{ report: SweepReport; missedDeliveries: MissedDelivery[] }> {
    const requester = this.#retrying(github)
    const log = new DeliveryLog(requester, webhook.path)
    const report = emptyReport(webhook.target)
    let missedDeliveries: MissedDelivery[] = []
    try {
      const identified = await this.#identify(webhook, log)
      if (identified) {
        const comparison = await compareLog(this.#settings, identified, log, this.#options.thorough === true)
        const { from, sent, unhandled } = comparison
        Object.assign(report, { hookId: identified.id, from, sent, unhandled })
        missedDeliveries = comparison.missedDeliveries
        if (!this.#options.dryRun) {
          await saveComparison(this.#settings, identified, comparison)
          const fetched = await fetchMissed(missedDeliveries, this.#settings, log, this.#signal, this.#lease)
          missedDeliveries = fetched.missedDeliveries
          if (fetched.error !== undefined) report.error = describeError(fetched.error)
        }
      }
    } catch (error) {
      report.error = describeError(error)
    }
    return { report: { ...report, counts: countByState(missedDeliveries), calls: requester.calls }, missedDeliveries }
  }

  /** @returns `undefined` for the App's webhook before its first delivery: nothing was sent, and nothing was missed. */
  async #identify({ target, id }: Webhook, log: DeliveryLog): Promise<IdentifiedWebhook | undefined> {
    const newest = async () => (await log.since(0).next()).value?.[0]
    const known = id ?? (await findAppHookId(this.#settings.inbox, log, newest))
    return known === undefined ? undefined : { target, id: known }
  }

  #retrying(github: Requester): RetryingRequester {
    return new RetryingRequester(github, this.#signal, this.#settings.retryPolicy)
  }
}

function emptyReport(target: string): SweepReport {
  return { target, sent: 0, unhandled: 0, counts: countByState([]), calls: 0 }
}

export function countByState(missedDeliveries: readonly MissedDelivery[]): MissedDeliveryCounts {
  return sumByState(missedDeliveries.map(({ state }) => ({ state, count: 1 })))
}
