import { HookError } from '../errors.ts'
import type { RangesStatus } from '../http.ts'
import { causeText } from '../runtime/cause-text.ts'
import { AddressSet, parseCidr } from '../runtime/cidr.ts'
import { optionOrFlag } from '../runtime/option-or-flag.ts'
import { startTimer } from '../runtime/timer.ts'
import { day, hour, minute, second } from '../runtime/units.ts'
import { githubApi } from '../settings.ts'
import type { Logger } from '../telemetry/logger.ts'

/** If the list is older than this, a request refreshes it in the background. */
const refreshAfter = hour
/** A request from an unknown address may start a refresh earlier: this long after the latest fetch began. */
const earlyAfter = 5 * minute
/** The maximum age of a list. hookserver does not use an older one. */
const maxStale = 7 * day
/**
 * `firstBackoff` is the delay after the first failed fetch. Each further failure doubles the delay, up to
 * `lastBackoff`. `maxRateLimit` is the maximum delay after a rate limit.
 */
const [firstBackoff, lastBackoff, maxRateLimit] = [second, minute, hour]
/** The maximum duration of a fetch, and of loading the list from the cache. */
const fetchTimeout = 8 * second

/** The result of a fetch. */
export interface FetchedRanges {
  /** `undefined` if the list has not changed since the last response. */
  cidrs: readonly string[] | undefined
  etag: string | undefined
  /** Whether GitHub rejected the token, and hookserver repeated the request without it. */
  tokenRejected: boolean
}

/** Why GitHub's list of ranges is not available. The reply to the sender contains the message. */
export class RangesError extends Error {
  override readonly name = 'RangesError'
  /** When GitHub accepts requests again, in milliseconds since 1970, if GitHub said so. */
  readonly until: number | undefined

  constructor(message: string, options?: { until?: number | undefined; cause?: unknown }) {
    super(message, options)
    this.until = options?.until
  }
}

/** Fetches the ranges. @param etag The ETag of the last response. */
export type RangesSource = (etag: string | undefined) => Promise<FetchedRanges>

/** Keeps the latest list after the process has ended. */
interface RangesCache {
  load(): Promise<string | undefined>
  save(text: string): Promise<void>
}

/** The JSON in the cache. */
interface CachedRanges {
  cidrs: readonly string[]
  etag: string | undefined
  fetchedAt: number
}

type WaitUntil = ((work: Promise<unknown>) => void) | undefined

/**
 * The address ranges that deliveries may come from. Requests refresh an old list; there is no timer.
 *
 *     empty --first request, list in the cache--> fresh or stale, by the age of that list
 *     empty --first request, no list in the cache--> fetching: all requests wait for one fetch --> fresh
 *     fresh --1 hour--> stale: still used, while one request starts a refresh in the background
 *     stale --7 days without a successful fetch--> empty
 *
 * A request from an address outside of the list waits for a refresh that is running. If none is running and the latest
 * fetch began at least 5 minutes ago, the request starts a refresh and waits for it.
 *
 * After a failed fetch, a request may start another one after 1 s, then 2 s, up to a minute. After a rate limit, it may
 * do so when the limit ends, or after an hour if that is earlier. Until then requests use the latest list. If there is
 * no list, they fail with the error of the fetch.
 */
export class GithubRanges {
  readonly #source: RangesSource
  readonly #logger: Logger
  #set: AddressSet | undefined
  #etag: string | undefined
  #fetchedAt = Number.NEGATIVE_INFINITY
  #triedAt = Number.NEGATIVE_INFINITY
  #retryAt = Number.NEGATIVE_INFINITY
  #backoff = firstBackoff
  #failure: RangesError | undefined
  #fetching: Promise<void> | undefined
  #cache: RangesCache | undefined
  #loading: Promise<void> | undefined
  #cidrs: readonly string[] = []

  constructor(source: RangesSource, logger: Logger) {
    this.#source = source
    this.#logger = logger
  }

  /**
   * Sets the cache: the first list is loaded from it, and each later list is saved in it. Repeated calls do nothing.
   */
  useCache(cache: RangesCache): void {
    this.#cache ??= cache
  }

  /**
   * Whether a range contains `address`. Returns a promise only if the list must first be fetched or loaded from the
   * cache.
   * @throws {HookError} `ranges_unavailable` if there is no list and none can be fetched.
   */
  has(address: string, waitUntil: WaitUntil): boolean | Promise<boolean> {
    const now = this.#now()
    const set = this.#current(now)
    if (!set) return this.#fetchFirst(address, now, waitUntil)
    const mayFetch = now >= this.#retryAt
    if (set.has(address)) {
      if (mayFetch && now - this.#fetchedAt >= refreshAfter) this.#refresh(waitUntil)
      return true
    }
    if (this.#fetching || (mayFetch && now - this.#triedAt >= earlyAfter)) {
      return this.#refresh(waitUntil).then(() => this.#set?.has(address) ?? false)
    }
    return false
  }

  /** Resolves once there is a list. @throws {HookError} `ranges_unavailable` */
  async ready(): Promise<void> {
    const now = this.#now()
    if (!this.#current(now)) await this.#fetchFirst('0.0.0.0', now, undefined)
  }

  /** The state of the latest list, even if it is too old to be used. */
  get status(): RangesStatus {
    const fetchedAt = this.#set && this.#fetchedAt
    return { count: this.#set?.size ?? 0, fetchedAt, failing: this.#failure?.message }
  }

  /** The time. If the clock was set back since the latest fetch, the list is fresh, and the next fetch may start now. */
  #now(): number {
    const now = Date.now()
    if (this.#triedAt > now) {
      this.#fetchedAt = Math.min(this.#fetchedAt, now)
      this.#triedAt = now
      this.#retryAt = Number.NEGATIVE_INFINITY
    }
    return now
  }

  /** The list, unless it is too old to be used. */
  #current(now: number): AddressSet | undefined {
    return now - this.#fetchedAt < maxStale ? this.#set : undefined
  }

  async #fetchFirst(address: string, now: number, waitUntil: WaitUntil): Promise<boolean> {
    if (this.#cache && !this.#set) {
      await (this.#loading ??= this.#load(this.#cache))
      if (this.#current(now)) return this.has(address, waitUntil)
    }
    if (this.#fetching || now >= this.#retryAt) await this.#refresh(waitUntil)
    const set = this.#current(Date.now())
    if (set) return set.has(address)
    throw new HookError('ranges_unavailable', {
      detail: this.#failure?.message ?? 'Error reaching GitHub',
      retryAfter: (this.#retryAt - Date.now()) / second,
      cause: this.#failure,
    })
  }

  /**
   * Starts a fetch, or joins the one that is running. Never rejects: the result is in the fields. A Cloudflare Worker
   * silently drops a fetch together with the request that started it, so an overdue fetch is replaced.
   */
  #refresh(waitUntil: WaitUntil): Promise<void> {
    if (!this.#fetching || Date.now() - this.#triedAt > fetchTimeout) {
      const fetching = this.#fetch().finally(() => {
        if (this.#fetching === fetching) this.#fetching = undefined
      })
      this.#fetching = fetching
    }
    waitUntil?.(this.#fetching)
    return this.#fetching
  }

  async #fetch(): Promise<void> {
    this.#triedAt = Date.now()
    try {
      const { cidrs, etag, tokenRejected } = await withTimeout(this.#source(this.#etag))
      if (tokenRejected) {
        this.#logger.warn({}, 'GitHub rejected the token (401): its list of addresses was fetched without the token')
      }
      if (cidrs) this.#take(cidrs)
      else if (!this.#set) throw new Error('GitHub answered 304 to a request without an ETag')
      this.#etag = etag
      this.#fetchedAt = Date.now()
      this.#failure = undefined
      this.#backoff = firstBackoff
      this.#retryAt = Number.NEGATIVE_INFINITY
      void this.#save()
    } catch (error) {
      this.#failed(error instanceof RangesError ? error : new RangesError('Error reaching GitHub', { cause: error }))
    }
  }

  /** Loads the list from the cache. If that fails, hookserver fetches a list. */
  async #load(cache: RangesCache): Promise<void> {
    try {
      const text = await withTimeout(cache.load())
      if (text === undefined || this.#set) return
      const { cidrs, etag, fetchedAt } = JSON.parse(text) as CachedRanges
      this.#take(cidrs)
      this.#etag = etag
      this.#fetchedAt = this.#triedAt = Math.min(fetchedAt, Date.now())
    } catch (err) {
      this.#logger.warn({ err }, "Cannot load the cached list of GitHub's addresses. It will be fetched again")
    }
  }

  async #save(): Promise<void> {
    const cached: CachedRanges = { cidrs: this.#cidrs, etag: this.#etag, fetchedAt: this.#fetchedAt }
    try {
      await this.#cache?.save(JSON.stringify(cached))
    } catch (err) {
      this.#logger.warn({ err }, "Cannot save GitHub's list of addresses for the next start")
    }
  }

  #take(cidrs: readonly string[]): void {
    const parsed = cidrs.map(parseCidr).filter((cidr) => cidr !== undefined)
    if (parsed.length < cidrs.length) {
      this.#logger.warn({ entries: cidrs.length - parsed.length }, 'Some of the address ranges are not CIDRs')
    }
    if (parsed.length === 0) throw new Error('The list of ranges contains no CIDR')
    this.#set = new AddressSet(parsed)
    this.#cidrs = cidrs
  }

  #failed(failure: RangesError): void {
    const now = Date.now()
    this.#failure = failure
    const earliest = now + this.#backoff // even if `until`, a time of GitHub's clock, is in the past by our clock
    this.#retryAt = Math.max(earliest, Math.min(failure.until ?? earliest, now + maxRateLimit))
    this.#backoff = Math.min(2 * this.#backoff, lastBackoff)
    const reason = causeText(failure)
    const why = reason === undefined ? failure.message : `${failure.message} (${reason})`
    const effect = this.#current(now)
      ? 'the last list stays in use'
      : 'origins cannot be checked until a fetch succeeds'
    this.#logger.warn(
      { err: failure, retryAt: new Date(this.#retryAt) },
      `Cannot fetch GitHub's addresses: ${why}; ${effect}`,
    )
  }
}

/** The result of `work`, or a rejection after `fetchTimeout`. */
function withTimeout<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = startTimer(() => reject(new Error('The source of the ranges did not answer in time')), fetchTimeout)
    work.then(resolve, reject).finally(stop)
  })
}

/** A source for the option `ranges`, if it is a function. */
export function functionSource(ranges: () => readonly string[] | Promise<readonly string[]>): RangesSource {
  return async () => {
    const cidrs = await ranges()
    if (!Array.isArray(cidrs)) {
      throw new TypeError(`The function "ranges" must return a list of CIDRs, got ${typeof cidrs}`)
    }
    return { cidrs, etag: undefined, tokenRejected: false }
  }
}

const networkDetails = 'https://docs.github.com/enterprise-cloud@latest/admin/data-residency/network-details-for-ghecom'

/**
 * Advice for a GitHub Enterprise Server or a subdomain of ghe.com. The list that such a GitHub publishes may lack
 * addresses from which it sends deliveries. No advice for github.com.
 */
export function rangesAdvice(apiUrl: string): string[] {
  if (apiUrl === githubApi) return []
  const expected = apiUrl.endsWith('.ghe.com')
    ? `the egress ranges of your region, see ${networkDetails}`
    : 'the address of your GitHub Enterprise Server'
  return [`set ${optionOrFlag('the option ranges', '--ranges')} to ${expected}`]
}
