import { HookError } from '../errors.ts'
import type { HookRequest, RangesStatus } from '../http.ts'
import type { Settings } from '../options.ts'
import { AddressSet, cidrsOf, isLocal } from './cidr.ts'
import { type AddressReader, createAddressReader } from './client-address.ts'
import { Ranges } from './github-ranges.ts'

/** Whether a request comes from where deliveries come from. */
export class Origin {
  readonly #mode: boolean | 'warn'
  readonly #addressOf: AddressReader
  readonly #ranges: AddressSet | Ranges
  readonly #tolerated: (error: HookError, request: HookRequest) => void

  /**
   * @param ranges Kept fresh for all mounts together; not used where the option `ranges` is a list.
   * @param tolerated Told what `validateIp: 'warn'` let pass.
   * @throws {TypeError} for an entry of `trustProxy` or `ranges` that is no CIDR.
   */
  constructor(settings: Settings, ranges: Ranges, tolerated: (error: HookError, request: HookRequest) => void) {
    this.#mode = settings.validateIp
    this.#addressOf = createAddressReader(settings)
    this.#ranges = Array.isArray(settings.ranges) ? new AddressSet(cidrsOf('ranges', settings.ranges)) : ranges
    this.#tolerated = tolerated
  }

  /**
   * @returns A promise only where a list has to be waited for.
   * @throws {HookError} `forbidden_origin`, `ranges_unavailable`, `address_unknown`; never with `validateIp: 'warn'`.
   */
  check(request: HookRequest): void | Promise<void> {
    if (this.#mode === true) return this.#require(request)
    if (this.#mode === 'warn') {
      const look = new Promise<void>((resolve) => resolve(this.#require(request)))
      const work = look.catch((error: HookError) => this.#tolerated(error, request))
      request.waitUntil?.(work)
    }
  }

  /**
   * Resolves once an origin could be checked.
   * @throws {HookError} `ranges_unavailable`
   */
  async ready(): Promise<void> {
    if (this.#mode === true && this.#ranges instanceof Ranges) await this.#ranges.ready()
  }

  /** How the list stands; `undefined` where none is fetched. */
  get ranges(): RangesStatus | undefined {
    return this.#mode !== false && this.#ranges instanceof Ranges ? this.#ranges.status : undefined
  }

  /** The client's address, where it can be known. */
  addressOf(request: HookRequest): string | undefined {
    return this.#addressOf(request)
  }

  #require(request: HookRequest): void | Promise<void> {
    const address = this.#addressOf(request)
    if (address === undefined) throw new HookError('address_unknown', { cause: howToFindIt })
    const known = this.#ranges.has(address, request.waitUntil && ((work) => request.waitUntil?.(work)))
    return typeof known === 'boolean' ? admit(known, address) : known.then((later) => admit(later, address))
  }
}

const howToFindIt = 'say where the address comes from with the option clientAddress, or set validateIp to false'

function admit(known: boolean, address: string): void {
  if (known) return
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
