import { sleep } from '../../runtime/timer.ts'
import { Lease } from '../lease.ts'
import {
  BudgetedRequester,
  defaultRetryPolicy,
  describeError,
  type Pause,
  type RequestError,
  RetryingRequester,
  rateLimitWait,
} from '../requester.ts'
import { formatTarget, type Target } from '../target.ts'
import { findOnlyWebhook, type Webhook } from '../webhooks/find-webhooks.ts'
import { DeliveryImporter, type PollingOptions } from './importer.ts'
import { LogCursor } from './log-cursor.ts'

/**
 * The longest wait after a failure, in milliseconds. The wait is longer only if the interval between polls is longer,
 * or if GitHub asks for a longer wait.
 */
const maxBackoff = 60_000

/** The maximum number of warnings about one log. */
const maxWarnings = 100

/** A target whose latest poll has failed. */
export interface PollFailure {
  target: string
  error: string
}

/** Stores deliveries when they appear in the delivery logs of the targets, for a server that GitHub cannot reach. */
export class Polling {
  readonly #options: PollingOptions
  readonly #stopping = new AbortController()
  #pollers: readonly Poller[] = []
  #running: Promise<unknown> = Promise.resolve()

  constructor(options: PollingOptions) {
    this.#options = options
  }

  start(): void {
    const { targets } = this.#options
    this.#pollers = targets.map((target) => new Poller(target, this.#options, this.#stopping.signal))
    this.#running = Promise.all(this.#pollers.map((poller) => poller.run()))
  }

  get failures(): PollFailure[] {
    return this.#pollers.flatMap(({ failure }) => failure ?? [])
  }

  /** Stops polling all targets. Resolves when the polls that are running have ended. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }
}

interface Connection {
  importer: DeliveryImporter
  budget: BudgetedRequester
}

/**
 * Polls one target until the signal aborts.
 *
 *     waiting for the lease --acquired--> connecting --webhook found, cursor loaded--> polling
 *     connecting, polling --an error--> connecting, after a backoff
 *     connecting, polling --the lease was lost--> waiting for the lease
 */
class Poller {
  readonly #target: Target
  readonly #name: string
  readonly #options: PollingOptions
  readonly #signal: AbortSignal
  readonly #pause: Pause
  #lease: Lease | undefined
  #connection: Connection | undefined
  /** Kept after an error, because the target may have got another webhook meanwhile. */
  #webhook: Webhook | undefined
  #failures = 0
  /** How many of the latest failures in a row a rate limit caused. */
  #limits = 0
  readonly #warnings = new Set<string>()
  #logged: 'nothing' | 'waiting' | 'success' | 'failure' = 'nothing'
  /** The reason why the latest poll failed, if it did. */
  #error: string | undefined

  constructor(target: Target, options: PollingOptions, signal: AbortSignal) {
    this.#target = target
    this.#name = formatTarget(target)
    this.#options = options
    this.#signal = signal
    this.#pause = options.pause ?? ((ms) => sleep(ms, signal))
  }

  get failure(): PollFailure | undefined {
    return this.#error === undefined ? undefined : { target: this.#name, error: this.#error }
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) await this.#pause(await this.#poll())
    await this.#lease?.release()
  }

  /** @returns Milliseconds until the next poll. */
  async #poll(): Promise<number> {
    const { every } = this.#options
    try {
      if (!(await this.#acquireLease())) {
        this.#logWaiting()
        return every
      }
      this.#connection ??= await this.#connect()
      const { importer, budget } = this.#connection
      const stored = await importer.import({
        isHeld: () => this.#isLeaseHeld(),
        mayContinue: () => this.#mayContinue(budget),
      })
      const wait = Math.max(every, budget.interval, budget.pollInterval)
      this.#logSuccess(stored, wait)
      return wait
    } catch (error) {
      this.#connection = undefined
      if ((error as RequestError).status === 404) this.#webhook = undefined // it may have been replaced
      return this.#logFailure(error)
    }
  }

  async #acquireLease(): Promise<boolean> {
    if (await this.#isLeaseHeld()) return true
    this.#connection = undefined // another process may have moved the cursor
    const { inbox, namespaceOf } = this.#options
    this.#lease = await Lease.acquire(inbox, `polling of ${this.#name} (${namespaceOf(this.#target)})`)
    return this.#lease !== undefined
  }

  async #isLeaseHeld(): Promise<boolean> {
    return (await this.#lease?.isHeld()) === true
  }

  async #connect(): Promise<Connection> {
    const { inbox, connect, namespaceOf, targets, retryPolicy = defaultRetryPolicy } = this.#options
    const budget = new BudgetedRequester(await connect(this.#target), targets.length)
    const github = new RetryingRequester(budget, this.#signal, { ...retryPolicy, maxWait: 0 }, this.#pause)
    const webhook = (this.#webhook ??= await findOnlyWebhook(this.#target, github))
    const cursor = await LogCursor.load(inbox, namespaceOf(this.#target), webhook.path)
    const importer = await DeliveryImporter.open({
      ...{ polling: this.#options, webhook, github, cursor },
      warnOnce: (message) => this.#warnOnce(message),
    })
    return { budget, importer }
  }

  /**
   * Called before each request for a delivery. Waits if few requests are left of the rate limit.
   * @returns Whether the lease is still held.
   */
  async #mayContinue(budget: BudgetedRequester): Promise<boolean> {
    if (budget.isLow) await this.#pause(budget.interval)
    return this.#isLeaseHeld()
  }

  #logWaiting(): void {
    const text = `Another process polls the deliveries of ${this.#name}: this process waits until the other stops`
    if (this.#logged !== 'waiting') this.#options.logger.info({ target: this.#name }, text)
    this.#logged = 'waiting'
    this.#error = undefined
  }

  #logSuccess(stored: number, wait: number): void {
    const { logger } = this.#options
    const fields = { target: this.#name, stored, wait }
    if (this.#logged === 'nothing' || this.#logged === 'waiting')
      logger.info(fields, `GitHub's delivery log of ${this.#name} can be read`)
    else if (this.#logged === 'failure') logger.info(fields, `GitHub's delivery log of ${this.#name} can be read again`)
    else logger.debug(fields, `Polled the deliveries of ${this.#name}`)
    this.#logged = 'success'
    this.#error = undefined
    this.#failures = this.#limits = 0
  }

  /** Logs a warning once. The limit is for a log whose entries are different in each poll. */
  #warnOnce(message: string): void {
    if (this.#warnings.has(message) || this.#warnings.size >= maxWarnings) return
    this.#warnings.add(message)
    this.#options.logger.warn({ target: this.#name }, message)
  }

  /** Of several failures in a row with the same reason, logs only the first. @returns Milliseconds until the next poll. */
  #logFailure(error: unknown): number {
    const { every, logger } = this.#options
    const limit = rateLimitWait(error as Error, this.#limits)
    this.#limits = limit === undefined ? 0 : this.#limits + 1
    const wait = Math.max(every, limit ?? Math.min(maxBackoff, every * 2 ** this.#failures))
    this.#failures++
    const text = describeError(error)
    if (text !== this.#error && !this.#signal.aborted) {
      logger.error({ target: this.#name, wait, error: text }, `Cannot fetch the deliveries of ${this.#name}: ${text}`)
      this.#logged = 'failure'
      this.#error = text
    }
    return wait
  }
}
