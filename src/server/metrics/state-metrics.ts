import { monitorEventLoopDelay } from 'node:perf_hooks'
import Counter from '@platformatic/prom-client/lib/counter.js'
import Gauge from '@platformatic/prom-client/lib/gauge.js'
import type Registry from '@platformatic/prom-client/lib/registry.js'
import type { Sweep } from '../../github/recovery/recovery.ts'
import type { ReceiverStatus } from '../../http.ts'
import type { InboxOverview } from '../../inbox/records.ts'

const gaugesOf =
  (registry: Registry) =>
  <Label extends string>(name: string, help: string, ...labelNames: Label[]): Gauge<Label> =>
    new Gauge({ name, help, labelNames, registers: [registry] })

/** Gauges of the inbox and the receiver. The returned function sets them. @param inboxLimit Bytes, if known. */
export function inboxMetrics(registry: Registry, inboxLimit: number | undefined) {
  const gauge = gaugesOf(registry)
  const states = gauge('hookserver_deliveries', 'Deliveries in the inbox, by state', 'state')
  const oldest = gauge('hookserver_oldest_unfinished_seconds', 'Age of the oldest unfinished delivery')
  const size = gauge('hookserver_inbox_bytes', 'Size of the inbox on disk')
  showIfKnown(gauge('hookserver_inbox_limit_bytes', 'Maximum size of the inbox on disk'), inboxLimit)
  const ranges = gauge('hookserver_ranges', "Number of GitHub's address ranges")
  const rangesAge = gauge(
    'hookserver_ranges_age_seconds',
    'Time since GitHub last sent or confirmed its address ranges',
  )
  const held = gauge('hookserver_held_bytes', 'Memory reserved for request bodies')
  const heldLimit = gauge('hookserver_held_limit_bytes', 'Maximum memory for request bodies')
  /**
   * @param overview `undefined` if the inbox does not answer.
   * @param receiver `undefined` if the process receives nothing.
   */
  return (overview: InboxOverview | undefined, receiver: ReceiverStatus | undefined): void => {
    states.reset()
    for (const [state, count] of Object.entries(overview?.states ?? {})) states.set({ state }, count)
    showIfKnown(oldest, overview && (secondsSince(overview.oldestUnfinished) ?? 0))
    showIfKnown(size, overview?.size)
    showIfKnown(ranges, receiver?.ranges?.count)
    showIfKnown(rangesAge, secondsSince(receiver?.ranges?.fetchedAt))
    showIfKnown(held, receiver?.heldBytes)
    showIfKnown(heldLimit, receiver?.heldLimit)
  }
}

/** Gauges of recovery. The returned function sets them. They have no values until the first sweep. */
export function recoveryMetrics(registry: Registry) {
  const gauge = gaugesOf(registry)
  const missed = gauge('hookserver_missed_deliveries', 'Missed deliveries, by state', 'state')
  const age = gauge('hookserver_recovery_age_seconds', 'Time since the last recovery sweep')
  const failing = gauge('hookserver_recovery_failing', 'Webhooks for which the last sweep failed')
  /** @param overview Undefined if the inbox does not answer. */
  return (overview: InboxOverview | undefined, last: Sweep | undefined): void => {
    missed.reset()
    showIfKnown(age, secondsSince(last?.at))
    showIfKnown(failing, last?.reports.filter(({ error }) => error !== undefined).length)
    if (!last || !overview) return
    for (const [state, count] of Object.entries(overview.missedDeliveries)) missed.set({ state }, count)
  }
}

/** Sets the gauge. If the value is unknown, removes the series instead of showing 0. */
function showIfKnown(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove()
  else gauge.set(value)
}

function secondsSince(time: number | undefined): number | undefined {
  return time === undefined ? undefined : (Date.now() - time) / 1000
}

/** Milliseconds between two samples of the event loop's delay. */
const resolution = 20

/**
 * Metrics of the process, with the names of prom-client. `close()` ends the observation of the event loop. With
 * collectDefaultMetrics() of prom-client, the observation would last until the process ends.
 */
export function processMetrics(registry: Registry) {
  const delay = monitorEventLoopDelay({ resolution })
  const gauge = gaugesOf(registry)
  const cpu = new Counter({
    ...{ name: 'process_cpu_seconds_total', help: 'CPU time of all threads of the process', registers: [registry] },
  })
  const memory = gauge('process_resident_memory_bytes', 'Resident memory of the process')
  const start = gauge('process_start_time_seconds', 'Start time of the process, in seconds since 1970')
  const heap = gauge('nodejs_heap_size_used_bytes', 'Memory of JavaScript objects')
  const buffers = gauge('nodejs_external_memory_bytes', 'Memory of buffers, including bodies')
  const lagP99 = gauge(
    'nodejs_eventloop_lag_p99_seconds',
    '99th percentile of the event loop delay since the last scrape',
  )
  const lagMax = gauge('nodejs_eventloop_lag_max_seconds', 'Maximum of the event loop delay since the last scrape')
  start.set(Date.now() / 1000 - process.uptime())
  delay.enable()
  let cpuShown = 0
  return {
    show(): void {
      const { user, system } = process.cpuUsage()
      const used = (user + system) / 1e6
      cpu.inc(used - cpuShown)
      cpuShown = used
      const { rss, heapUsed, external } = process.memoryUsage()
      memory.set(rss)
      heap.set(heapUsed)
      buffers.set(external)
      lagP99.set(lag(delay.percentile(99)))
      lagMax.set(lag(delay.max))
      delay.reset()
    },
    close: () => void delay.disable(),
  }
}

/** Seconds of delay. `measured` is the time between two samples, in nanoseconds. */
function lag(measured: number): number {
  return Math.max(0, measured / 1e9 - resolution / 1000)
}
