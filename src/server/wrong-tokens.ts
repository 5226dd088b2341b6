import { createHash } from 'node:crypto'
import ipaddr from 'ipaddr.js'

/** Different wrong tokens from one address in a minute that are answered 401; more are answered 429. */
export const mostWrong = 10
/** Milliseconds. */
const period = 60_000
/** Addresses that are counted. With more, the oldest is dropped. */
const mostAddresses = 1000

interface Tries {
  until: number
  /** Of the tokens that were tried. */
  digests: Set<string>
}

/**
 * Counts wrong tokens by address, to answer 429 to a client that tries many. Each wrong token counts once: a script
 * with an outdated token repeats the same one for ever, which is no guessing.
 *
 * Times are in milliseconds of a monotonic clock.
 */
export class WrongTokens {
  readonly #byAddress = new Map<string, Tries>()

  /** How many addresses are remembered. */
  get size(): number {
    return this.#byAddress.size
  }

  /** Milliseconds for which a wrong token from the address is answered 429; 0 if it is answered 401. */
  wait(address: string, now: number): number {
    const tries = this.#byAddress.get(networkOf(address))
    return tries && tries.digests.size >= mostWrong ? Math.max(0, tries.until - now) : 0
  }

  add(address: string, token: string, now: number): void {
    const network = networkOf(address)
    let tries = this.#byAddress.get(network)
    if (!tries || tries.until <= now) {
      this.#byAddress.delete(network) // so that the order is that of `until`
      this.#makeRoom(now)
      this.#byAddress.set(network, (tries = { until: now + period, digests: new Set() }))
    }
    tries.digests.add(createHash('sha256').update(token).digest('base64url'))
  }

  #makeRoom(now: number): void {
    for (const [network, { until }] of this.#byAddress) {
      if (until > now && this.#byAddress.size < mostAddresses) return
      this.#byAddress.delete(network)
    }
  }
}

/** Whoever has one IPv6 address has the 2^64 beside it, too. IPv4 mapped into IPv6 is IPv4. */
function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString()
}
