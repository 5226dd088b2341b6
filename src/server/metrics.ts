import type { Histogram } from '@platformatic/prom-client'
import { lastSweep, type Sweep } from '../github/recovery.ts'
import type { ReceiverStatus } from '../http.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { InboxOverview } from '../inbox/records.ts'
import { Deadline } from '../runtime/deadline.ts'
import { EventMetrics } from './metrics/event-metrics.ts'
import { Instruments } from './metrics/instruments.ts'
import { ProcessMetrics } from './metrics/process-metrics.ts'
import { RecoveryMetrics } from './metrics/recovery-metrics.ts'
import { StandingMetrics } from './metrics/standing-metrics.ts'

/** Seconds. GitHub hangs up after 10. */
const answerBuckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Milliseconds to wait for the inbox: Prometheus gives up after 10 s, and what this process counted is to be read even so. */
const patience = 3000

/** What Prometheus reads: of this process, but for the states, which are those of the inbox. No repository is named. */
export class Metrics {
  readonly #instruments = new Instruments()
  readonly #inbox: Inbox
  readonly #answers: Histogram<'status'>
  readonly #events: EventMetrics
  readonly #standing: StandingMetrics
  readonly #recovery: RecoveryMetrics
  readonly #process: ProcessMetrics

  /** @param inboxLimit Bytes that the inbox may take, where that is known. */
  constructor(inbox: Inbox, inboxLimit?: number) {
    const make = this.#instruments
    this.#inbox = inbox
    this.#answers = make.histogram(
      'hookserver_answer_seconds',
      'From a request to its answer, by status',
      answerBuckets,
      'status',
    )
    this.#events = new EventMetrics(make)
    this.#standing = new StandingMetrics(make, inboxLimit)
    this.#recovery = new RecoveryMetrics(make)
    this.#process = new ProcessMetrics(make)
  }

  /** @param duration Milliseconds. */
  answered(status: number, duration: number): void {
    this.#answers.observe({ status: String(status) }, duration / 1000)
  }

  /**
   * The text that Prometheus reads.
   * @param receiver How that stands which receives here, if anything does.
   */
  async read(receiver?: ReceiverStatus): Promise<{ type: string; text: string }> {
    const [tally, sweep] = await this.#look()
    this.#standing.show(tally, receiver)
    this.#recovery.show(tally, sweep)
    this.#process.show()
    return this.#instruments.read()
  }

  /** How the inbox stands, or nothing where it does not answer. */
  async #look(): Promise<[tally?: InboxOverview, sweep?: Sweep | undefined]> {
    const deadline = new Deadline(patience)
    try {
      const looking = Promise.all([this.#inbox.overview(), lastSweep(this.#inbox)])
      return await deadline.race(looking, () => new Error('late'))
    } catch {
      return []
    } finally {
      deadline.clear()
    }
  }

  /** Lets go of all that it listens to. */
  close(): void {
    this.#events.close()
    this.#process.close()
  }
}
