/** An address as words of 32 bits, the most significant first: one word for IPv4, four for IPv6. */
export type Address = readonly number[]

/** An address of the range, and the number of leading bits that all addresses of the range share. */
export type Cidr = readonly [Address, number]

/**
 * Parses an address in its plain form: IPv4 with four decimal parts, or IPv6. IPv4 that is mapped into IPv6 counts as
 * IPv4 (RFC 4291, 2.5.5.2).
 * @returns `undefined` for anything else, including forms that some parsers accept: IPv4 in octal, hexadecimal or short
 *   form, and IPv6 with dots, except `::ffff:1.2.3.4`. Another program might read such a text as another address, and
 *   a client could then bypass an allow list.
 */
export function parseAddress(text: string): Address | undefined {
  const mapped = /^::ffff:([^%]*\.[^%]*)$/i.exec(text)
  if (mapped) return parseIpv4(mapped[1] as string)
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

function parseIpv4(text: string): Address | undefined {
  if (!/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text)) return undefined
  const parts = text.split('.').map(Number)
  return parts.some((part) => part > 255) ? undefined : [toWord(parts, 8)]
}

/** RFC 4291, 2.2, forms 1 and 2. A zone is ignored: Node.js shows a link-local peer as `fe80::1%br-1a2b`. */
function parseIpv6(text: string): Address | undefined {
  const [head = '', tail, ...more] = text.replace(/%[^%/\s]+$/, '').split('::')
  const groups = [splitGroups(head), splitGroups(tail ?? '')] as const
  const missing = 8 - groups[0].length - groups[1].length
  // `::` stands for one group at least.
  if (more.length > 0 || (tail === undefined ? missing !== 0 : missing < 1)) return undefined
  const all = [...groups[0], ...Array<string>(missing).fill('0'), ...groups[1]]
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  const values = all.map((group) => Number.parseInt(group, 16))
  const words = [0, 2, 4, 6].map((first) => toWord(values.slice(first, first + 2), 16))
  const isMapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff
  return isMapped ? words.slice(3) : words
}

const splitGroups = (text: string): string[] => (text === '' ? [] : text.split(':'))

/** Joins values of `size` bits each to an unsigned word. */
const toWord = (values: readonly number[], size: number): number =>
  values.reduce((word, value) => (word << size) | value, 0) >>> 0

/** A CIDR, or a single address as a range of one. `undefined` for anything else. */
export function parseCidr(text: string): Cidr | undefined {
  const [base = '', length, ...rest] = text.trim().split('/')
  const address = parseAddress(base)
  if (!address || rest.length > 0 || (length !== undefined && !/^(0|[1-9]\d{0,2})$/.test(length))) return undefined
  const maxBits = 32 * address.length
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
  if (base.length !== address.length) return false
  return base.every((word, index) => {
    const shared = Math.min(Math.max(bits - 32 * index, 0), 32)
    return shared === 0 || (word ^ (address[index] as number)) >>> (32 - shared) === 0
  })
}

/** Parses the CIDRs of an option. @throws {TypeError} naming the option and the entry that is not a CIDR. */
export function cidrsOf(option: string, texts: readonly string[]): Cidr[] {
  return texts.map((text) => {
    const cidr = parseCidr(text)
    if (!cidr) throw new TypeError(`Option "${option}" must be a list of CIDRs, got ${JSON.stringify(text)}`)
    return cidr
  })
}

/** The ranges `loopback` (RFC 1122, RFC 4291) and `private` (RFC 1918, 3927, 6598, 4193, 4291). */
export const namedRanges: ReadonlyMap<string, readonly string[]> = new Map([
  ['loopback', ['127.0.0.0/8', '::1/128']],
  [
    'private',
    ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fe80::/10'],
  ],
])

let local: AddressSet | undefined

/** Whether an address belongs to this machine or its network. */
export function isLocal(address: string): boolean {
  local ??= new AddressSet([...namedRanges.values()].flat().map((text) => parseCidr(text) as Cidr))
  return local.has(address)
}
