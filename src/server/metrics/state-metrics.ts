import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Counter, Gauge } from '@platformatic/prom-client'
import type { Sweep } from '../../github/recovery/recovery.ts'
import type { ReceiverStatus } from '../../http.ts'
import type { InboxOverview } from '../../inbox/records.ts'
import { type Instruments, showIfKnown } from './instruments.ts'

/** Gauges of the inbox and the receiver. */
export class InboxMetrics {
  readonly #states: Gauge<'state'>
  readonly #oldest: Gauge
  readonly #size: Gauge
  readonly #ranges: Gauge
  readonly #rangesAge: Gauge
  readonly #held: Gauge
  readonly #heldLimit: Gauge

  /** @param inboxLimit Maximum size of the inbox in bytes, if known. */
  constructor(instruments: Instruments, inboxLimit: number | undefined) {
    const gauge = instruments.gauge.bind(instruments)
    this.#states = instruments.gauge('hookserver_deliveries', 'Deliveries in the inbox, by state', 'state')
    this.#oldest = gauge('hookserver_oldest_unfinished_seconds', 'Age of the oldest delivery that has not ended')
    this.#size = gauge('hookserver_inbox_bytes', 'Size of the inbox on disk')
    showIfKnown(gauge('hookserver_inbox_limit_bytes', 'Maximum size of the inbox on disk'), inboxLimit)
    this.#ranges = gauge('hookserver_ranges', "Ranges in GitHub's list of addresses")
    this.#rangesAge = gauge('hookserver_ranges_age_seconds', 'Time since GitHub last sent or confirmed that list')
    this.#held = gauge('hookserver_held_bytes', 'Memory that is reserved for request bodies')
    this.#heldLimit = gauge('hookserver_held_limit_bytes', 'Maximum memory for request bodies')
  }

  /**
   * @param overview Undefined if the inbox does not answer.
   * @param receiver Undefined if this process receives nothing.
   */
  show(overview: InboxOverview | undefined, receiver: ReceiverStatus | undefined): void {
    this.#states.reset()
    for (const [state, count] of Object.entries(overview?.states ?? {})) this.#states.set({ state }, count)
    showIfKnown(this.#oldest, overview && (secondsSince(overview.oldestUnfinished) ?? 0))
    showIfKnown(this.#size, overview?.size)
    showIfKnown(this.#ranges, receiver?.ranges?.count)
    showIfKnown(this.#rangesAge, secondsSince(receiver?.ranges?.fetchedAt))
    showIfKnown(this.#held, receiver?.heldBytes)
    showIfKnown(this.#heldLimit, receiver?.heldLimit)
  }
}

/** Gauges of the recovery of missed deliveries. They are absent until the first sweep. */
export class RecoveryMetrics {
  readonly #missed: Gauge<'state'>
  readonly #age: Gauge
  readonly #failing: Gauge

  constructor(instruments: Instruments) {
    this.#missed = instruments.gauge('hookserver_missed_deliveries', 'Missed deliveries, by state', 'state')
    this.#age = instruments.gauge('hookserver_recovery_age_seconds', 'Time since the last recovery sweep')
    this.#failing = instruments.gauge('hookserver_recovery_failing', 'Webhooks for which the last sweep failed')
  }

  /** @param overview Undefined if the inbox does not answer. */
  show(overview: InboxOverview | undefined, last: Sweep | undefined): void {
    this.#missed.reset()
    showIfKnown(this.#age, secondsSince(last?.at))
    showIfKnown(this.#failing, last?.reports.filter(({ error }) => error !== undefined).length)
    if (!last || !overview) return
    for (const [state, count] of Object.entries(overview.missedDeliveries)) this.#missed.set({ state }, count)
  }
}

function secondsSince(time: number | undefined): number | undefined {
  return time === undefined ? undefined : (Date.now() - time) / 1000
}

/** Milliseconds between two samples of the event loop's delay. */
const resolution = 20

/**
 * Metrics of the process, with the names that prom-client uses. Its own collectDefaultMetrics() observes the event loop and
 * the garbage collector until the process ends. These metrics can be closed.
 */
export class ProcessMetrics {
  readonly #delay = monitorEventLoopDelay({ resolution })
  readonly #cpu: Counter
  readonly #memory: Gauge
  readonly #heap: Gauge
  readonly #external: Gauge
  readonly #lagP99: Gauge
  readonly #lagMax: Gauge
  #cpuShown = 0

  constructor(instruments: Instruments) {
    this.#cpu = instruments.counter('process_cpu_seconds_total', 'CPU time of the process, all its threads')
    this.#memory = instruments.gauge('process_resident_memory_bytes', 'Memory of the process')
    const start = instruments.gauge('process_start_time_seconds', 'Start time of the process, in seconds since 1970')
    this.#heap = instruments.gauge('nodejs_heap_size_used_bytes', 'Memory of objects')
    this.#external = instruments.gauge('nodejs_external_memory_bytes', 'Memory of buffers, including bodies')
    this.#lagP99 = instruments.gauge(
      'nodejs_eventloop_lag_p99_seconds',
      'Delay of the event loop since the last scrape, p99',
    )
    this.#lagMax = instruments.gauge(
      'nodejs_eventloop_lag_max_seconds',
      'Delay of the event loop since the last scrape, maximum',
    )
    start.set(Date.now() / 1000 - process.uptime())
    this.#delay.enable()
  }

  show(): void {
    const { user, system } = process.cpuUsage()
    const cpu = (user + system) / 1e6
    this.#cpu.inc(cpu - this.#cpuShown)
    this.#cpuShown = cpu
    const { rss, heapUsed, external } = process.memoryUsage()
    this.#memory.set(rss)
    this.#heap.set(heapUsed)
    this.#external.set(external)
    this.#lagP99.set(lag(this.#delay.percentile(99)))
    this.#lagMax.set(lag(this.#delay.max))
    this.#delay.reset()
  }

  close(): void {
    this.#delay.disable()
  }
}

/** The measured time is that between two samples, in nanoseconds. */
function lag(measured: number): number {
  return Math.max(0, measured / 1e9 - resolution / 1000)
}
