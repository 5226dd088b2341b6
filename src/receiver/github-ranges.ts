import { HookError } from '../errors.ts'
import type { RangesStatus } from '../http.ts'
import { startTimer } from '../runtime/timer.ts'
import type { Logger } from '../telemetry/logger.ts'
import { AddressSet, parseCidr } from './cidr.ts'
import { type FetchedRanges, RangesError } from './github-meta.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute

/** A list older than this is refreshed while it goes on serving. */
const refreshAfter = hour
/** An address that no range holds may bring the refresh forward, this long after the last look. */
const earlyAfter = 5 * minute
/** After so long without a refresh the list is not believed any more. */
const maxStale = 7 * 24 * hour
/** The wait after a failure: from the first, doubling, to the last; or to the end of a rate limit, an hour at most. */
const [firstBackoff, lastBackoff, longestLimit] = [second, minute, hour]
/** A source that gives nothing for so long has failed. */
const longestFetch = 8 * second

/** Gives the ranges; knows nothing of when to. `etag` is that of the last answer. */
export type RangesSource = (etag: string | undefined) => Promise<FetchedRanges>
/** Where the last list outlives the process. */
export interface RangesMemory {
  recall(): Promise<string | undefined>
  remember(text: string): Promise<void>
}

/** What is remembered, as JSON. */
interface Kept {
  cidrs: readonly string[]
  etag: string | undefined
  fetchedAt: number
}

export type WaitUntil = ((work: Promise<unknown>) => void) | undefined

/**
 * The ranges that deliveries may come from, kept fresh by the requests themselves: no timer, no fetch per request.
 *
 *     none  --first request-->  recalled from the memory, if there is one, and else
 *     none  --first request-->  fetching (all requests wait for one fetch)  -->  fresh
 *     fresh --1 hour-->  stale: serves on, one request starts a refresh in the background
 *     stale --7 days of failures-->  none
 *
 * A failed fetch is remembered for 1 s, then 2 s, up to a minute. Between two tries the last list answers,
 * and where there is none, the failure does.
 */
export class Ranges {
  readonly #source: RangesSource
  readonly #logger: Logger
  #set: AddressSet | undefined
  #etag: string | undefined
  #fetchedAt = Number.NEGATIVE_INFINITY
  #triedAt = Number.NEGATIVE_INFINITY
  #retryAt = Number.NEGATIVE_INFINITY
  #backoff = firstBackoff
  #failure: RangesError | undefined
  #flight: Promise<void> | undefined
  #memory: RangesMemory | undefined
  #recalling: Promise<void> | undefined
  #cidrs: readonly string[] = []

  constructor(source: RangesSource, logger: Logger) {
    this.#source = source
    this.#logger = logger
  }

  /** Has the last list kept, and recalled before the first is fetched. */
  keepIn(memory: RangesMemory): void {
    this.#memory ??= memory
  }

  /**
   * Whether a range holds `address`; at once unless a fetch has to be waited for.
   * @throws {HookError} `ranges_unavailable` if no list could be had yet.
   */
  has(address: string, waitUntil: WaitUntil): boolean | Promise<boolean> {
    const now = Date.now()
    const set = now - this.#fetchedAt < maxStale ? this.#set : undefined
    if (!set) return this.#fetchFirst(address, now, waitUntil)
    const mayTry = now >= this.#retryAt
    if (set.has(address)) {
      if (mayTry && now - this.#fetchedAt >= refreshAfter) this.#refresh(waitUntil)
      return true
    }
    if (this.#flight || (mayTry && now - this.#triedAt >= earlyAfter)) {
      return this.#refresh(waitUntil).then(() => this.#set?.has(address) ?? false)
    }
    return false
  }

  /**
   * Resolves once there is a list.
   * @throws {HookError} `ranges_unavailable`
   */
  async ready(): Promise<void> {
    const now = Date.now()
    if (!this.#set || now - this.#fetchedAt >= maxStale) await this.#fetchFirst('0.0.0.0', now, undefined)
  }

  /** How the last list stands, also one that is too old to serve. */
  get status(): RangesStatus {
    const fetchedAt = this.#set && this.#fetchedAt
    return { count: this.#set?.size ?? 0, fetchedAt, failing: this.#failure?.message }
  }

  async #fetchFirst(address: string, now: number, waitUntil: WaitUntil): Promise<boolean> {
    if (this.#memory && !this.#set) {
      await (this.#recalling ??= this.#recall(this.#memory))
      if (this.#set && now - this.#fetchedAt < maxStale) return this.has(address, waitUntil)
    }
    if (this.#flight || now >= this.#retryAt) await this.#refresh(waitUntil)
    if (!this.#set || Date.now() - this.#fetchedAt >= maxStale) throw this.#unavailable()
    return this.#set.has(address)
  }

  #unavailable(): HookError {
    const wait = (this.#retryAt - Date.now()) / second
    return new HookError('ranges_unavailable', {
      detail: this.#failure?.message ?? 'Error reaching GitHub',
      retryAfter: wait,
      cause: this.#failure,
    })
  }

  /**
   * One fetch for all who ask while it is under way. Never rejects: its outcome is in the fields.
   * A Worker drops a fetch with the request that began it, and nothing ever tells: one that is overdue is given up.
   */
  #refresh(waitUntil: WaitUntil): Promise<void> {
    if (!this.#flight || Date.now() - this.#triedAt > longestFetch) {
      const flight = this.#fetch().finally(() => {
        if (this.#flight === flight) this.#flight = undefined
      })
      this.#flight = flight
    }
    waitUntil?.(this.#flight)
    return this.#flight
  }

  async #fetch(): Promise<void> {
    this.#triedAt = Date.now()
    try {
      const { cidrs, etag, tokenRefused } = await limited(this.#source(this.#etag))
      if (tokenRefused)
        this.#logger.warn({}, 'GitHub refused the token with 401: its list of addresses is fetched without')
      if (cidrs) this.#take(cidrs)
      else if (!this.#set) throw new Error('GitHub answered 304 to a first request')
      this.#etag = etag
      this.#fetchedAt = Date.now()
      this.#failure = undefined
      this.#backoff = firstBackoff
      this.#retryAt = Number.NEGATIVE_INFINITY
      void this.#keep()
    } catch (error) {
      this.#remember(error instanceof RangesError ? error : new RangesError('Error reaching GitHub', { cause: error }))
    }
  }

  /** One that cannot be read is as good as none. */
  async #recall(memory: RangesMemory): Promise<void> {
    try {
      const text = await limited(memory.recall())
      if (text === undefined || this.#set) return
      const { cidrs, etag, fetchedAt } = JSON.parse(text) as Kept
      this.#take(cidrs)
      this.#etag = etag
      this.#fetchedAt = this.#triedAt = Math.min(fetchedAt, Date.now())
    } catch (err) {
      this.#logger.warn({ err }, "The last list of GitHub's addresses cannot be recalled, and is fetched")
    }
  }

  async #keep(): Promise<void> {
    const kept: Kept = { cidrs: this.#cidrs, etag: this.#etag, fetchedAt: this.#fetchedAt }
    try {
      await this.#memory?.remember(JSON.stringify(kept))
    } catch (err) {
      this.#logger.warn({ err }, "GitHub's list of addresses could not be kept for the next start")
    }
  }

  #take(cidrs: readonly string[]): void {
    this.#set = this.#setOf(cidrs)
    this.#cidrs = cidrs
  }

  #setOf(cidrs: readonly string[]): AddressSet {
    const parsed = cidrs.map(parseCidr).filter((cidr) => cidr !== undefined)
    if (parsed.length < cidrs.length) {
      this.#logger.warn({ entries: cidrs.length - parsed.length }, 'Some of the ranges that were given are no CIDRs')
    }
    if (parsed.length === 0) throw new Error('The list of ranges is empty')
    return new AddressSet(parsed)
  }

  #remember(failure: RangesError): void {
    const now = Date.now()
    this.#failure = failure
    const earliest = now + this.#backoff // a limit that is over by GitHub's clock is no leave to ask at once
    this.#retryAt = Math.max(earliest, Math.min(failure.until ?? earliest, now + longestLimit))
    this.#backoff = Math.min(2 * this.#backoff, lastBackoff)
    const served = this.#set ? 'the last list serves on' : 'until there is one, no origin can be checked'
    this.#logger.warn(
      { err: failure, retryAt: new Date(this.#retryAt) },
      `No list of GitHub's addresses: ${failure.message}; ${served}`,
    )
  }
}

/** What `work` gives, unless it takes too long. */
function limited<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = startTimer(() => reject(new Error('The source of the ranges did not answer in time')), longestFetch)
    work.then(resolve, reject).finally(stop)
  })
}
