import { type MissedDelivery, type MissedDeliveryCounts, sumByState } from '../../inbox/missed-deliveries.ts'
import { sleep } from '../../runtime/timer.ts'
import { DeliveryLog } from '../delivery-log.ts'
import type { Lease } from '../lease.ts'
import { findAppHookId, recoveredDelivery } from '../recovered-delivery.ts'
import { describeError, type RequestError, type Requester, RetryingRequester } from '../requester.ts'
import { nameOfTarget, type Target } from '../target.ts'
import { findWebhooks, type Webhook } from '../webhooks/find-webhooks.ts'
import { compareLog, type IdentifiedWebhook, saveComparison } from './compare-log.ts'
import { isRequestDue } from './next-state.ts'
import type { RecoverySettings, SweepOptions } from './options.ts'

/** After this many failures in a row, the sweep of a webhook ends: the cause is then not a single delivery. */
const maxFailures = 3

/** The result of a sweep for one webhook, or for a target whose webhooks could not be found. */
export interface SweepReport {
  target: string
  hookId?: string | undefined
  /** The start of the part of GitHub's log that was read, in milliseconds since 1970. */
  from?: number
  /** Deliveries in the part of the log that was read. */
  sent: number
  /** Deliveries that the inbox does not have, of events that recovery does not cover. */
  unhandled: number
  /** The missed deliveries that the sweep saw, by state. */
  counts: MissedDeliveryCounts
  /** Requests to GitHub about this webhook, retries included. */
  calls: number
  /** The last error of the sweep for this webhook or target. */
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
  readonly #swept: Swept = { reports: [], missedDeliveries: [] }

  /** @param lease Must be held while deliveries are requested. A dry run needs none. */
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
        this.#swept.reports.push({ ...emptyReport(nameOfTarget(target)), error: describeError(error) })
      }
    }
    return this.#swept
  }

  async #sweepTarget(target: Target): Promise<void> {
    const { url, connect } = this.#settings
    const github = await connect(target)
    for (const webhook of await findWebhooks(target, url, this.#retrying(github))) {
      await this.#sweepWebhook(webhook, this.#retrying(github))
    }
  }

  async #sweepWebhook(webhook: Webhook, github: RetryingRequester): Promise<void> {
    const log = new DeliveryLog(github, webhook.path)
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
          const fetched = await this.#fetchMissed(missedDeliveries, log)
          missedDeliveries = fetched.missedDeliveries
          if (fetched.error !== undefined) report.error = describeError(fetched.error)
        }
      }
    } catch (error) {
      report.error = describeError(error)
    }
    this.#swept.reports.push({ ...report, counts: countByState(missedDeliveries), calls: github.calls })
    this.#swept.missedDeliveries = this.#swept.missedDeliveries.concat(missedDeliveries)
  }

  /** @returns `undefined` for the App's webhook, if its id is unknown and its log is empty: then nothing was missed. */
  async #identify({ target, id }: Webhook, log: DeliveryLog): Promise<IdentifiedWebhook | undefined> {
    const newest = async () => (await log.since(0).next()).value?.[0]
    const known = id ?? (await findAppHookId(this.#settings.inbox, log, newest))
    return known === undefined ? undefined : { target, id: known }
  }

  /**
   * Requests the deliveries that are due (mode `redeliver`) or stores their payloads (mode `pull`), oldest first, and
   * records the result of each. If an error concerns only one delivery, this sweep continues with the others, but ends
   * after `maxFailures` such errors in a row. A later sweep tries the delivery again. After any other error, this
   * sweep does not continue with the others.
   * @returns The deliveries with their new states, and the last error.
   */
  async #fetchMissed(
    missedDeliveries: readonly MissedDelivery[],
    log: DeliveryLog,
  ): Promise<{ missedDeliveries: MissedDelivery[]; error: unknown }> {
    const { inbox, mode, pace } = this.#settings
    const results = new Map(missedDeliveries.map((missed) => [missed.guid, missed]))
    const now = Date.now()
    const due = missedDeliveries.filter((missed) => isRequestDue(missed, this.#settings, now)).toSorted(byAge)
    const record = async (missed: MissedDelivery) => {
      results.set(missed.guid, missed)
      await inbox.saveMissedDeliveries([missed])
    }
    let lastError: unknown
    let failures = 0
    try {
      for (const [index, missed] of due.entries()) {
        if (this.#signal.aborted || failures === maxFailures) break
        if (index > 0 && mode === 'redeliver') await sleep(pace, this.#signal, { keepAlive: true })
        if (this.#lease && !(await this.#lease.isHeld())) {
          throw new Error('Another process has taken over this recovery sweep')
        }
        try {
          await record(await this.#fetchOne(missed, log))
          failures = 0
        } catch (error) {
          if (!concernsOneDelivery(error)) throw error
          lastError = error
          failures++
          await record({ ...missed, requests: missed.requests + 1, requestedAt: Date.now() })
        }
      }
    } catch (error) {
      lastError = error
    }
    return { missedDeliveries: [...results.values()], error: lastError }
  }

  async #fetchOne(missed: MissedDelivery, log: DeliveryLog): Promise<MissedDelivery> {
    const { inbox, source, mode } = this.#settings
    const { deliveryId, requests } = missed
    try {
      if (mode === 'pull')
        await inbox.store(recoveredDelivery(await log.read(deliveryId), { ...missed, source }, Date.now()))
      else await log.redeliver(deliveryId)
    } catch (error) {
      if ((error as RequestError).status !== 404) throw error
      return { ...missed, state: 'expired', status: 'GitHub no longer keeps it' }
    }
    const state = mode === 'pull' ? 'received' : 'requested'
    return { ...missed, state, requests: requests + 1, requestedAt: Date.now() }
  }

  #retrying(github: Requester): RetryingRequester {
    return new RetryingRequester(github, this.#signal, this.#settings.retryPolicy)
  }
}

/** Oldest first. GitHub's times are whole seconds, so ids decide within a second: a later attempt has a higher id. */
const byAge = (a: MissedDelivery, b: MissedDelivery): number =>
  a.deliveredAt - b.deliveredAt || a.deliveryId - b.deliveryId

/**
 * Whether GitHub answered with an error that concerns this request only. Wrong credentials and rate limits make all
 * requests fail.
 */
function concernsOneDelivery(error: unknown): boolean {
  const { status, response } = error as RequestError
  return response !== undefined && status !== 401 && status !== 403 && status !== 429
}

function emptyReport(target: string): SweepReport {
  return { target, sent: 0, unhandled: 0, counts: countByState([]), calls: 0 }
}

export function countByState(missedDeliveries: readonly MissedDelivery[]): MissedDeliveryCounts {
  return sumByState(missedDeliveries.map(({ state }) => ({ state, count: 1 })))
}
