import { HookError } from '../errors.ts'
import type { HookRequest, RangesStatus } from '../http.ts'
import type { Settings } from '../settings.ts'
import { AddressSet, cidrsOf, isLocal } from './cidr.ts'
import { type AddressReader, createAddressReader } from './client-address.ts'
import { GithubRanges } from './github-ranges.ts'

/** Checks that a request comes from GitHub's addresses, as the option `validateIp` says. */
export class Origin {
  readonly #mode: boolean | 'warn'
  /** Finds the client's address, if it is known. */
  readonly addressOf: AddressReader
  readonly #ranges: AddressSet | GithubRanges
  readonly #tolerated: (error: HookError, request: HookRequest) => void

  /**
   * @param ranges Shared by all mounts with the same source; not used if the option `ranges` is a list.
   * @param tolerated Called for each request that `validateIp: 'warn'` accepts and `true` would reject.
   * @throws {TypeError} for an entry of `trustProxy` or `ranges` that is not a CIDR.
   */
  constructor(settings: Settings, ranges: GithubRanges, tolerated: (error: HookError, request: HookRequest) => void) {
    this.#mode = settings.validateIp
    this.addressOf = createAddressReader(settings)
    this.#ranges = Array.isArray(settings.ranges) ? new AddressSet(cidrsOf('ranges', settings.ranges)) : ranges
    this.#tolerated = tolerated
  }

  /**
   * @returns A promise only if a list has to be fetched first.
   * @throws {HookError} `forbidden_origin`, `ranges_unavailable`, `address_unknown`; never with `validateIp: 'warn'`.
   */
  check(request: HookRequest): void | Promise<void> {
    if (this.#mode === true) return this.#require(request)
    if (this.#mode === 'warn') {
      const check = new Promise<void>((resolve) => resolve(this.#require(request)))
      const work = check.catch((error: HookError) => this.#tolerated(error, request))
      request.waitUntil?.(work)
    }
  }

  /** Resolves once requests can be checked. @throws {HookError} `ranges_unavailable` */
  async ready(): Promise<void> {
    if (this.#mode === true && this.#ranges instanceof GithubRanges) await this.#ranges.ready()
  }

  /** The state of the list; `undefined` if none is fetched. */
  get ranges(): RangesStatus | undefined {
    return this.#mode !== false && this.#ranges instanceof GithubRanges ? this.#ranges.status : undefined
  }

  #require(request: HookRequest): void | Promise<void> {
    const address = this.addressOf(request)
    if (address === undefined) throw new HookError('address_unknown', { cause: addressHint })
    const isKnown = this.#ranges.has(address, request.waitUntil && ((work) => request.waitUntil?.(work)))
    return typeof isKnown === 'boolean' ? accept(isKnown, address) : isKnown.then((later) => accept(later, address))
  }
}

const addressHint = 'say where the address comes from with the option clientAddress, or set validateIp to false'

/** @throws {HookError} `forbidden_origin` */
function accept(isKnown: boolean, address: string): void {
  if (isKnown) return
  throw new HookError('forbidden_origin', { cause: describe(address) })
}

function describe(address: string): string {
  if (address === 'unix') return "it came through a Unix socket: if it is your proxy's, add trustProxy: ['unix']"
  if (!isLocal(address)) return `${address} is in none of the ranges`
  return (
    `${address} is a local address: if it is your proxy's, add trustProxy: ['${address}']; ` +
    `if it is your GitHub Enterprise Server's, ranges: ['${address}']`
  )
}
