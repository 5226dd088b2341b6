/** Metrics that show the current state. Each function adds families, and returns a function that sets their values. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { PollFailure } from '../../github/polling/polling.ts'
import type { Sweep } from '../../github/recovery/recovery.ts'
import type { ReceiverStatus } from '../../http.ts'
import type { HandlerLoad } from '../../inbox/handler-loads.ts'
import type { WorkerProblem } from '../../inbox/processes.ts'
import type { InboxOverview } from '../../inbox/records.ts'
import type { Families } from './families.ts'

const problemCodes: readonly WorkerProblem['code'][] = ['store_failing', 'handler_overdue', 'memory_exhausted']

export function readinessMetrics(families: Families) {
  const ready = families.gauge('hookserver_ready', '1 if /readyz answers 200, and 0 if it answers 503')
  const problems = families.gauge<'code'>(
    'hookserver_worker_problems',
    'Reasons why the worker of the process does not run all due tasks, by code',
  )
  /** @param isReady `undefined` if unknown. */
  return (isReady: boolean | undefined, found: readonly WorkerProblem[]): void => {
    ready.set(isReady === undefined ? undefined : Number(isReady))
    for (const code of problemCodes) problems.set(found.filter((one) => one.code === code).length, { code })
  }
}

export function receiverMetrics(families: Families) {
  const ranges = families.gauge('hookserver_github_ranges', "Number of GitHub's address ranges")
  const confirmed = families.gauge(
    'hookserver_github_ranges_timestamp_seconds',
    'When GitHub last sent or confirmed its address ranges',
  )
  const memory = families.gauge('hookserver_body_memory_bytes', 'Memory reserved for request bodies')
  const limit = families.gauge('hookserver_body_memory_limit_bytes', 'Maximum memory for request bodies')
  /** @param receiver `undefined` if the process receives nothing. */
  return (receiver: ReceiverStatus | undefined): void => {
    ranges.set(receiver?.ranges?.count)
    confirmed.set(inSeconds(receiver?.ranges?.fetchedAt))
    memory.set(receiver?.heldBytes)
    limit.set(receiver?.heldLimit)
  }
}

/** @param inboxLimit Bytes, if known. */
export function inboxMetrics(families: Families, inboxLimit: number | undefined) {
  const deliveries = families.gauge<'state'>('hookserver_inbox_deliveries', 'Deliveries in the inbox, by state')
  const oldest = families.gauge(
    'hookserver_oldest_unfinished_delivery_timestamp_seconds',
    'When the oldest unfinished delivery was received',
  )
  const size = families.gauge('hookserver_inbox_bytes', 'Size of the inbox on disk')
  families.gauge('hookserver_inbox_limit_bytes', 'Maximum size of the inbox on disk').set(inboxLimit)
  /** @param overview `undefined` if the inbox does not answer. */
  return (overview: InboxOverview | undefined): void => {
    deliveries.clear()
    for (const [state, count] of Object.entries(overview?.states ?? {})) deliveries.set(count, { state })
    oldest.set(inSeconds(overview?.oldestUnfinished))
    size.set(overview?.size)
  }
}

/** Shows how much work waits for each handler. */
export function loadMetrics(families: Families) {
  const waiting = families.gauge<'handler'>('hookserver_waiting_tasks', 'Tasks that wait for an attempt, by handler')
  const oldest = families.gauge<'handler'>(
    'hookserver_oldest_waiting_task_timestamp_seconds',
    'When the longest wait for an attempt began, by handler',
  )
  const running = families.gauge<'handler'>('hookserver_running_attempts', 'Attempts that run, by handler')
  /** @param loads Empty if the inbox does not answer. */
  return (loads: readonly HandlerLoad[]): void => {
    for (const family of [waiting, oldest, running]) family.clear()
    for (const load of loads) {
      const { handler } = load
      waiting.set(load.waiting, { handler })
      oldest.set(inSeconds(load.waitingSince), { handler })
      running.set(load.running, { handler })
    }
  }
}

/** The state of polling and recovery in a process. */
interface RecoveryState {
  /** `undefined` if the process polls no webhooks. */
  polls?: readonly PollFailure[] | undefined
  /** `undefined` if the process runs no sweeps. */
  isSweeping?: boolean | undefined
}

/** Only a process that polls shows missed deliveries before the first sweep. */
export function recoveryMetrics(families: Families) {
  const missed = families.gauge<'state'>('hookserver_missed_deliveries', 'Missed deliveries, by state')
  const last = families.gauge('hookserver_recovery_last_sweep_timestamp_seconds', 'When the last recovery sweep ended')
  const running = families.gauge(
    'hookserver_recovery_sweep_running',
    '1 while this process runs a recovery sweep, else 0',
  )
  const failing = families.gauge('hookserver_recovery_failing_webhooks', 'Webhooks for which the last sweep failed')
  const pull = families.gauge('hookserver_pull_failing_webhooks', 'Webhooks of --pull whose latest poll failed')
  /** @param overview `undefined` if the inbox does not answer. */
  return (
    overview: InboxOverview | undefined,
    sweep: Sweep | undefined,
    { polls, isSweeping }: RecoveryState,
  ): void => {
    pull.set(polls?.length ?? 0)
    last.set(inSeconds(sweep?.at))
    running.set(isSweeping === undefined ? undefined : Number(isSweeping))
    failing.set(sweep?.reports.filter(({ error }) => error !== undefined).length)
    missed.clear()
    if (!sweep && !polls) return
    for (const [state, count] of Object.entries(overview?.missedDeliveries ?? {})) missed.set(count, { state })
  }
}

const inSeconds = (time: number | undefined): number | undefined => (time === undefined ? undefined : time / 1000)

/** Milliseconds between two samples of the event loop's delay. */
const resolution = 20

/**
 * Metrics of the process, with the names that client libraries of Prometheus and prom-client use. `close()` ends the
 * observation of the event loop.
 */
export function processMetrics(families: Families) {
  const delay = monitorEventLoopDelay({ resolution })
  const cpu = families.counter('process_cpu_seconds_total', 'CPU time of all threads of the process')
  const memory = families.gauge('process_resident_memory_bytes', 'Resident memory of the process')
  const start = families.gauge('process_start_time_seconds', 'Start time of the process, in seconds since 1970')
  const heap = families.gauge('nodejs_heap_size_used_bytes', 'Memory of JavaScript objects')
  const buffers = families.gauge('nodejs_external_memory_bytes', 'Memory of buffers, including bodies')
  const lagP99 = families.gauge(
    'nodejs_eventloop_lag_p99_seconds',
    '99th percentile of the event loop delay since the last scrape',
  )
  const lagMax = families.gauge(
    'nodejs_eventloop_lag_max_seconds',
    'Maximum of the event loop delay since the last scrape',
  )
  start.set(Date.now() / 1000 - process.uptime())
  delay.enable()
  let cpuShown = 0
  return {
    show(): void {
      const { user, system } = process.cpuUsage()
      const used = (user + system) / 1e6
      cpu.add(used - cpuShown)
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
