import type { Histogram } from '@platformatic/prom-client'
import { lastSweep, type Sweep } from '../../github/recovery/recovery.ts'
import type { ReceiverStatus } from '../../http.ts'
import type { Inbox } from '../../inbox/inbox.ts'
import type { InboxOverview } from '../../inbox/records.ts'
import { Deadline } from '../../runtime/deadline.ts'
import { EventMetrics } from './event-metrics.ts'
import { Instruments } from './instruments.ts'
import { InboxMetrics, ProcessMetrics, RecoveryMetrics } from './state-metrics.ts'

/** Seconds. GitHub closes the connection after 10. */
const answerBuckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Milliseconds to wait for the inbox. Prometheus waits for 10 s, and the counters are worth reading without the inbox. */
const inboxTimeout = 3000

/** The metrics of this process, and the state of the inbox. No repository is named. */
export class Metrics {
  readonly #instruments = new Instruments()
  readonly #inbox: Inbox
  readonly #answers: Histogram<'status'>
  readonly #events: EventMetrics
  readonly #inboxMetrics: InboxMetrics
  readonly #recovery: RecoveryMetrics
  readonly #process: ProcessMetrics

  /** @param inboxLimit Maximum size of the inbox in bytes, if known. */
  constructor(inbox: Inbox, inboxLimit?: number) {
    const instruments = this.#instruments
    this.#inbox = inbox
    this.#answers = instruments.histogram(
      'hookserver_answer_seconds',
      'From a request to its answer, by status',
      answerBuckets,
      'status',
    )
    this.#events = new EventMetrics(instruments)
    this.#inboxMetrics = new InboxMetrics(instruments, inboxLimit)
    this.#recovery = new RecoveryMetrics(instruments)
    this.#process = new ProcessMetrics(instruments)
  }

  /** @param duration Milliseconds. */
  answered(status: number, duration: number): void {
    this.#answers.observe({ status: String(status) }, duration / 1000)
  }

  /**
   * The text that Prometheus reads.
   * @param receiver Status of this process's receiver, if it has one.
   */
  async read(receiver?: ReceiverStatus): Promise<{ type: string; text: string }> {
    const [overview, sweep] = await this.#readInbox()
    this.#inboxMetrics.show(overview, receiver)
    this.#recovery.show(overview, sweep)
    this.#process.show()
    return this.#instruments.read()
  }

  /** Empty if the inbox does not answer. */
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

  /** Ends all subscriptions. */
  close(): void {
    this.#events.close()
    this.#process.close()
  }
}
