import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Counter, Gauge } from '@platformatic/prom-client'
import type { Instruments } from './instruments.ts'

/** Milliseconds between two looks at the event loop. */
const resolution = 20

/**
 * The process, by the names that prom-client gives. Its own collectDefaultMetrics() begins to watch the event loop and
 * the garbage collector, and has no end: this has.
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

  constructor(make: Instruments) {
    this.#cpu = make.counter('process_cpu_seconds_total', 'CPU time of the process, all its threads')
    this.#memory = make.gauge('process_resident_memory_bytes', 'Memory of the process')
    const start = make.gauge('process_start_time_seconds', 'When the process began, in seconds since 1970')
    this.#heap = make.gauge('nodejs_heap_size_used_bytes', 'Memory of objects')
    this.#external = make.gauge('nodejs_external_memory_bytes', 'Memory of buffers, bodies among them')
    this.#lagP99 = make.gauge(
      'nodejs_eventloop_lag_p99_seconds',
      'How late the event loop was since the last look, p99',
    )
    this.#lagMax = make.gauge('nodejs_eventloop_lag_max_seconds', 'The same, the worst')
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

/** What was measured is the whole time between two looks, in nanoseconds. */
function lag(measured: number): number {
  return Math.max(0, measured / 1e9 - resolution / 1000)
}
