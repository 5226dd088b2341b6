import { createHash } from 'node:crypto'
import ipaddr from 'ipaddr.js'

/** Different wrong tokens from one address per minute that are answered 401. More are answered 429. */
export const maxWrong = 10
/** Milliseconds. */
const period = 60_000
/** Addresses that are counted. Of more, the oldest is dropped. */
const maxAddresses = 1000

interface Tries {
  until: number
  /** Digests of the wrong tokens. */
  digests: Set<string>
}

/**
 * Counts wrong tokens by address, to answer 429 to a client that tries many. Each wrong token counts once: a script with
 * an outdated token repeats the same one, and guesses nothing.
 *
 * Times are in milliseconds of a monotonic clock.
 */
export class WrongTokens {
  readonly #byAddress = new Map<string, Tries>()

  /** How many addresses are counted. */
  get size(): number {
    return this.#byAddress.size
  }

  /** Milliseconds for which a wrong token from the address is answered 429, or 0 if it is answered 401. */
  wait(address: string, now: number): number {
    const tries = this.#byAddress.get(networkOf(address))
    return tries && tries.digests.size >= maxWrong ? Math.max(0, tries.until - now) : 0
  }

  add(address: string, token: string, now: number): void {
    const network = networkOf(address)
    let tries = this.#byAddress.get(network)
    if (!tries || tries.until <= now) {
      this.#byAddress.delete(network) // keeps the order of `until`
      this.#makeRoom(now)
      tries = { until: now + period, digests: new Set() }
      this.#byAddress.set(network, tries)
    }
    tries.digests.add(createHash('sha256').update(token).digest('base64url'))
  }

  #makeRoom(now: number): void {
    for (const [network, { until }] of this.#byAddress) {
      if (until > now && this.#byAddress.size < maxAddresses) return
      this.#byAddress.delete(network)
    }
  }
}

/** A client with an IPv6 address has the 2^64 addresses beside it, too. An IPv4-mapped address counts as IPv4. */
function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString()
}
