import type { Registration } from '../../handler.ts'
import type { KeyValues } from '../../inbox/inbox.ts'
import { startTimer } from '../../runtime/timer.ts'
import { toMilliseconds } from '../../runtime/units.ts'
import type { Settings } from '../../settings.ts'
import { deliveryRetention } from '../delivery-log.ts'
import { GitHubClient } from '../github-client.ts'
import { defaultLeaseTtl, Lease } from '../lease.ts'
import { recordReceived } from '../pulled-delivery.ts'
import {
  parseTargets,
  type RecoverySettings,
  type RecoveryStore,
  type StartRecoveryOptions,
  type SweepOptions,
} from './options.ts'
import { Sweeper, type SweepReport, type Swept } from './sweeper.ts'

/** The latest complete sweeps by all processes that share the inbox. */
export interface Sweep {
  /** When the latest of them ended, in milliseconds since 1970. */
  at: number
  /** The latest report of each webhook. */
  reports: RecordedReport[]
}

interface RecordedReport extends SweepReport {
  /** When its sweep ended, in milliseconds since 1970. */
  at: number
}

/** A sweep as the inbox keeps it. */
interface StoredSweep {
  at: number
  /** A sweep that starts after `until` drops the report, because no process sweeps this webhook any more. */
  reports: (RecordedReport & { until: number })[]
}

/** The name of the lease of a sweep, and the key under which the inbox keeps a {@link StoredSweep}. */
const sweepKey = 'recovery'
/** A process that is late by up to this number of intervals still sweeps its webhooks. */
const maxIntervals = 3
/** Milliseconds between two checks whether the inbox has received requested deliveries. */
const checkInterval = 10_000

/**
 * Finds the deliveries that the inbox missed, and recovers them. `sweep` does so once. `start` does so immediately, and
 * then at an interval.
 */
export class Recovery {
  readonly #settings: RecoverySettings
  readonly #stopping = new AbortController()
  readonly #pending = new Set<Promise<unknown>>()
  /** The error of the latest sweep, by webhook. */
  readonly #errors = new Map<string, string | undefined>()
  #isSweeping = false
  #stopSweepTimer: () => void = () => {}
  #stopCheckTimer: () => void = () => {}

  constructor(settings: RecoverySettings) {
    this.#settings = settings
  }

  /** Whether this process holds the lease of a sweep. With many missed deliveries, a sweep may take hours. */
  get isSweeping(): boolean {
    return this.#isSweeping
  }

  start(): void {
    void this.#track(this.#run())
  }

  /** Ends the current sweep, waits for it, and starts no more. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#stopSweepTimer()
    this.#stopCheckTimer()
    await Promise.allSettled(this.#pending)
  }

  /**
   * Sweeps all targets once.
   * @returns `undefined` if another sweep holds the lease, in this process or another. A dry run takes no lease, so it
   * always runs.
   * @param isSingle Whether no later sweep is expected. Metrics and warnings then leave out its reports, because no sweep
   * would replace them.
   */
  sweep(options: SweepOptions = {}, { isSingle = false }: { isSingle?: boolean } = {}): Promise<Swept | undefined> {
    return this.#track(options.dryRun ? this.#sweepTargets(options) : this.#sweepWithLease(options, isSingle))
  }

  async #sweepWithLease(options: SweepOptions, isSingle: boolean): Promise<Swept | undefined> {
    const { inbox, leaseTtl } = this.#settings
    const lease = await Lease.acquire(inbox, sweepKey, leaseTtl)
    if (!lease) return undefined
    this.#isSweeping = true
    const startedAt = Date.now()
    try {
      const swept = await this.#sweepTargets(options, lease)
      if (this.#stopping.signal.aborted || !(await lease.isHeld())) return swept
      if (!isSingle) await this.#recordReports(swept.reports, startedAt)
      return swept
    } finally {
      this.#isSweeping = false
      await lease.release()
    }
  }

  /** Replaces the reports of the same webhooks. Keeps the others: processes with other targets may share the inbox. */
  async #recordReports(reports: readonly SweepReport[], startedAt: number): Promise<void> {
    const { inbox, every } = this.#settings
    const at = Date.now()
    const others = ((await storedSweep(inbox))?.reports ?? []).filter(({ target, hookId, until }) => {
      // A report without a hook id says that the webhooks of its target were not found.
      const isReplaced = reports.some((one) => one.target === target && (!hookId || one.hookId === hookId))
      return !isReplaced && until >= startedAt
    })
    const current = reports.map((report) => ({ ...report, at, until: at + maxIntervals * every }))
    const sweep: StoredSweep = { at, reports: [...others, ...current] }
    await inbox.setValue(sweepKey, JSON.stringify(sweep))
  }

  #sweepTargets(options: SweepOptions, lease?: Lease): Promise<Swept> {
    return new Sweeper(this.#settings, options, this.#stopping.signal, lease).sweep()
  }

  /** Logs an error at `debug` if the previous sweep had the same error. */
  #logReport({ counts, error, ...report }: SweepReport): void {
    const { logger } = this.#settings
    const { target, hookId = '' } = report
    const name = `${target}#${hookId}`
    const isRepeated = error === this.#errors.get(name)
    this.#errors.set(name, error)
    if (error !== undefined) {
      const level = isRepeated ? 'debug' : 'error'
      logger[level]({ ...report, error }, `Recovery of deliveries of ${target} failed: ${error}`)
    } else if (counts.requested + counts.missed + counts.unrecorded > 0) {
      logger.warn({ ...report, ...counts }, `The inbox missed deliveries of ${target}`)
    }
  }

  /** Lets `stop` wait for the work. */
  async #track<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work)
    try {
      return await work
    } finally {
      this.#pending.delete(work)
    }
  }

  async #run(): Promise<void> {
    const { logger, every, leaseTtl = defaultLeaseTtl } = this.#settings
    const { signal } = this.#stopping
    let wait = every
    try {
      const swept = await this.sweep()
      if (!swept) wait = Math.min(every, leaseTtl) // the process that holds the lease may have died
      if (!signal.aborted) for (const report of swept?.reports ?? []) this.#logReport(report)
    } catch (err) {
      if (!signal.aborted) logger.error({ err }, 'Recovery sweep failed')
    }
    if (signal.aborted) return
    this.#stopSweepTimer = startTimer(() => this.start(), wait)
    this.#scheduleCheck()
  }

  /**
   * Checks at an interval whether the inbox has received the requested deliveries. Ends when none of them are left, or
   * when a check fails. A check sends no request to GitHub.
   */
  #scheduleCheck(): void {
    if (this.#stopping.signal.aborted) return
    const check = async () => {
      if (await this.#recordReceived()) this.#scheduleCheck()
    }
    this.#stopCheckTimer()
    this.#stopCheckTimer = startTimer(() => {
      void this.#track(check()).catch(() => undefined) // the next sweep also records received deliveries
    }, checkInterval)
  }

  /** Records the requested deliveries that the inbox has received. @returns Whether requested deliveries are left. */
  async #recordReceived(): Promise<boolean> {
    const { inbox } = this.#settings
    const requested = (await inbox.missedDeliveries()).filter(({ state }) => state === 'requested')
    return (await recordReceived(inbox, requested)).length < requested.length
  }
}

/**
 * A recovery for these settings. It recovers `events`. By default, it recovers all events if `withoutHandlers` is
 * `'ignore'`, and otherwise the events of the registrations.
 */
export function createRecovery(
  settings: Settings & { inbox: RecoveryStore },
  registrations: readonly Registration[],
  { targets, events, ...options }: StartRecoveryOptions,
): Recovery {
  const { inbox, source, logger, apiUrl, withoutHandlers } = settings
  const client = new GitHubClient(settings)
  const names = new Set(events ?? (withoutHandlers === 'ignore' ? ['*'] : registrations.flatMap((one) => one.events)))
  return new Recovery({
    ...{ inbox, source, logger, targets: parseTargets(targets), retention: deliveryRetention(apiUrl) },
    ...{ publicUrl: options.publicUrl, includeOk: options.includeOk ?? false },
    ...{ mode: options.mode ?? 'redeliver' },
    ...{ pace: toMilliseconds(options.pace ?? 1000), every: toMilliseconds(options.every ?? 300_000) },
    lookback: options.lookback === undefined ? undefined : toMilliseconds(options.lookback),
    connect: (target) => client.requesterFor(target),
    isHandled: (event, action) => names.has('*') || names.has(event) || names.has(`${event}.${action}`),
  })
}

/**
 * @returns `undefined` if no sweep has been completed. Dry runs, single sweeps, and sweeps that `stop` ended or that
 *   lost the lease, do not count.
 */
export async function lastSweep(inbox: Pick<KeyValues, 'getValue'>): Promise<Sweep | undefined> {
  const stored = await storedSweep(inbox)
  return stored && { ...stored, reports: stored.reports.map(({ until: _, ...report }) => report) }
}

async function storedSweep(inbox: Pick<KeyValues, 'getValue'>): Promise<StoredSweep | undefined> {
  const text = await inbox.getValue(sweepKey)
  return text === undefined ? undefined : (JSON.parse(text) as StoredSweep)
}
