import { describe, expect, test } from 'vitest'
import { toNewDelivery } from '../../src/inbox/new-delivery.ts'
import { signedRequest } from '../../src/testing/index.ts'
import { bytesOf, factsOf } from './fixtures.ts'

const arrival = { body: bytesOf('{}'), form: 'json', algorithm: 'sha256', address: '192.0.2.1' } as const

describe('what is stored of a delivery', () => {
  test('is all that is known of it', () => {
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

  test('has an empty hook id where GitHub gives none', () => {
    expect(toNewDelivery({ facts: factsOf(), ...arrival }).hookId).toBe('')
  })

  test('has no value that proves who sent it, but says that there was one', () => {
    const { headers } = signedRequest('ping', {
      secret: 'a secret',
      headers: { authorization: 'Basic c2VjcmV0', 'proxy-authorization': 'Basic c2VjcmV0', cookie: 'session=1' },
    })
    const kept = toNewDelivery({ facts: factsOf({ headers }), ...arrival }).headers
    const hidden = ['x-hub-signature', 'x-hub-signature-256', 'authorization', 'proxy-authorization', 'cookie']
    for (const name of hidden) {
      expect(JSON.stringify(kept)).not.toContain(headers[name])
      expect(kept[name]).toBe('[not kept]')
    }
    for (const name of Object.keys(headers).filter((one) => !hidden.includes(one)))
      expect(kept[name]).toBe(headers[name])
  })

  test('names no header that did not come, and leaves the request’s own as they are', () => {
    const headers = { 'x-hub-signature-256': 'sha256=00' }
    expect(Object.keys(toNewDelivery({ facts: factsOf({ headers }), ...arrival }).headers)).toEqual([
      'x-hub-signature-256',
    ])
    expect(headers['x-hub-signature-256']).toBe('sha256=00')
  })
})
