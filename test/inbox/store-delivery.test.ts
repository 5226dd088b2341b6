import { describe, expect, test, vi } from 'vitest'
import type { NewDelivery, Store, StoreResult } from '../../src/inbox/inbox.ts'
import { StoreHealth, storeDelivery, toNewDelivery } from '../../src/inbox/store-delivery.ts'
import { Deadline } from '../../src/runtime/deadline.ts'
import { signedRequest } from '../../src/testing/index.ts'
import { pass, rejectionOf, stopTheClock } from '../receiver/fixtures.ts'
import { bytesOf, factsOf } from './fixtures.ts'

stopTheClock('performance', 'setTimeout', 'clearTimeout')

const delivery: NewDelivery = toNewDelivery({
  delivery: factsOf(),
  body: bytesOf('{}'),
  form: 'json',
  algorithm: undefined,
  address: undefined,
})
const storeWith = (store: () => Promise<StoreResult>, health = new StoreHealth(), release = () => {}) =>
  storeDelivery({ store } as unknown as Store, delivery, {
    deadline: new Deadline(9000),
    health,
    memory: { release },
  })

describe('storing a delivery', () => {
  test('passes it to the inbox and returns the result', async () => {
    const receipt = { id: 1, outcome: 'stored', conflict: false } as const
    const store = vi.fn(async () => receipt)
    expect(await storeWith(store)).toBe(receipt)
    expect(store).toHaveBeenCalledExactlyOnceWith(delivery)
  })

  test('that fails throws inbox_unavailable with the cause', async () => {
    const cause = new Error('The disk is full')
    const failures = [
      () => Promise.reject(cause),
      () => {
        throw cause
      },
    ]
    for (const store of failures) {
      const rejection = await rejectionOf(() => storeWith(store))
      expect(rejection).toMatchObject({ code: 'inbox_unavailable', status: 503, cause })
      expect(rejection.headers['retry-after']).toMatch(/^\d+$/)
      expect(rejection.message).not.toContain('disk')
    }
  })

  test('that takes too long throws inbox_unavailable, and may fail afterwards', async () => {
    const { promise, reject } = Promise.withResolvers<StoreResult>()
    const rejection = rejectionOf(() => storeWith(() => promise))
    pass(9000)
    expect(await rejection).toMatchObject({
      code: 'inbox_unavailable',
      cause: { message: expect.stringContaining('in time') },
    })
    reject(new Error('in the end'))
  })

  test('releases the memory of the body when the store has settled, even if that is after the deadline', async () => {
    const receipt = { id: 1, outcome: 'stored', conflict: false } as const
    const release = vi.fn()
    await storeWith(async () => receipt, undefined, release)
    expect(release).toHaveBeenCalledTimes(1)

    const { promise, resolve } = Promise.withResolvers<StoreResult>()
    const rejection = rejectionOf(() => storeWith(() => promise, undefined, release))
    pass(9000)
    await rejection
    expect(release).toHaveBeenCalledTimes(1)
    resolve(receipt)
    await promise
    expect(release).toHaveBeenCalledTimes(2)

    const fail = () => {
      throw new Error('The disk is full')
    }
    await rejectionOf(() => storeWith(fail, undefined, release))
    expect(release).toHaveBeenCalledTimes(3)
  })
})

describe('the health of the store', () => {
  const cause = new Error('The disk is full')
  const fails = (health: StoreHealth) => rejectionOf(() => storeWith(() => Promise.reject(cause), health))
  const succeeds = (health: StoreHealth) =>
    storeWith(async () => ({ id: 1, outcome: 'stored', conflict: false }), health)

  test('is good before the first delivery, and while deliveries are stored', async () => {
    const health = new StoreHealth()
    expect(() => health.check()).not.toThrow()
    await succeeds(health)
    expect(() => health.check()).not.toThrow()
  })

  test('is bad after a failure, until a delivery is stored', async () => {
    const health = new StoreHealth()
    await fails(health)
    expect(await rejectionOf(async () => health.check())).toMatchObject({ code: 'inbox_unavailable', cause })
    await succeeds(health)
    expect(() => health.check()).not.toThrow()
  })

  test('is good again 15 s after the last failure, if no delivery was received since', async () => {
    const health = new StoreHealth()
    await fails(health)
    pass(10_000)
    await fails(health)
    pass(14_999)
    expect(() => health.check()).toThrow()
    pass(1)
    expect(() => health.check()).not.toThrow()
  })
})

const arrival = { body: bytesOf('{}'), form: 'json', algorithm: 'sha256', address: '192.0.2.1' } as const

describe('a new delivery', () => {
  test('has all data of the request', () => {
    const headers = { 'x-github-hook-id': '42', 'x-github-event': 'push' }
    const receivedAt = new Date(1_700_000_000_000)
    const delivery = factsOf({ guid: 'g', event: 'push', headers, receivedAt, secretId: 'one', secretIndex: 2 })
    expect(toNewDelivery({ delivery, ...arrival })).toEqual({
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
    expect(toNewDelivery({ delivery: factsOf(), ...arrival }).hookId).toBe('')
  })

  test('hides the values of headers that authenticate the sender or the platform', () => {
    const names = ['authorization', 'proxy-authorization', 'cookie', 'x-vercel-oidc-token', 'cf-access-jwt-assertion']
    const others = ['x-amzn-oidc-data', 'x-request-id', 'x-token-type', 'x-github-hook-id']
    const { headers } = signedRequest('ping', {
      secret: 'a secret',
      headers: Object.fromEntries([...names, ...others].map((name) => [name, `value of ${name}`])),
    })
    const stored = toNewDelivery({ delivery: factsOf({ headers }), ...arrival }).headers
    const hidden = ['x-hub-signature', 'x-hub-signature-256', 'x-amzn-oidc-data', ...names]
    for (const name of hidden) {
      expect(JSON.stringify(stored)).not.toContain(headers[name])
      expect(stored[name]).toBe('[not kept]')
    }
    for (const name of Object.keys(headers).filter((one) => !hidden.includes(one)))
      expect(stored[name]).toBe(headers[name])
  })

  test('adds no header, and does not change those of the request', () => {
    const headers = { 'x-hub-signature-256': 'sha256=00' }
    expect(Object.keys(toNewDelivery({ delivery: factsOf({ headers }), ...arrival }).headers)).toEqual([
      'x-hub-signature-256',
    ])
    expect(headers['x-hub-signature-256']).toBe('sha256=00')
  })
})
