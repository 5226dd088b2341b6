import type { Gauge } from '@platformatic/prom-client'
import type { Sweep } from '../../github/recovery.ts'
import type { InboxOverview } from '../../inbox/records.ts'
import { type Instruments, showIfKnown } from './instruments.ts'

/** What GitHub sent and did not come in. Nothing is shown where nobody has ever looked for it. */
export class RecoveryMetrics {
  readonly #gaps: Gauge<'state'>
  readonly #age: Gauge
  readonly #failing: Gauge

  constructor(make: Instruments) {
    this.#gaps = make.gauge(
      'hookserver_recovery_gaps',
      'Deliveries that did not come in, by what became of them',
      'state',
    )
    this.#age = make.gauge('hookserver_recovery_age_seconds', 'Since they were last looked for')
    this.#failing = make.gauge(
      'hookserver_recovery_failing',
      'Hooks that could not be looked through to the end, the last time',
    )
  }

  /** @param tally Undefined where the inbox does not answer. */
  show(tally: InboxOverview | undefined, last: Sweep | undefined): void {
    this.#gaps.reset()
    showIfKnown(this.#age, last && (Date.now() - last.at) / 1000)
    showIfKnown(this.#failing, last?.reports.filter(({ error }) => error !== undefined).length)
    if (!last || !tally) return
    for (const [state, count] of Object.entries(tally.gaps)) this.#gaps.set({ state }, count)
  }
}
