import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Counter, Gauge } from '@platformatic/prom-client'
import type { Instruments } from './instruments.ts'

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
