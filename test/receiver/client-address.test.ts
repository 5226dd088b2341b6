import { describe, expect, test } from 'vitest'
import type { HookRequest } from '../../src/http.ts'
import type { HooksOptions } from '../../src/options.ts'
import { createAddressReader, forwardedAddresses } from '../../src/receiver/client-address.ts'
import { rejectionOf, requestOf, settingsOf } from './fixtures.ts'

const read = (options: HooksOptions, request: Partial<HookRequest>) =>
  createAddressReader(settingsOf(options))(requestOf(request))

/** A request from `address` that reports `chain`. */
const via = (address: string | undefined, chain?: string): Partial<HookRequest> => ({
  address,
  headers: chain === undefined ? {} : { 'x-forwarded-for': chain },
})

describe('the address of the client', () => {
  test('is the address of the peer if no proxy is trusted, even if a header names another', () => {
    for (const trustProxy of [undefined, [], 0]) {
      expect(read({ trustProxy }, via('203.0.113.1', '192.0.2.1'))).toBe('203.0.113.1')
    }
  })

  test('is unknown if the platform provides no peer, even if a header names an address', () => {
    for (const trustProxy of [[], 1, 'loopback']) {
      expect(read({ trustProxy }, via(undefined, '192.0.2.1'))).toBeUndefined()
    }
  })
})

describe('trustProxy', () => {
  test.each([
    ['the address that a trusted proxy reports replaces it', '10.0.0.1', '192.0.2.1', '192.0.2.1'],
    [
      'addresses that an untrusted client adds in front are ignored',
      '10.0.0.1',
      '198.51.100.7, 192.0.2.1',
      '192.0.2.1',
    ],
    ['a chain of trusted proxies is followed', '10.0.0.1', '192.0.2.1, 10.0.0.3, 10.0.0.2', '192.0.2.1'],
    ['the first untrusted address ends the search', '10.0.0.1', '192.0.2.1, 203.0.113.1, 10.0.0.2', '203.0.113.1'],
    ['an untrusted peer is the client', '203.0.113.1', '192.0.2.1, 10.0.0.2', '203.0.113.1'],
    ['if all are trusted, the first entry is the client', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['without the header, the proxy is the client', '10.0.0.1', undefined, '10.0.0.1'],
    ['an entry without an address ends the search', '10.0.0.1', '192.0.2.1, unknown', 'unknown'],
    ['an empty header shows no address', '10.0.0.1', '', ''],
    ['a mapped address counts as IPv4', '::ffff:10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['ports are left out', '10.0.0.1', '192.0.2.1:4711, 10.0.0.2:80', '192.0.2.1'],
  ])('reads the addresses from right to left: %s', (_, peer, chain, client) => {
    expect(read({ trustProxy: ['10.0.0.0/8'] }, via(peer, chain))).toBe(client)
  })

  test.each([
    ['loopback', ['127.0.0.1', '::1', '::ffff:127.0.0.1'], ['10.0.0.1', 'unix', '203.0.113.1']],
    ['private', ['10.0.0.1', '192.168.0.1', 'fd00::1', 'fe80::1%eth0'], ['127.0.0.1', 'unix', '203.0.113.1']],
    ['unix', ['unix'], ['127.0.0.1', '10.0.0.1', '203.0.113.1', '']],
    ['203.0.113.1', ['203.0.113.1'], ['203.0.113.2', '127.0.0.1']],
    ['2001:db8::/64', ['2001:db8::1'], ['2001:db8:0:1::1']],
  ])('takes %s, alone or in a list', (trusted, believed, strangers) => {
    for (const trustProxy of [trusted, [trusted], ['192.0.2.9/32', trusted]]) {
      for (const peer of believed) expect(read({ trustProxy }, via(peer, '198.51.100.1'))).toBe('198.51.100.1')
      for (const peer of strangers) expect(read({ trustProxy }, via(peer, '198.51.100.1'))).toBe(peer)
    }
  })

  test('accepts several values', () => {
    const trustProxy = ['unix', 'loopback', 'private', '203.0.113.0/24']
    expect(read({ trustProxy }, via('unix', '192.0.2.1, 203.0.113.9, 10.0.0.1, 127.0.0.1'))).toBe('192.0.2.1')
  })

  test.each([
    [1, '203.0.113.3'],
    [2, '203.0.113.2'],
    [3, '203.0.113.1'],
    [4, '203.0.113.1'],
  ])('counts hops: %i', (trustProxy, client) => {
    expect(read({ trustProxy }, via('127.0.0.1', '203.0.113.1, 203.0.113.2, 203.0.113.3'))).toBe(client)
  })

  test('counts the hop of an entry without an address', () => {
    expect(read({ trustProxy: 2 }, via('127.0.0.1', '203.0.113.1, 203.0.113.2, unknown'))).toBe('203.0.113.2')
    expect(read({ trustProxy: 2 }, via('127.0.0.1', '203.0.113.1, 203.0.113.2,'))).toBe('203.0.113.2')
  })
})

describe('forwardedHeader', () => {
  const headers = { 'x-forwarded-for': '192.0.2.1', forwarded: 'for=198.51.100.1', 'x-real-ip': '203.0.113.1' }

  test('is X-Forwarded-For by default, and no other header is read', () => {
    expect(read({ trustProxy: 1 }, { address: '127.0.0.1', headers })).toBe('192.0.2.1')
    const { 'x-forwarded-for': _, ...others } = headers
    expect(read({ trustProxy: 1 }, { address: '127.0.0.1', headers: others })).toBe('127.0.0.1')
  })

  test('may be Forwarded, and then no other header is read', () => {
    const options = { trustProxy: 1, forwardedHeader: 'forwarded' } as const
    expect(read(options, { address: '127.0.0.1', headers })).toBe('198.51.100.1')
    const { forwarded: _, ...others } = headers
    expect(read(options, { address: '127.0.0.1', headers: others })).toBe('127.0.0.1')
  })
})

describe('clientAddress', () => {
  test('"framework" is the address that the framework found', () => {
    const request = { address: '127.0.0.1', frameworkAddress: '192.0.2.1' }
    expect(read({ clientAddress: 'framework' }, request)).toBe('192.0.2.1')
    expect(read({ clientAddress: 'framework' }, { address: '127.0.0.1' })).toBeUndefined()
  })

  test('"cloudflare" is the header CF-Connecting-IP', () => {
    const request = { address: '127.0.0.1', headers: { 'cf-connecting-ip': '192.0.2.1', 'x-forwarded-for': '::1' } }
    expect(read({ clientAddress: 'cloudflare' }, request)).toBe('192.0.2.1')
    expect(read({ clientAddress: 'cloudflare' }, { address: '127.0.0.1' })).toBeUndefined()
  })

  test('"deno" is the remoteAddr of Deno.serve', () => {
    const info = { remoteAddr: { transport: 'tcp', hostname: '192.0.2.1', port: 4711 } }
    expect(read({ clientAddress: 'deno' }, { native: ['request', info] })).toBe('192.0.2.1')
    for (const other of [undefined, {}, { remoteAddr: { transport: 'unix', path: '/run/a' } }]) {
      expect(read({ clientAddress: 'deno' }, { native: ['request', other] })).toBeUndefined()
    }
  })

  test('"bun" is the result of requestIP() of Bun.serve', () => {
    const server = { requestIP: (request: unknown) => (request === 'request' ? { address: '192.0.2.1' } : null) }
    expect(read({ clientAddress: 'bun' }, { native: ['request', server] })).toBe('192.0.2.1')
    expect(read({ clientAddress: 'bun' }, { native: ['another', server] })).toBeUndefined()
    for (const other of [undefined, {}]) {
      expect(read({ clientAddress: 'bun' }, { native: ['request', other] })).toBeUndefined()
    }
  })

  test('may be a function of the framework’s request and the arguments of the platform', () => {
    const clientAddress = (...all: unknown[]) => all.join()
    expect(read({ clientAddress }, { native: ['request', 'env', 'context'] })).toBe('request,env,context')
  })

  test.each<[unknown, string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    ['', 'an empty string'],
    [7, 'a value of type number'],
    [{}, 'a value of type object'],
    [Promise.resolve('192.0.2.1'), 'a promise, but it must return the address itself'],
  ])(
    'is address_unknown if the function returns no address, and the log has the type of the value: %j',
    async (given, kind) => {
      const clientAddress = () => given as string
      const rejection = await rejectionOf(() => read({ clientAddress }, { address: '127.0.0.1' }))
      const cause = `your clientAddress function returned ${kind}`
      expect(rejection).toMatchObject({ code: 'address_unknown', status: 500, cause })
      expect(JSON.stringify(rejection.problem())).not.toContain('returned')
    },
  )

  test('is address_unknown if the function throws, and the sender does not see the cause', async () => {
    const cause = new Error('no such property')
    const clientAddress = () => {
      throw cause
    }
    const rejection = await rejectionOf(() => read({ clientAddress }, {}))
    const message = 'your clientAddress function threw an error: no such property'
    expect(rejection).toMatchObject({ code: 'address_unknown', status: 500, cause: { message, cause } })
    expect(JSON.stringify(rejection.problem())).not.toContain(cause.message)
  })

  test('is address_unknown if Bun’s server throws', async () => {
    const requestIP = () => {
      throw new Error('closed')
    }
    const native = [undefined, { requestIP }] as const
    expect(await rejectionOf(() => read({ clientAddress: 'bun' }, { native }))).toMatchObject({
      code: 'address_unknown',
      cause: { message: 'requestIP() threw an error: closed' },
    })
  })

  test('is the first address that trustProxy checks', () => {
    const request = {
      address: '203.0.113.9',
      frameworkAddress: '10.0.0.1',
      headers: { 'x-forwarded-for': '192.0.2.1' },
    }
    expect(read({ clientAddress: 'framework', trustProxy: 'private' }, request)).toBe('192.0.2.1')
    expect(read({ clientAddress: () => '203.0.113.1', trustProxy: 'private' }, request)).toBe('203.0.113.1')
  })
})

describe('X-Forwarded-For', () => {
  test.each([
    ['192.0.2.1', ['192.0.2.1']],
    ['192.0.2.1, 198.51.100.2,203.0.113.3', ['192.0.2.1', '198.51.100.2', '203.0.113.3']],
    ['2001:db8::1, 2001:db8:0:0:0:0:0:2', ['2001:db8::1', '2001:db8:0:0:0:0:0:2']],
    ['192.0.2.1:4711', ['192.0.2.1']],
    ['[2001:db8::1]:4711, [2001:db8::2]', ['2001:db8::1', '2001:db8::2']],
  ])('lists addresses, nearest last, without ports or brackets: %s', (value, addresses) => {
    expect(forwardedAddresses('x-forwarded-for', value)).toEqual(addresses)
  })

  test.each([
    ['192.0.2.1, unknown, 198.51.100.2', ['192.0.2.1', 'unknown', '198.51.100.2']],
    ['192.0.2.1,,198.51.100.2', ['192.0.2.1', '', '198.51.100.2']],
    ['192.0.2.1,', ['192.0.2.1', '']],
    ['', ['']],
  ])('keeps the place of an entry that shows no address: %j', (value, entries) => {
    expect(forwardedAddresses('x-forwarded-for', value)).toEqual(entries)
  })

  test.each(['192.0.2.1:', '192.0.2.1:port', '[2001:db8::1', '2001:db8::1]:80', '[2001:db8::1]x', '"192.0.2.1"'])(
    'does not change an entry that is not an address with a port: %s',
    (value) => expect(forwardedAddresses('x-forwarded-for', value)).toEqual([value]),
  )

  test('is not parsed like Forwarded', () => {
    expect(forwardedAddresses('x-forwarded-for', 'for=192.0.2.1')).toEqual(['for=192.0.2.1'])
  })
})

describe('Forwarded', () => {
  test.each([
    ['for=192.0.2.1', ['192.0.2.1']],
    ['For="[2001:db8:cafe::17]:4711"', ['2001:db8:cafe::17']],
    ['for="[2001:db8:cafe::17]"', ['2001:db8:cafe::17']],
    ['for="192.0.2.1:4711"', ['192.0.2.1']],
    ['for=192.0.2.60;proto=http;by=203.0.113.43', ['192.0.2.60']],
    ['proto=https ; by=203.0.113.43 ; for=192.0.2.60', ['192.0.2.60']],
    ['for=192.0.2.43, for=198.51.100.17', ['192.0.2.43', '198.51.100.17']],
    ['for=192.0.2.43,for="[2001:db8:cafe::17]",FOR=unknown', ['192.0.2.43', '2001:db8:cafe::17', 'unknown']],
  ])('is read as RFC 7239 writes it: %s', (value, addresses) => {
    expect(forwardedAddresses('forwarded', value)).toEqual(addresses)
  })

  test.each([
    ['for=192.0.2.1, for=_hidden, for=198.51.100.2', ['192.0.2.1', '_hidden', '198.51.100.2']],
    ['for=192.0.2.1, for="_SEVKISEK:4711"', ['192.0.2.1', '_SEVKISEK:4711']],
    ['for=192.0.2.1, proto=https, for=198.51.100.2', ['192.0.2.1', '', '198.51.100.2']],
  ])('keeps the place of an element that shows no address: %j', (value, entries) => {
    expect(forwardedAddresses('forwarded', value)).toEqual(entries)
  })

  test.each([
    ['for=203.0.113.9;host="a,for=192.30.252.1;b"', ['203.0.113.9']],
    ['host="a;for=192.30.252.1;b";for=203.0.113.9', ['203.0.113.9']],
    ['for=203.0.113.9;host="a\\",for=192.30.252.1"', ['203.0.113.9']],
    ['for="\\[2001:db8::1\\]:80"', ['2001:db8::1']],
  ])('does not look for parameters between quotes, where a sender can write: %s', (value, entries) => {
    expect(forwardedAddresses('forwarded', value)).toEqual(entries)
  })

  test.each([
    '',
    '192.0.2.1',
    'for',
    'for=',
    'for=192.0.2.1,',
    'for=192.0.2.1, for=',
    'for=192.0.2.1;;proto=http',
    'for=192.30.252.1;x=", for=203.0.113.9;host="h"',
    'for=192.30.252.1;x="\\", for="[2001:db8::9]"',
    'for=192.30.252.1, for="',
  ])('has no address after a syntax error, so that an open quote cannot hide the entry of a proxy: %s', (value) => {
    expect(forwardedAddresses('forwarded', value)).toEqual([''])
  })

  test('uses no other parameter as the address', () => {
    expect(forwardedAddresses('forwarded', 'by=192.0.2.1;host=192.0.2.2;xfor=192.0.2.3')).toEqual([''])
  })
})
