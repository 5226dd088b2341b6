import { createHash } from 'node:crypto'
import ipaddr from 'ipaddr.js'

/** Different wrong tokens that an address may try in a minute. */
export const mostWrong = 10
/** Milliseconds. */
const period = 60_000
/** Addresses that are remembered; beyond that the oldest is forgotten. Whoever has more is not kept out by this. */
const mostAddresses = 1000

interface Tries {
  until: number
  /** Of the tokens that were tried. */
  digests: Set<string>
}

/**
 * Slows down whoever guesses, by address. Each wrong token counts once: a script whose token is out of date asks with
 * the same for ever, finds out nothing by it, and must not keep out others on its machine.
 *
 * Times are in milliseconds of a clock that is never set back.
 */
export class WrongTokens {
  readonly #byAddress = new Map<string, Tries>()

  /** How many addresses are remembered. */
  get size(): number {
    return this.#byAddress.size
  }

  /** Milliseconds that the address has to wait, whatever its token; 0 if it may try. */
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
