import { restUntilAborted } from './aborting.ts'
import { Poller, type PollOptions, type PollParts } from './poller.ts'
import type { Pause } from './requester.ts'
import type { Target } from './target.ts'

/** What polling works with. */
export interface PollingParts extends Omit<PollParts, 'pause' | 'signal'> {
  /** Default: lets the time pass, and keeps no process alive. */
  pause?: Pause
}

export interface PollingOptions extends Omit<PollOptions, 'sharers'> {
  targets: readonly Target[]
}

/** Takes what GitHub sends to hooks from its log, as it appears there, where nothing can come in. */
export class Polling {
  readonly #stopping = new AbortController()
  readonly #pollers: readonly Poller[]
  #running: Promise<unknown> = Promise.resolve()

  constructor(parts: PollingParts, { targets, ...options }: PollingOptions) {
    const { signal } = this.#stopping
    const pause: Pause = (ms) => restUntilAborted(signal, ms)
    const sharers = targets.length
    this.#pollers = targets.map((target) => new Poller(target, { pause, ...parts, signal }, { ...options, sharers }))
  }

  start(): void {
    this.#running = Promise.all(this.#pollers.map((poller) => poller.run()))
  }

  /** Lets go of what is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }
}
