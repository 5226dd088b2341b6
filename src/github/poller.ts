import type { Inbox } from '../inbox/inbox.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import { Intake } from './intake.ts'
import { MeteredRequester } from './metered-requester.ts'
import { Position } from './position.ts'
import { failureText, limitWait, PatientRequester, type Pause, type Requester } from './requester.ts'
import { findHook, type Target, textOf } from './target.ts'
import { type Timing, usualTiming } from './timing.ts'

/** What a poller works with. */
export interface PollParts {
  inbox: Inbox
  /** Where deliveries are to have come in. */
  source: string
  logger: FullLogger
  /** Whoever may read the deliveries of a target. */
  connect(target: Target): Promise<Requester>
  pause: Pause
  signal: AbortSignal
}

export interface PollOptions {
  /** Milliseconds between two looks, at least. */
  every: number
  /** Milliseconds for which GitHub keeps a delivery. */
  kept: number
  /** How many pollers share GitHub's limit. */
  sharers: number
}

/** The longest wait between two tries while it fails, in milliseconds, unless GitHub asks for more. */
const longestWait = 60_000
/** Milliseconds after which that of a process that died is another's, and how much of it is left when it is renewed. */
const [leaseTime, leaseMargin] = [120_000, 60_000]

/** A wait for GitHub's limits is told of, and is not made in the middle of a look. */
const impatient: Timing = { ...usualTiming, patience: 0 }

/** Connected. */
interface Link {
  intake: Intake
  meter: MeteredRequester
}

/**
 * Looks again and again for what a hook was sent. One process at a time does; the others look whether it is gone. After
 * a failure it begins anew: with the connection, the hook, and the position that the inbox has kept.
 */
export class Poller {
  readonly #parts: PollParts
  readonly #options: PollOptions
  readonly #target: Target
  readonly #name: string
  readonly #holder = crypto.randomUUID()
  #heldUntil = Number.NEGATIVE_INFINITY
  #link: Link | undefined
  #failures = 0
  #told: 'nothing' | 'works' | 'fails' = 'nothing'

  constructor(target: Target, parts: PollParts, options: PollOptions) {
    this.#target = target
    this.#name = textOf(target)
    this.#parts = parts
    this.#options = options
  }

  /** Resolves when the signal has aborted, and nothing is under way. */
  async run(): Promise<void> {
    const { signal, pause } = this.#parts
    while (!signal.aborted) await pause(await this.#turn())
    await this.#lease(0).catch(() => undefined) // it ends by itself
  }

  /** @returns Milliseconds until the next. */
  async #turn(): Promise<number> {
    const { every } = this.#options
    try {
      if (!(await this.#holds())) {
        this.#link = undefined
        return every
      }
      this.#link ??= await this.#connect()
      const { intake, meter } = this.#link
      const taken = await intake.take()
      const wait = Math.max(every, meter.spacing)
      await this.#holds(wait)
      this.#succeeded(taken, wait)
      return wait
    } catch (error) {
      this.#link = undefined
      return this.#failed(error)
    }
  }

  async #connect(): Promise<Link> {
    const { inbox, source, logger, connect, pause, signal } = this.#parts
    const { kept, sharers } = this.#options
    const meter = new MeteredRequester(await connect(this.#target), sharers)
    const github = new PatientRequester(meter, signal, impatient, pause)
    const hook = await findHook(this.#target, github)
    const position = await Position.recall(inbox, hook.path)
    const mayGoOn = () => this.#spared(meter)
    return { meter, intake: new Intake({ inbox, source, logger, github, hook, position, kept, mayGoOn }) }
  }

  /** Waits before a call if few are left. */
  async #spared(meter: MeteredRequester): Promise<boolean> {
    const wait = meter.isScarce ? meter.spacing : 0
    const holds = await this.#holds(wait)
    if (!holds) this.#link = undefined
    else if (wait > 0) await this.#parts.pause(wait)
    return holds
  }

  /** Keeps other processes from it, for `ms` and what a call may take. */
  async #holds(ms = 0): Promise<boolean> {
    if (performance.now() + ms + leaseMargin < this.#heldUntil) return true
    const holds = await this.#lease(ms + leaseTime)
    this.#heldUntil = holds ? performance.now() + ms + leaseTime : Number.NEGATIVE_INFINITY
    return holds
  }

  #lease(ms: number): Promise<boolean> {
    return this.#parts.inbox.lease(`polling of ${this.#name}`, this.#holder, ms)
  }

  #succeeded(taken: number, wait: number): void {
    const { logger } = this.#parts
    const fields = { target: this.#name, taken, wait }
    if (this.#told === 'nothing') logger.info(fields, `GitHub shows the deliveries of ${this.#name}`)
    else if (this.#told === 'fails') logger.info(fields, `GitHub shows the deliveries of ${this.#name} again`)
    else logger.debug(fields, `The deliveries of ${this.#name} were looked at`)
    this.#told = 'works'
    this.#failures = 0
  }

  #failed(error: unknown): number {
    const { logger, signal } = this.#parts
    const { every } = this.#options
    const wait = Math.max(every, limitWait(error as Error) ?? Math.min(longestWait, every * 2 ** this.#failures))
    this.#failures++
    if (this.#told !== 'fails' && !signal.aborted) {
      const text = failureText(error)
      logger.error({ target: this.#name, wait, error: text }, `Deliveries of ${this.#name} cannot be fetched: ${text}`)
      this.#told = 'fails'
    }
    return wait
  }
}
