import { BlockList } from 'node:net'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, test } from 'vitest'
import {
  type Address,
  AddressSet,
  type Cidr,
  cidrsOf,
  isLocal,
  namedRanges,
  parseAddress,
  parseCidr,
} from '../../src/runtime/cidr.ts'

const setOf = (...texts: string[]) => new AddressSet(cidrsOf('ranges', texts))

const hostile = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-fx:.%/[\]]{0,45}$/), fc.stringMatching(/^[0f:]{0,20}$/))

const addresses = fc
  .tuple(
    fc.constantFrom('', '', '::', '::ffff:', '::FFFF:', '0:0:0:0:0:ffff:', '64:ff9b::', '0'),
    fc.oneof(
      fc.ipV4(),
      fc.ipV4Extended(),
      fc.ipV6(),
      fc.stringMatching(/^[0-9a-fA-F]{1,5}(::?[0-9a-fA-F]{1,5}){0,8}$/),
    ),
    fc.constantFrom('', '', '', '::', '%eth0', '%', '%a.b', '%1%2'),
  )
  .map((parts) => parts.join(''))

/** An address with one character replaced, removed or added. */
const mutated = fc
  .tuple(addresses, fc.nat(45), fc.nat(1), fc.constantFrom('', '0', '9', 'f', 'g', ':', '::', '.', '%', ' ', '\n'))
  .map(([text, at, removed, added]) => text.slice(0, at) + added + text.slice(at + removed))

/** The words of an address as ipaddr.js parses it, if the form is unambiguous and ipaddr.js accepts it. */
function reference(text: string): number[] | undefined {
  const plain = /^::ffff:(?=.*\.)/i.test(text) ? text.slice('::ffff:'.length) : text
  if (ipaddr.IPv4.isValidFourPartDecimal(plain)) return wordsOf(ipaddr.IPv4.parse(plain))
  const unzoned = text.replace(/%[^%/\s]+$/, '') // ipaddr.js allows only letters and digits in a zone
  if (/[.%]/.test(unzoned) || !unzoned.includes(':') || !ipaddr.IPv6.isValid(unzoned)) return undefined
  const address = ipaddr.IPv6.parse(unzoned)
  return wordsOf(address.isIPv4MappedAddress() ? address.toIPv4Address() : address)
}

function wordsOf(address: ipaddr.IPv4 | ipaddr.IPv6): number[] {
  const bytes = Buffer.from(address.toByteArray())
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(4 * index))
}

const garbage = [
  '',
  ' ',
  ':',
  '::::',
  '1::2::3',
  '12345::',
  '1.2.3.256',
  '1.2.3.4.5',
  '1.2.3.4 ',
  '1.2.3.4\n',
  '1.2.3.4:80',
  '1.2.3.4/32',
  '[::1]',
  '::ffff:1.2.3.256',
  '%',
  '%eth0',
  'fe80::1%',
  'unknown',
  'localhost',
  '１.2.3.4',
  '\u0000',
  'constructor',
]

describe('an address', () => {
  test.each(['::ffff:192.0.2.1', '::FFFF:192.0.2.1', '::ffff:c000:201', '0:0:0:0:0:ffff:c000:0201'])(
    'that is IPv4 mapped into IPv6 counts as IPv4: %s',
    (text) => {
      expect(parseAddress(text)).toEqual([0xc0000201])
      expect(setOf('192.0.2.0/24').has(text)).toBe(true)
      expect(setOf('198.51.100.0/24').has(text)).toBe(false)
    },
  )

  test.each([
    ['octal', '0300.0.2.1'],
    ['octal in one part', '192.0.02.1'],
    ['hexadecimal', '0xc0.0.2.1'],
    ['short', '192.513'],
    ['three parts', '192.0.513'],
    ['decimal', '3221225985'],
    ['hexadecimal in one', '0xc0000201'],
  ])('in a form that other programs may read as another address is rejected: %s', (_, text) => {
    expect(parseAddress(text)).toBeUndefined()
    expect(setOf('0.0.0.0/0', '::/0').has(text)).toBe(false)
  })

  test.each(['1::ffff:c000:201', '0:0:1::ffff:c000:201', '::1:ffff:c000:201', '::1:c000:201', '::c000:201'])(
    'is IPv6 if it only resembles a mapped one: %s',
    (text) => {
      expect(parseAddress(text)).toHaveLength(4)
      expect(setOf('192.0.2.0/24').has(text)).toBe(false)
    },
  )

  test.each(garbage)('cannot be parsed from other text: %j', (text) => {
    expect(parseAddress(text)).toBeUndefined()
    expect(setOf('0.0.0.0/0', '::/0').has(text)).toBe(false)
  })

  test('may have a zone, as Node.js shows a link-local peer', () => {
    for (const zone of ['eth0', 'eth0.100', 'br-1a2b', 'wg_0', '3']) {
      expect(setOf('fe80::/10').has(`fe80::1%${zone}`)).toBe(true)
    }
    expect(setOf('2001:db8::/32').has('fe80::1%eth0')).toBe(false)
  })

  test('is parsed as ipaddr.js does, in a form that both accept', () => {
    const agree = fc.property(fc.oneof(addresses, mutated, hostile), (text) => {
      expect(parseAddress(text)).toEqual(reference(text))
    })
    fc.assert(agree, { numRuns: 20_000 })
  })

  test('never throws, for any text', () => {
    const set = setOf('192.0.2.0/24', '2001:db8::/32')
    fc.assert(fc.property(fc.oneof(hostile, addresses), (text) => typeof set.has(text) === 'boolean'))
  })
})

describe('a CIDR', () => {
  test.each([
    ['192.30.252.0/22', ['192.30.252.0', '192.30.255.255'], ['192.30.251.255', '192.31.0.0']],
    ['2a0a:a440::/29', ['2a0a:a440::', '2a0a:a447:ffff::1'], ['2a0a:a43f:ffff::', '2a0a:a448::']],
    ['0.0.0.0/0', ['0.0.0.0', '255.255.255.255', '::ffff:1.2.3.4'], ['::', '::1', '2001:db8::1']],
    ['::/0', ['::', '2001:db8::1'], ['1.2.3.4', '::ffff:1.2.3.4']],
  ])('%s holds its first and its last address, and no neighbor', (cidr, inside, outside) => {
    const set = setOf(cidr)
    expect(inside.filter((address) => !set.has(address))).toEqual([])
    expect(outside.filter((address) => set.has(address))).toEqual([])
  })

  test('without a length is one address, of IPv4 and of IPv6', () => {
    expect(parseCidr('192.0.2.1')?.[1]).toBe(32)
    expect(parseCidr('2001:db8::1')?.[1]).toBe(128)
    const set = setOf('192.0.2.1', '2001:db8::1')
    expect(['192.0.2.1', '2001:db8::1'].every((address) => set.has(address))).toBe(true)
    expect(['192.0.2.2', '2001:db8::2', '2001:db8:1::1'].some((address) => set.has(address))).toBe(false)
  })

  test('of IPv4 mapped into IPv6 counts as IPv4', () => {
    const set = setOf('::ffff:192.0.2.0/120', '::ffff:198.51.100.7')
    expect(['192.0.2.0', '192.0.2.255', '::ffff:192.0.2.1', '198.51.100.7'].every((one) => set.has(one))).toBe(true)
    expect(['192.0.3.0', '192.0.1.255', '198.51.100.8', '::1'].some((one) => set.has(one))).toBe(false)
    expect(setOf('::ffff:0:0/96').has('203.0.113.9')).toBe(true)
    expect(parseCidr('::ffff:192.0.2.0/95')).toBeUndefined()
  })

  test('may have white space around it', () => expect(parseCidr(' 192.0.2.0/24\n')?.[1]).toBe(24))

  test.each([
    '192.0.2.0/33',
    '2001:db8::/129',
    '192.0.2.0/',
    '192.0.2.0/-1',
    '192.0.2.0/1e1',
    '192.0.2.0/255.255.255.0',
    '192.0.2.0/24/24',
    '192.0.2.0 /24',
    '/24',
    '192.0.2/24',
    '0300.0.2.0/24',
    'example.com/24',
    ...garbage.filter((text) => text !== '1.2.3.4/32' && text !== '1.2.3.4 ' && text !== '1.2.3.4\n'),
  ])('that is invalid is rejected: %j', (text) => expect(parseCidr(text)).toBeUndefined())

  test('contains the same addresses as the block list of Node.js', () => {
    const cidrs = fc.oneof(
      fc.tuple(fc.constant('ipv4' as const), fc.ipV4(), fc.nat(32), fc.ipV4()),
      fc.tuple(fc.constant('ipv6' as const), plainV6, fc.nat(128), plainV6),
    )
    const verdictsAgree = fc.property(cidrs, fc.nat(128), ([family, base, bits, other], shared) => {
      // Two random addresses share hardly any prefix, so `near` differs from the base in one bit.
      const near = flipBit(base, shared)
      const list = new BlockList()
      list.addSubnet(base, bits, family)
      const set = setOf(`${base}/${bits}`)
      for (const address of [base, other, near]) expect(set.has(address)).toBe(list.check(address, family))
    })
    fc.assert(verdictsAgree, { numRuns: 500 })
  })

  test('that is invalid causes an error with the option and the entry', () => {
    const fault = new TypeError('Option "ranges" must be a list of CIDRs, got "192.0.2.0/99"')
    expect(() => cidrsOf('ranges', ['192.0.2.0/24', '192.0.2.0/99'])).toThrow(fault)
  })
})

const plainV6 = fc
  .array(fc.integer({ min: 1, max: 0xffff }), { minLength: 8, maxLength: 8 })
  .map((parts) => parts.map((part) => part.toString(16)).join(':'))

function flipBit(address: string, bit: number): string {
  const bytes = ipaddr.parse(address).toByteArray()
  const at = bit % (8 * bytes.length)
  bytes[at >> 3] = (bytes[at >> 3] as number) ^ (0x80 >> (at & 7))
  return ipaddr.fromByteArray(bytes).toString()
}

describe('a set of addresses', () => {
  test('has a size, and contains nothing if it is empty', () => {
    expect(setOf('192.0.2.0/24', '::1').size).toBe(2)
    expect(setOf().has('192.0.2.1')).toBe(false)
  })

  test('caches its lookups, up to a limit', () => {
    let looks = 0
    const [base, bits] = cidrsOf('ranges', ['10.0.0.0/9'])[0] as Cidr
    const countLook = () => {
      looks++
      return bits
    }
    const counting = Object.defineProperty([base, bits] as [Address, number], 1, { get: countLook })
    const set = new AddressSet([counting])
    const looksFor = (address: string) => {
      looks = 0
      return [set.has(address), looks]
    }
    expect([looksFor('10.0.0.1'), looksFor('10.0.0.1')]).toEqual([
      [true, 1],
      [true, 0],
    ])
    expect([looksFor('10.128.0.1'), looksFor('10.128.0.1')]).toEqual([
      [false, 1],
      [false, 0],
    ])
    for (let i = 0; i < 10_000; i++) set.has(`10.${i % 256}.${i >> 8}.2`)
    expect([looksFor('10.0.0.1'), looksFor('10.128.0.1')]).toEqual([
      [true, 1],
      [false, 1],
    ])
  })
})

describe('a local address', () => {
  test('belongs to this machine or to a private network', () => {
    const local = ['127.0.0.1', '127.255.255.255', '::1', '10.0.0.0', '172.16.0.0', '172.31.255.255', '192.168.1.1']
    const shared = ['169.254.1.1', '100.64.0.0', '100.127.255.255', 'fc00::1', 'fd12::1', 'fe80::1', '::ffff:10.1.2.3']
    expect([...local, ...shared].filter((address) => !isLocal(address))).toEqual([])
  })

  test('is not a public address', () => {
    const neighbors = ['126.255.255.255', '128.0.0.0', '172.15.255.255', '172.32.0.0', '192.169.0.0', '100.128.0.0']
    expect([...neighbors, '::2', 'fec0::1', '2001:db8::1', 'unix2', ''].filter(isLocal)).toEqual([])
  })

  test('belongs to a named range of trustProxy', () => {
    expect([...namedRanges.keys()]).toEqual(['loopback', 'private'])
    expect(setOf(...(namedRanges.get('loopback') ?? [])).has('127.0.0.53')).toBe(true)
    expect(setOf(...(namedRanges.get('private') ?? [])).has('127.0.0.53')).toBe(false)
  })
})

describe('IPv4 inside IPv6', () => {
  test.each([
    '::ffff:0x7f.0.0.1',
    '::ffff:010.0.0.1',
    '::1.2.3.4',
    '::ffff:0:1.2.3.4',
    '64:ff9b::1.2.3.4',
    '::1.2.3.4%eth0',
  ])('is rejected if it is not mapped in plain decimals: %s', (text) => expect(parseAddress(text)).toBeUndefined())

  test('is rejected in a CIDR, and so is a length with a leading zero or a sign', () => {
    for (const text of ['::1.2.3.4/96', '192.0.2.0/024', '192.0.2.0/+24']) expect(parseCidr(text)).toBeUndefined()
  })
})
