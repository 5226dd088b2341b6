import { startTimer } from '../runtime/timer.ts'
import type { Counters } from './counters.ts'
import type { Statistics } from './statistics.ts'

/** Milliseconds between the end of a sample and the next one. */
const sampleInterval = 30_000

/**
 * Samples how many tasks of each handler wait, for charts over time. Each process with a worker samples, and the inbox
 * keeps sums over all samples: their mean needs no agreement of the processes on who samples.
 */
export class LoadSampler {
  readonly #inbox: Pick<Statistics, 'handlerLoads'>
  readonly #counters: Pick<Counters, 'sampled'>
  #isStopped = false
  #stopTimer: (() => void) | undefined

  constructor(inbox: Pick<Statistics, 'handlerLoads'>, counters: Pick<Counters, 'sampled'>) {
    this.#inbox = inbox
    this.#counters = counters
  }

  /** Starts the samples, unless they run. */
  start(): void {
    if (!this.#stopTimer) this.#schedule()
  }

  stop(): void {
    this.#isStopped = true
    this.#stopTimer?.()
  }

  #schedule(): void {
    if (!this.#isStopped) this.#stopTimer = startTimer(() => void this.#sample(), sampleInterval)
  }

  async #sample(): Promise<void> {
    try {
      const loads = await this.#inbox.handlerLoads(Date.now())
      if (!this.#isStopped) this.#counters.sampled(loads)
    } catch {
      // Other calls to the inbox report the error.
    }
    this.#schedule()
  }
}
