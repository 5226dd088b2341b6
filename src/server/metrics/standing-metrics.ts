import type { Gauge } from '@platformatic/prom-client'
import type { ReceiverStatus } from '../../http.ts'
import type { InboxOverview } from '../../inbox/records.ts'
import { type Instruments, showIfKnown } from './instruments.ts'

/** How the inbox stands, and what receives. */
export class StandingMetrics {
  readonly #states: Gauge<'state'>
  readonly #oldest: Gauge
  readonly #size: Gauge
  readonly #ranges: Gauge
  readonly #rangesAge: Gauge
  readonly #held: Gauge
  readonly #heldLimit: Gauge

  /** @param inboxLimit Bytes that the inbox may take, where that is known. */
  constructor(make: Instruments, inboxLimit: number | undefined) {
    this.#states = make.gauge('hookserver_deliveries', 'Deliveries in the inbox, by state', 'state')
    this.#oldest = make.gauge(
      'hookserver_oldest_unfinished_seconds',
      'Since the oldest delivery came that has not ended',
    )
    this.#size = make.gauge('hookserver_inbox_bytes', 'Bytes that the inbox takes on disk')
    showIfKnown(make.gauge('hookserver_inbox_limit_bytes', 'Bytes that it may take'), inboxLimit)
    this.#ranges = make.gauge('hookserver_ranges', "Ranges in GitHub's list of addresses")
    this.#rangesAge = make.gauge('hookserver_ranges_age_seconds', 'Since GitHub last gave or confirmed that list')
    this.#held = make.gauge('hookserver_held_bytes', 'Bytes of memory that request bodies have been given room for')
    this.#heldLimit = make.gauge('hookserver_held_limit_bytes', 'Bytes that they may be given')
  }

  /**
   * @param tally Undefined where the inbox does not answer.
   * @param receiver Undefined where nothing is received.
   */
  show(tally: InboxOverview | undefined, receiver: ReceiverStatus | undefined): void {
    this.#states.reset()
    for (const [state, count] of Object.entries(tally?.states ?? {})) this.#states.set({ state }, count)
    showIfKnown(this.#oldest, tally && (secondsSince(tally.oldestUnfinished) ?? 0))
    showIfKnown(this.#size, tally?.size)
    showIfKnown(this.#ranges, receiver?.ranges?.count)
    showIfKnown(this.#rangesAge, secondsSince(receiver?.ranges?.fetchedAt))
    showIfKnown(this.#held, receiver?.heldBytes)
    showIfKnown(this.#heldLimit, receiver?.heldLimit)
  }
}

function secondsSince(time: number | undefined): number | undefined {
  return time === undefined ? undefined : (Date.now() - time) / 1000
}
