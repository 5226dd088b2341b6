import { createHash } from 'node:crypto'
import { parseAddress } from '../../runtime/cidr.ts'

/** The number of different wrong tokens per address and minute that are answered 401. More are answered 429. */
export const maxWrong = 10
/** Milliseconds for which the wrong tokens of an address are counted, from the first one. */
const period = 60_000
/** The maximum number of addresses to count for. A further address replaces the one that was added first. */
const maxAddresses = 1000

interface Tries {
  until: number
  /** Digests of the wrong tokens. */
  digests: Set<string>
}

/**
 * Counts different wrong tokens by address. A repeated token counts once, because a client that repeats an outdated
 * token is not guessing. Times are in milliseconds of a monotonic clock.
 */
export class WrongTokens {
  readonly #byAddress = new Map<string, Tries>()

  /** The number of addresses that are counted now. */
  get size(): number {
    return this.#byAddress.size
  }

  /** Milliseconds for which wrong tokens from the address are answered 429. 0 if they are answered 401. */
  wait(address: string, now: number): number {
    const tries = this.#byAddress.get(networkOf(address))
    return tries && tries.digests.size >= maxWrong ? Math.max(0, tries.until - now) : 0
  }

  add(address: string, token: string, now: number): void {
    const network = networkOf(address)
    let tries = this.#byAddress.get(network)
    if (!tries || tries.until <= now) {
      this.#byAddress.delete(network) // set() then appends the address, so the map stays in the order of `until`
      this.#makeRoom(now)
      tries = { until: now + period, digests: new Set() }
      this.#byAddress.set(network, tries)
    }
    tries.digests.add(digestOf(token))
  }

  /** Undoes `add`, for a text that was counted before the result was known. */
  takeBack(address: string, token: string): void {
    this.#byAddress.get(networkOf(address))?.digests.delete(digestOf(token))
  }

  #makeRoom(now: number): void {
    for (const [network, { until }] of this.#byAddress) {
      if (until > now && this.#byAddress.size < maxAddresses) return
      this.#byAddress.delete(network)
    }
  }
}

const digestOf = (token: string): string => createHash('sha256').update(token).digest('base64url')

/**
 * The /64 network of an IPv6 address, because a client usually has the whole network. For an IPv4 address, the whole
 * address. For a text that is not an address, the text.
 */
function networkOf(address: string): string {
  return parseAddress(address)?.slice(0, 2).join(':') ?? address
}
