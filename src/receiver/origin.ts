import { HookError } from '../errors.ts'
import type { HookRequest, RangesStatus } from '../http.ts'
import { AddressSet, cidrsOf, isLocal } from '../runtime/cidr.ts'
import { optionOrFlag } from '../runtime/option-or-flag.ts'
import type { Settings } from '../settings.ts'
import { type AddressReader, createAddressReader, explainUnknownAddress } from './client-address.ts'
import { GithubRanges, rangesAdvice } from './github-ranges.ts'

/** Checks that a request comes from GitHub's addresses, as the option `validateIp` says. */
export class Origin {
  readonly #mode: boolean | 'warn'
  readonly #readAddress: AddressReader
  readonly #clientAddress: Settings['clientAddress']
  readonly #ranges: AddressSet | GithubRanges
  /** Why an address is not accepted: a text that follows the address. */
  readonly #outside: string

  /**
   * @param ranges Shared by all mounts with the same `apiUrl` and `token`, or with the same function `ranges`; not used
   *   if the option `ranges` is a list.
   */
  constructor(settings: Settings, ranges: GithubRanges) {
    this.#mode = settings.validateIp
    this.#readAddress = createAddressReader(settings)
    this.#clientAddress = settings.clientAddress
    this.#ranges = Array.isArray(settings.ranges) ? new AddressSet(cidrsOf('ranges', settings.ranges)) : ranges
    this.#outside = settings.ranges === undefined ? notGithub(settings.apiUrl) : 'is in none of the ranges'
  }

  /**
   * Checks a request, if `validateIp` is `true`.
   * @returns A promise only if a list must first be fetched or loaded from the cache.
   * @throws {HookError} `forbidden_origin`, `ranges_unavailable`, `address_unknown`, `body_aborted`
   */
  check(request: HookRequest): void | Promise<void> {
    if (this.#mode === true) return this.#require(request)
  }

  /**
   * Checks a request, if `validateIp` is `'warn'`.
   * @returns A promise of the error with which `validateIp: true` would reject the request, or of `undefined` if it
   *   would accept the request. The promise never rejects. Without `'warn'`: `undefined`.
   */
  warning(request: HookRequest): Promise<HookError | undefined> | undefined {
    if (this.#mode !== 'warn') return undefined
    const check = new Promise<void>((resolve) => resolve(this.#require(request)))
    return check.then(
      () => undefined,
      (error: HookError) => error,
    )
  }

  /** The client's address; `undefined` if it is unknown. */
  addressOf(request: HookRequest): string | undefined {
    try {
      return this.#readAddress(request)
    } catch {
      return undefined // validateIp: true has rejected the request, 'warn' logs the error, false ignores it
    }
  }

  /** Resolves once requests can be checked. @throws {HookError} `ranges_unavailable` */
  async ready(): Promise<void> {
    if (this.#mode === true && this.#ranges instanceof GithubRanges) await this.#ranges.ready()
  }

  /** The state of the fetched list; `undefined` if this mount fetches no list. */
  get ranges(): RangesStatus | undefined {
    return this.#mode !== false && this.#ranges instanceof GithubRanges ? this.#ranges.status : undefined
  }

  #require(request: HookRequest): void | Promise<void> {
    const address = this.#readAddress(request)
    if (address === undefined) {
      throw new HookError('address_unknown', { cause: explainUnknownAddress(this.#clientAddress) })
    }
    const isKnown = this.#ranges.has(address, request.waitUntil && ((work) => request.waitUntil?.(work)))
    if (typeof isKnown === 'boolean') return this.#accept(isKnown, address)
    return isKnown.then((later) => this.#accept(later, address))
  }

  /** @throws {HookError} `forbidden_origin` */
  #accept(isKnown: boolean, address: string): void {
    if (isKnown) return
    throw new HookError('forbidden_origin', { cause: describe(address, this.#outside) })
  }
}

/** With advice for a GitHub Enterprise Server, whose addresses may not be in its list. */
const notGithub = (apiUrl: string): string =>
  ['is not an address of GitHub', ...rangesAdvice(apiUrl).map((text) => `if it is your GitHub's, ${text}`)].join(': ')

function describe(address: string, outside: string): string {
  const proxyCure = `add ${optionOrFlag(`trustProxy: ['${address}']`, `--trust-proxy ${address}`)}`
  if (address === 'unix') return `it came through a Unix socket: if that is your proxy's, ${proxyCure}`
  if (!isLocal(address)) return `${address} ${outside}`
  const rangesCure = `set ${optionOrFlag(`ranges: ['${address}']`, `--ranges ${address}`)}`
  return `${address} is a local address: if it is your proxy's, ${proxyCure}; if it is your GitHub Enterprise Server's, ${rangesCure}`
}
