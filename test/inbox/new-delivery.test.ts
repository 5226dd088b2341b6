import { describe, expect, test } from 'vitest'
import { toNewDelivery } from '../../src/inbox/new-delivery.ts'
import { signedRequest } from '../../src/testing/index.ts'
import { bytesOf, factsOf } from './fixtures.ts'

const arrival = { body: bytesOf('{}'), form: 'json', algorithm: 'sha256', address: '192.0.2.1' } as const

describe('a new delivery', () => {
  test('has all data of the request', () => {
    const headers = { 'x-github-hook-id': '42', 'x-github-event': 'push' }
    const receivedAt = new Date(1_700_000_000_000)
    const facts = factsOf({ guid: 'g', event: 'push', headers, receivedAt, secretId: 'one', secretIndex: 2 })
    expect(toNewDelivery({ facts, ...arrival })).toEqual({
      source: '/hooks',
      hookId: '42',
      guid: 'g',
      event: 'push',
      headers,
      ...arrival,
      receivedAt: 1_700_000_000_000,
      secretId: 'one',
      secretIndex: 2,
    })
  })

  test('has an empty hook id if the header is missing', () => {
    expect(toNewDelivery({ facts: factsOf(), ...arrival }).hookId).toBe('')
  })

  test('hides the values of headers that authenticate the sender', () => {
    const { headers } = signedRequest('ping', {
      secret: 'a secret',
      headers: { authorization: 'Basic c2VjcmV0', 'proxy-authorization': 'Basic c2VjcmV0', cookie: 'session=1' },
    })
    const stored = toNewDelivery({ facts: factsOf({ headers }), ...arrival }).headers
    const hidden = ['x-hub-signature', 'x-hub-signature-256', 'authorization', 'proxy-authorization', 'cookie']
    for (const name of hidden) {
      expect(JSON.stringify(stored)).not.toContain(headers[name])
      expect(stored[name]).toBe('[not kept]')
    }
    for (const name of Object.keys(headers).filter((one) => !hidden.includes(one)))
      expect(stored[name]).toBe(headers[name])
  })

  test('adds no header, and does not change those of the request', () => {
    const headers = { 'x-hub-signature-256': 'sha256=00' }
    expect(Object.keys(toNewDelivery({ facts: factsOf({ headers }), ...arrival }).headers)).toEqual([
      'x-hub-signature-256',
    ])
    expect(headers['x-hub-signature-256']).toBe('sha256=00')
  })
})
