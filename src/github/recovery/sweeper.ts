import type { AuditResult } from '../../inbox/audit-log.ts'
import { type MissedDelivery, type MissedDeliveryCounts, missedDeliveryStates } from '../../inbox/missed-deliveries.ts'
import { sumByState } from '../../inbox/states.ts'
import { sleep } from '../../runtime/timer.ts'
import { DeliveryLog } from '../delivery-log.ts'
import { Fetcher, maxStrikes } from '../fetcher.ts'
import type { Lease } from '../lease.ts'
import { findAppHookId } from '../pulled-delivery.ts'
import { describeError, type Requester, RetryingRequester } from '../requester.ts'
import { nameOfTarget, type Target } from '../target.ts'
import { findWebhooks, type Webhook } from '../webhooks/find-webhooks.ts'
import { compareLog, type IdentifiedWebhook, saveComparison } from './compare-log.ts'
import { isRequestDue } from './next-state.ts'
import type { RecoverySettings, SweepOptions } from './options.ts'

/** The result of a sweep for one webhook, or for a target whose webhooks could not be found. */
export interface SweepReport {
  /** The repository, organization or App that the webhook belongs to: `acme/shop`, `acme` or `app`. */
  target: string
  /** Missing if it is not known: no webhook was found, or the log of an App's webhook cannot be read. */
  hookId?: string | undefined
  /** The start of the part of GitHub's log that was read, in milliseconds since 1970. */
  from?: number
  /** Deliveries in the part of the log that was read. */
  sent: number
  /** Deliveries that the inbox does not have, of events that recovery does not cover. */
  unhandled: number
  /** The missed deliveries that the sweep saw, by state. */
  counts: MissedDeliveryCounts
  /** The missed deliveries that this sweep requested or received. `counts` also has those of earlier sweeps. */
  fetched: number
  /** Requests to GitHub about this webhook, retries included. */
  calls: number
  /** The last error of the sweep for this webhook or target. */
  error?: string
}

/** The result of a sweep: a report for each webhook, and the missed deliveries that it saw. */
export interface Swept {
  /** One for each webhook. */
  reports: SweepReport[]
  /** Those that the sweep saw, also if an earlier sweep had recorded them. */
  missedDeliveries: MissedDelivery[]
}

/** Runs one sweep: reads GitHub's log of each webhook, compares it with the inbox, and requests missed deliveries. */
export class Sweeper {
  readonly #settings: RecoverySettings
  readonly #options: SweepOptions
  readonly #signal: AbortSignal
  readonly #lease: Lease | undefined
  readonly #swept: Swept = { reports: [], missedDeliveries: [] }

  /** @param lease Must be held while the sweep records results and requests deliveries. A dry run needs none. */
  constructor(settings: RecoverySettings, options: SweepOptions, signal: AbortSignal, lease: Lease | undefined) {
    // A thorough sweep does not wait before it requests a delivery whose earlier redelivery failed.
    this.#settings = options.thorough ? { ...settings, every: 0 } : settings
    this.#options = options
    this.#signal = signal
    this.#lease = lease
  }

  /** Sweeps all targets. An error ends up in the report of its webhook or target. */
  async sweep(): Promise<Swept> {
    for (const target of this.#settings.targets) {
      try {
        await this.#sweepTarget(target)
      } catch (error) {
        const id = target === 'app' ? undefined : target.id
        this.#swept.reports.push({ ...emptyReport(nameOfTarget(target), id), error: describeError(error) })
      }
    }
    return this.#swept
  }

  async #sweepTarget(target: Target): Promise<void> {
    const { publicUrl, connect } = this.#settings
    const github = await connect(target)
    for (const webhook of await findWebhooks(target, publicUrl, this.#retrying(github))) {
      await this.#sweepWebhook(webhook, this.#retrying(github))
    }
  }

  async #sweepWebhook(webhook: Webhook, github: RetryingRequester): Promise<void> {
    const log = new DeliveryLog(github, webhook.path)
    const report = emptyReport(webhook.target, webhook.id)
    let missedDeliveries: MissedDelivery[] = []
    try {
      const identified = await this.#identify(webhook, log)
      if (identified) {
        const comparison = await compareLog(this.#settings, identified, log, this.#options)
        const { from, now, sent, unhandled, problem } = comparison
        Object.assign(report, { hookId: identified.id, from, sent, unhandled })
        missedDeliveries = comparison.missedDeliveries
        if (problem !== undefined) report.error = problem
        if (!this.#options.dryRun) {
          await this.#checkLease() // another process may have changed the records since they were compared
          await saveComparison(this.#settings, identified, comparison)
          const fetched = await this.#fetchMissed(missedDeliveries, new Fetcher(log, this.#settings, now))
          missedDeliveries = fetched.missedDeliveries
          report.fetched = fetched.count
          if (fetched.error !== undefined) report.error = describeError(fetched.error)
        }
      }
    } catch (error) {
      report.error = describeError(error)
    }
    this.#swept.reports.push({ ...report, counts: countByState(missedDeliveries), calls: github.calls })
    this.#swept.missedDeliveries = this.#swept.missedDeliveries.concat(missedDeliveries)
  }

  /** @returns `undefined` for the App's webhook, if its log is empty: then its id is unknown, and nothing was missed. */
  async #identify({ target, id }: Webhook, log: DeliveryLog): Promise<IdentifiedWebhook | undefined> {
    const known = id ?? (await findAppHookId(log, await log.newest()))
    return known === undefined ? undefined : { target, id: known }
  }

  /**
   * Requests the deliveries that are due (mode `redeliver`) or stores their payloads (mode `pull`), oldest first, and
   * records the result of each. Deliveries that were never requested come first. If an error concerns only one delivery,
   * this sweep continues with the others, but ends at `maxStrikes`. A later sweep tries the delivery again. After any
   * other error, this sweep does not continue with the others.
   * @returns The deliveries with their new states, how many were requested or received, and the last error.
   */
  async #fetchMissed(
    missedDeliveries: readonly MissedDelivery[],
    fetcher: Fetcher,
  ): Promise<{ missedDeliveries: MissedDelivery[]; count: number; error: unknown }> {
    const { inbox, mode, pace } = this.#settings
    const results = new Map(missedDeliveries.map((missed) => [missed.guid, missed]))
    const now = Date.now()
    const due = missedDeliveries.filter((missed) => isRequestDue(missed, this.#settings, now)).toReversed()
    // The order of the log decides between equal times.
    due.sort((a, b) => Number(a.requests > 0) - Number(b.requests > 0) || a.deliveredAt - b.deliveredAt)
    let lastError: unknown
    let [count, strikes] = [0, 0]
    try {
      for (const [index, missed] of due.entries()) {
        if (this.#signal.aborted || strikes >= maxStrikes) break
        if (index > 0 && mode === 'redeliver') await sleep(pace, this.#signal, { keepAlive: true })
        await this.#checkLease()
        const fetched = await (mode === 'pull' ? fetcher.pull(missed) : fetcher.redeliver(missed))
        results.set(missed.guid, fetched.missed)
        if (fetched.missed.state === 'requested' || fetched.missed.state === 'received') count++
        if (fetched.error !== undefined && missed.requests === 0) this.#logFailure(fetched.missed)
        await inbox.saveMissedDeliveries([fetched.missed])
        strikes = fetched.strikes === 0 ? 0 : strikes + fetched.strikes
        lastError = fetched.error ?? lastError
      }
    } catch (error) {
      lastError = error
    }
    return { missedDeliveries: [...results.values()], count, error: lastError }
  }

  /** @throws {Error} if another process has acquired the lease. */
  async #checkLease(): Promise<void> {
    if (!this.#lease || (await this.#lease.isHeld())) return
    throw new Error('Another process has taken over this recovery sweep')
  }

  /** Only the first failure of a delivery is logged. The list of missed deliveries shows the latest. */
  #logFailure({ target, guid, event, deliveryId, status }: MissedDelivery): void {
    const fields = { target, guid, event, deliveryId }
    this.#settings.logger.warn(fields, `Cannot recover a delivery: ${status}. hookserver will try again`)
  }

  #retrying(github: Requester): RetryingRequester {
    return new RetryingRequester(github, this.#signal, this.#settings.retryPolicy)
  }
}

/**
 * The result of a sweep for the audit log. It names the webhooks without an error, and those whose deliveries were fetched
 * before an error. `undefined` if there are none, because the sweep of every webhook failed.
 */
export function auditResultOf(
  reports: readonly SweepReport[],
): (AuditResult & { target: { webhooks: string[] } }) | undefined {
  const swept = reports.filter(({ fetched, error }) => fetched > 0 || error === undefined)
  if (swept.length === 0 && reports.length > 0) return undefined
  const count = swept.reduce((sum, { fetched }) => sum + fetched, 0)
  return { target: { webhooks: swept.map(({ target, hookId }) => (hookId ? `${target}#${hookId}` : target)) }, count }
}

function emptyReport(target: string, hookId: string | undefined): SweepReport {
  return {
    target,
    ...(hookId !== undefined && { hookId }),
    sent: 0,
    unhandled: 0,
    counts: countByState([]),
    fetched: 0,
    calls: 0,
  }
}

export function countByState(missedDeliveries: readonly MissedDelivery[]): MissedDeliveryCounts {
  const rows = missedDeliveries.map(({ state }) => ({ state, count: 1 }))
  return sumByState(missedDeliveryStates, rows)
}
