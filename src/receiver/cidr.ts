import ipaddr from 'ipaddr.js'

type Address = ReturnType<typeof ipaddr.parse>
type Cidr = [Address, number]

/**
 * An address in its plain form: four decimal parts or IPv6; IPv4 mapped into IPv6 counts as IPv4 (RFC 4291, 2.5.5.2).
 * `undefined` for anything else. That includes the octal, hexadecimal and short forms that some parsers accept, and other
 * ways to write IPv4 as IPv6: an allow list can be bypassed if two programs read one text as two addresses.
 */
export function parseAddress(text: string): Address | undefined {
  const plain = /^::ffff:(?=.*\.)/i.test(text) ? text.slice('::ffff:'.length) : text
  if (ipaddr.IPv4.isValidFourPartDecimal(plain)) return ipaddr.IPv4.parse(plain)
  const [unzoned = ''] = text.split('%', 1) // Node.js shows a link-local peer as fe80::1%eth0
  if (unzoned.includes('.') || !unzoned.includes(':') || !ipaddr.IPv6.isValid(text)) return undefined
  const address = ipaddr.IPv6.parse(text)
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address
}

/** A CIDR, or a single address as a range of one. `undefined` for anything else. */
export function parseCidr(text: string): Cidr | undefined {
  const [base = '', length, ...rest] = text.trim().split('/')
  const address = parseAddress(base)
  if (!address || rest.length > 0 || (length !== undefined && !/^(0|[1-9]\d{0,2})$/.test(length))) return undefined
  const maxBits = address.kind() === 'ipv4' ? 32 : 128
  const mapped = maxBits === 32 && base.includes(':') ? 96 : 0
  const bits = length === undefined ? maxBits : Number(length) - mapped
  return bits >= 0 && bits <= maxBits ? [address, bits] : undefined
}

/** How many lookups an `AddressSet` caches; GitHub sends from far fewer addresses. */
const maxCached = 1000

/** A set of CIDRs. */
export class AddressSet {
  readonly size: number
  readonly #cidrs: readonly Cidr[]
  readonly #cache = new Map<string, boolean>()

  constructor(cidrs: readonly Cidr[]) {
    this.#cidrs = cidrs
    this.size = cidrs.length
  }

  /** Whether `text` is an address in the set. Text that is not an address is in no set. */
  has(text: string): boolean {
    let isMember = this.#cache.get(text)
    if (isMember === undefined) {
      const address = parseAddress(text)
      isMember = address !== undefined && this.#cidrs.some((cidr) => contains(cidr, address))
      if (this.#cache.size >= maxCached) this.#cache.clear()
      this.#cache.set(text, isMember)
    }
    return isMember
  }
}

function contains([base, bits]: Cidr, address: Address): boolean {
  return base.kind() === address.kind() && address.match(base as never, bits)
}

/** Parses the CIDRs of an option. @throws {TypeError} naming the option and the entry that is not a CIDR. */
export function cidrsOf(option: string, texts: readonly string[]): Cidr[] {
  return texts.map((text) => {
    const cidr = parseCidr(text)
    if (!cidr) throw new TypeError(`Option "${option}" must be a list of CIDRs, got ${JSON.stringify(text)}`)
    return cidr
  })
}

/** The values `loopback` (RFC 1122, RFC 4291) and `private` (RFC 1918, 3927, 6598, 4193, 4291) of `trustProxy`. */
export const namedRanges: ReadonlyMap<string, readonly string[]> = new Map([
  ['loopback', ['127.0.0.0/8', '::1/128']],
  [
    'private',
    ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fe80::/10'],
  ],
])

let local: AddressSet | undefined

/** Whether an address belongs to this machine or its network. GitHub's requests then come through a proxy. */
export function isLocal(address: string): boolean {
  local ??= new AddressSet(cidrsOf('trustProxy', [...namedRanges.values()].flat()))
  return local.has(address)
}
