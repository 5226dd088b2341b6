import Counter from '@platformatic/prom-client/lib/counter.js'
import Histogram from '@platformatic/prom-client/lib/histogram.js'
import Registry from '@platformatic/prom-client/lib/registry.js'
import { lastSweep, type Sweep } from '../../github/recovery/recovery.ts'
import type { ReceiverStatus } from '../../http.ts'
import type { DeliveryReader, KeyValues } from '../../inbox/inbox.ts'
import type { InboxOverview } from '../../inbox/records.ts'
import { Deadline } from '../../runtime/deadline.ts'
import type { DiagnosticsMessages } from '../../telemetry/diagnostics.ts'
import { onEvent } from '../on-event.ts'
import { inboxMetrics, processMetrics, recoveryMetrics } from './state-metrics.ts'

/** Seconds. GitHub closes the connection after 10 s. */
const answerBuckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** Seconds. */
const commitBuckets = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** Seconds. */
const handlerBuckets = [0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900]
/** Deliveries. */
const batchBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** The maximum number of event names in labels. Limited because senders choose the names, and each name adds series. */
const maxEvents = 200

/** Milliseconds to wait for the inbox. Prometheus waits for 10 s, so it gets the counters even without the inbox. */
const inboxTimeout = 3000

/** The metrics of this process and of the inbox. They contain no repository names. */
export class Metrics {
  /** Our own, because the default registry of the library belongs to the whole process. */
  readonly #registry = new Registry()
  readonly #inbox: DeliveryReader & KeyValues
  readonly #answers = this.#histogram(
    'hookserver_answer_seconds',
    'Time from a request to its answer, by status',
    answerBuckets,
    'status',
  )
  readonly #events = new Set<string>()
  readonly #unsubscribe: (() => void)[] = []
  readonly #showInbox: ReturnType<typeof inboxMetrics>
  readonly #showRecovery: ReturnType<typeof recoveryMetrics>
  readonly #process: ReturnType<typeof processMetrics>

  /** @param inboxLimit Maximum size of the inbox in bytes, if known. */
  constructor(inbox: DeliveryReader & KeyValues, inboxLimit?: number) {
    this.#inbox = inbox
    this.#countReceived()
    this.#countStored()
    this.#countHandled()
    this.#showInbox = inboxMetrics(this.#registry, inboxLimit)
    this.#showRecovery = recoveryMetrics(this.#registry)
    this.#process = processMetrics(this.#registry)
  }

  /** @param duration Milliseconds. */
  answered(status: number, duration: number): void {
    this.#answers.observe({ status: String(status) }, duration / 1000)
  }

  /**
   * The metrics in the text format of Prometheus.
   * @param receiver The status of the receiver of this process, if it has one.
   */
  async read(receiver?: ReceiverStatus): Promise<{ type: string; text: string }> {
    const [overview, sweep] = await this.#readInbox()
    this.#showInbox(overview, receiver)
    this.#showRecovery(overview, sweep)
    this.#process.show()
    return { type: this.#registry.contentType, text: await this.#registry.metrics() }
  }

  /** Ends all subscriptions. */
  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#process.close()
  }

  /** Empty if the inbox fails, or does not answer in time. */
  async #readInbox(): Promise<[overview?: InboxOverview, sweep?: Sweep | undefined]> {
    const deadline = new Deadline(inboxTimeout)
    try {
      const reading = Promise.all([this.#inbox.overview(), lastSweep(this.#inbox)])
      return await deadline.race(reading, () => new Error('The inbox did not answer in time'))
    } catch {
      return []
    } finally {
      deadline.clear()
    }
  }

  #countReceived(): void {
    const secrets = this.#counter(
      'hookserver_secret_used_total',
      'Verified deliveries, by the index of their secret, from 0',
      'index',
    )
    const rejected = this.#counter('hookserver_rejected_total', 'Rejected requests, by code', 'code')
    this.#on('received', ({ secretIndex: index }) => index !== undefined && secrets.inc({ index }))
    this.#on('rejected', ({ code }) => rejected.inc({ code }))
  }

  #countStored(): void {
    const deliveries = this.#counter(
      'hookserver_deliveries_total',
      'Deliveries that were verified or read from the API of GitHub, by event and outcome',
      'event',
      'outcome',
    )
    const conflicts = this.#counter(
      'hookserver_conflicts_total',
      'Deliveries with the identity of an earlier delivery but different bytes',
      'event',
    )
    const commits = this.#histogram(
      'hookserver_commit_seconds',
      'Time that the writer thread or PostgreSQL takes to commit deliveries',
      commitBuckets,
    )
    const batches = this.#histogram('hookserver_commit_deliveries', 'Deliveries per commit', batchBuckets)
    this.#on('stored', ({ event, rearmed, conflict }) => {
      deliveries.inc({ event: this.#known(event), outcome: rearmed ? 'rearmed' : 'stored' })
      if (conflict && !rearmed) conflicts.inc({ event: this.#known(event) })
    })
    this.#on('duplicate', ({ event }) => deliveries.inc({ event: this.#known(event), outcome: 'duplicate' }))
    this.#on('committed', (committed) => {
      commits.observe(committed.duration / 1000)
      batches.observe(committed.deliveries)
    })
  }

  #countHandled(): void {
    const labels = ['handler', 'outcome'] as const
    const attempts = this.#counter('hookserver_attempts_total', 'Handler attempts, by outcome', ...labels)
    const durations = this.#histogram(
      'hookserver_handler_seconds',
      'Duration of handler attempts',
      handlerBuckets,
      ...labels,
    )
    const dead = this.#counter('hookserver_dead_total', 'Deliveries that ended as dead', 'event')
    this.#on('attempt', ({ handler, outcome, duration }) => {
      attempts.inc({ handler, outcome })
      durations.observe({ handler, outcome }, duration / 1000)
    })
    this.#on('dead', ({ event }) => dead.inc({ event: this.#known(event) }))
  }

  #counter<Label extends string>(name: string, help: string, ...labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }

  /** @param buckets Upper bounds. */
  #histogram<Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    ...labelNames: Label[]
  ): Histogram<Label> {
    return new Histogram({ name, help, buckets, labelNames, registers: [this.#registry] })
  }

  #known(event: string): string {
    if (this.#events.size < maxEvents) this.#events.add(event)
    return this.#events.has(event) ? event : 'other'
  }

  #on<Name extends keyof DiagnosticsMessages>(
    name: Name,
    listener: (message: DiagnosticsMessages[Name]) => void,
  ): void {
    this.#unsubscribe.push(onEvent(name, listener))
  }
}
