import type { PollFailure } from '../../github/polling/polling.ts'
import { lastSweep, type Sweep } from '../../github/recovery/recovery.ts'
import type { ReceiverStatus } from '../../http.ts'
import type { HandlerLoad } from '../../inbox/handler-loads.ts'
import type { DeliveryReader, KeyValues, Statistics } from '../../inbox/inbox.ts'
import type { WorkerProblem } from '../../inbox/processes.ts'
import type { InboxOverview } from '../../inbox/records.ts'
import { Deadline } from '../../runtime/deadline.ts'
import { version } from '../../runtime/platform.ts'
import type { DiagnosticsMessages } from '../../telemetry/diagnostics.ts'
import { onEvent } from '../on-event.ts'
import { Families, type Format } from './families.ts'
import {
  inboxMetrics,
  loadMetrics,
  processMetrics,
  readinessMetrics,
  receiverMetrics,
  recoveryMetrics,
} from './state-metrics.ts'

/** Seconds. GitHub closes the connection after 10 s. */
const replyBuckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** Seconds. */
const commitBuckets = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** Seconds. */
const attemptBuckets = [0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900]
/** Seconds. The retries of a delivery may take a day. */
const completionBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 21_600, 86_400]
/** Deliveries. */
const batchBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** The maximum number of event names in labels. Limited because senders choose the names, and each name adds series. */
const maxEvents = 200

/** The maximum number of handlers in labels. A program may register very many, and each adds a histogram per outcome. */
const maxHandlers = 500

/** The maximum number of callers of GitHub's API in labels: the first ones. An App may have very many installations. */
const maxCallers = 100

/** Milliseconds to wait for the inbox. Prometheus waits for 10 s, so it gets the counters even without the inbox. */
const inboxTimeout = 3000

type MetricsInbox = DeliveryReader & KeyValues & Pick<Statistics, 'handlerLoads'>

/** The state of the process that has the metrics. */
interface ProcessState {
  /** Absent if the process receives nothing. */
  receiver?: ReceiverStatus | undefined
  /** The webhooks whose latest poll has failed. Absent if the process polls none. */
  polls?: readonly PollFailure[] | undefined
  /** Whether it runs a recovery sweep. Absent if it never does. */
  isSweeping?: boolean | undefined
  problems?: readonly WorkerProblem[]
  /** Checks whether the process is ready, as `/readyz` does. */
  isReady?: () => Promise<boolean>
}

/** The metrics of this process and of the inbox. They contain no repository names. */
export class Metrics {
  readonly #families = new Families()
  readonly #inbox: MetricsInbox
  readonly #replies = this.#families.histogram<'status'>(
    'hookserver_reply_duration_seconds',
    'Time from a request to its reply, by status',
    replyBuckets,
  )
  readonly #events = new Set<string>()
  readonly #handlers = new Set<string>()
  readonly #unsubscribe: (() => void)[] = []
  readonly #showReadiness = readinessMetrics(this.#families)
  readonly #showReceiver = receiverMetrics(this.#families)
  readonly #showInbox: ReturnType<typeof inboxMetrics>
  readonly #showLoads: ReturnType<typeof loadMetrics>
  readonly #showRecovery: ReturnType<typeof recoveryMetrics>
  readonly #showRateLimits: () => void
  readonly #process: ReturnType<typeof processMetrics>

  /** @param inboxLimit Maximum size of the inbox in bytes, if known. */
  constructor(inbox: MetricsInbox, inboxLimit?: number) {
    this.#inbox = inbox
    this.#countReceived()
    this.#countStored()
    this.#countHandled()
    this.#showRateLimits = this.#followRateLimits()
    this.#showInbox = inboxMetrics(this.#families, inboxLimit)
    this.#showLoads = loadMetrics(this.#families)
    this.#showRecovery = recoveryMetrics(this.#families)
    this.#families.info('hookserver_build_info', 'Version of hookserver', { version })
    this.#process = processMetrics(this.#families)
  }

  /** @param status `aborted` if the sender disconnected before the reply. @param duration Milliseconds. */
  replied(status: number | 'aborted', duration: number): void {
    this.#replies.observe(duration / 1000, { status: String(status) })
  }

  /** The metrics as text. */
  async read(format: Format, { receiver, problems = [], isReady, ...state }: ProcessState = {}): Promise<string> {
    const [[overview, sweep, loads = []], ready] = await Promise.all([this.#readInbox(), isReady?.()])
    this.#showReadiness(ready, problems)
    this.#showReceiver(receiver)
    this.#showInbox(overview)
    this.#showLoads(loads.filter(({ handler }) => this.#knownHandler(handler) === handler))
    this.#showRecovery(overview, sweep, state)
    this.#showRateLimits()
    this.#process.show()
    return this.#families.text(format)
  }

  /** Ends all subscriptions. */
  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#process.close()
  }

  /** Empty if the inbox fails, or does not answer in time. */
  async #readInbox(): Promise<[overview?: InboxOverview, sweep?: Sweep | undefined, loads?: HandlerLoad[]]> {
    const deadline = new Deadline(inboxTimeout)
    try {
      const loads = this.#inbox.handlerLoads(Date.now())
      const reading = Promise.all([this.#inbox.overview(), lastSweep(this.#inbox), loads])
      return await deadline.race(reading, () => new Error('The inbox did not answer in time'))
    } catch {
      return []
    } finally {
      deadline.clear()
    }
  }

  #countReceived(): void {
    const signed = this.#families.counter<'secret_index'>(
      'hookserver_signed_deliveries_total',
      'Deliveries with a correct signature, by the index of their secret, from 0',
    )
    const rejected = this.#families.counter<'code'>('hookserver_rejected_requests_total', 'Rejected requests, by code')
    this.#on('received', ({ secretIndex }) => {
      if (secretIndex !== undefined) signed.add(1, { secret_index: String(secretIndex) })
    })
    this.#on('rejected', ({ code }) => rejected.add(1, { code }))
  }

  #countStored(): void {
    const received = this.#families.counter<'event' | 'outcome'>(
      'hookserver_received_deliveries_total',
      'Deliveries that were verified or read from the API of GitHub, by event and outcome',
    )
    const conflicting = this.#families.counter<'event'>(
      'hookserver_conflicting_deliveries_total',
      'Deliveries with the identity of an earlier delivery but different bytes',
    )
    const commits = this.#families.histogram(
      'hookserver_commit_duration_seconds',
      'Time that the writer thread or PostgreSQL takes to commit deliveries',
      commitBuckets,
    )
    const batches = this.#families.histogram('hookserver_commit_deliveries', 'Deliveries per commit', batchBuckets)
    for (const histogram of [commits, batches]) histogram.start()
    this.#on('stored', ({ event: name, rearmed, conflict }) => {
      const event = this.#known(name)
      received.add(1, { event, outcome: rearmed ? 'rearmed' : 'stored' })
      if (conflict && !rearmed) conflicting.add(1, { event })
    })
    this.#on('duplicate', ({ event }) => received.add(1, { event: this.#known(event), outcome: 'duplicate' }))
    this.#on('committed', ({ duration, deliveries }) => {
      commits.observe(duration / 1000)
      batches.observe(deliveries)
    })
  }

  #countHandled(): void {
    const attempts = this.#families.histogram<'handler' | 'outcome'>(
      'hookserver_attempt_duration_seconds',
      'Duration of attempts, by handler and outcome',
      attemptBuckets,
    )
    const dead = this.#families.counter<'event'>('hookserver_dead_deliveries_total', 'Deliveries that ended as dead')
    const completions = this.#families.histogram<'handler'>(
      'hookserver_completion_duration_seconds',
      'Time from the receipt of a delivery to the success of a handler, by handler',
      completionBuckets,
    )
    this.#on('attempt', ({ handler: name, outcome, duration, receivedAt }) => {
      const handler = this.#knownHandler(name)
      attempts.observe(duration / 1000, { handler, outcome })
      if (outcome === 'succeeded') completions.observe(Math.max(0, Date.now() - receivedAt) / 1000, { handler })
    })
    this.#on('dead', ({ event }) => dead.add(1, { event: this.#known(event) }))
  }

  /** @returns A function that shows the limits that have not reset yet: it is not known how much of the others is left. */
  #followRateLimits(): () => void {
    const limits = this.#families.gauge<'caller' | 'resource'>(
      'hookserver_github_rate_limit_requests',
      'Requests that GitHub allows a caller until the limit resets, by caller and resource',
    )
    const remaining = this.#families.gauge<'caller' | 'resource'>(
      'hookserver_github_rate_limit_remaining_requests',
      "Requests that were left at GitHub's latest response, by caller and resource",
    )
    const callers = new Set<string>()
    const latest = new Map<string, DiagnosticsMessages['rateLimit']>()
    this.#on('rateLimit', (message) => {
      const { caller, resource } = message
      if (callers.size < maxCallers) callers.add(caller)
      if (callers.has(caller)) latest.set(`${caller} ${resource}`, message)
    })
    return () => {
      const now = Date.now()
      for (const { caller, resource, resetAt, ...values } of latest.values()) {
        const isCurrent = resetAt > now
        limits.set(isCurrent ? values.limit : undefined, { caller, resource })
        remaining.set(isCurrent ? values.remaining : undefined, { caller, resource })
      }
    }
  }

  #known(event: string): string {
    if (this.#events.size < maxEvents) this.#events.add(event)
    return this.#events.has(event) ? event : 'other'
  }

  #knownHandler(handler: string): string {
    if (this.#handlers.size < maxHandlers) this.#handlers.add(handler)
    return this.#handlers.has(handler) ? handler : 'other'
  }

  #on<Name extends keyof DiagnosticsMessages>(
    name: Name,
    listener: (message: DiagnosticsMessages[Name]) => void,
  ): void {
    this.#unsubscribe.push(onEvent(name, listener))
  }
}
