import { describe, expect, test } from 'vitest'
import { forwardedAddresses } from '../../src/receiver/client-address.ts'

describe('X-Forwarded-For', () => {
  test.each([
    ['192.0.2.1', ['192.0.2.1']],
    ['192.0.2.1, 198.51.100.2,203.0.113.3', ['192.0.2.1', '198.51.100.2', '203.0.113.3']],
    ['2001:db8::1, 2001:db8:0:0:0:0:0:2', ['2001:db8::1', '2001:db8:0:0:0:0:0:2']],
    ['192.0.2.1:4711', ['192.0.2.1']],
    ['[2001:db8::1]:4711, [2001:db8::2]', ['2001:db8::1', '2001:db8::2']],
  ])('lists addresses, nearest last, without ports and brackets: %s', (value, addresses) => {
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
    'leaves alone what is no address with a port: %s',
    (value) => expect(forwardedAddresses('x-forwarded-for', value)).toEqual([value]),
  )

  test('is not read as Forwarded is', () => {
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
  ])('shows no address where the grammar is broken, lest an open quote swallow what a proxy wrote: %s', (value) => {
    expect(forwardedAddresses('forwarded', value)).toEqual([''])
  })

  test('takes no other parameter for the address', () => {
    expect(forwardedAddresses('forwarded', 'by=192.0.2.1;host=192.0.2.2;xfor=192.0.2.3')).toEqual([''])
  })
})
