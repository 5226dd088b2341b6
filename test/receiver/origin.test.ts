import { describe, expect, test } from 'vitest'
import type { HookRequest } from '../../src/http.ts'
import { Hooks } from '../../src/index.ts'
import type { HooksOptions } from '../../src/options.ts'
import { GithubRanges } from '../../src/receiver/github-ranges.ts'
import { Origin } from '../../src/receiver/origin.ts'
import { inject, signedRequest } from '../../src/testing/index.ts'
import { Recorder } from '../recorder.ts'
import { hour, pass, rejectionOf, requestOf, settingsOf, stopTheClock, turnOfTheLoop } from './fixtures.ts'

stopTheClock('Date')

const inside = requestOf({ address: '192.0.2.1' })
const outside = requestOf({ address: '203.0.113.1' })
const unavailable = () => Promise.reject(new Error('no network'))
const listed = async () => ({ cidrs: ['192.0.2.0/24'], etag: undefined, tokenRejected: false })

function originOf(options: HooksOptions, source = listed) {
  const ranges = new GithubRanges(source, new Recorder())
  return { origin: new Origin(settingsOf(options), ranges) }
}

/** A request with a `waitUntil`, and the promises that `waitUntil` received. */
function awake(parts: Partial<HookRequest>) {
  const work: Promise<unknown>[] = []
  return { request: requestOf({ ...parts, waitUntil: (one) => void work.push(one) }), work }
}

describe('the check of the origin', () => {
  test('accepts a request from the ranges, at once if they are a list', () => {
    const { origin } = originOf({ ranges: ['192.0.2.0/24'] })
    expect(origin.check(inside)).toBeUndefined()
    expect(origin.warning(inside)).toBeUndefined()
  })

  test('waits for the first fetch of the list, and not for later ones', async () => {
    const { origin } = originOf({})
    const first = origin.check(inside)
    expect(first).toBeInstanceOf(Promise)
    await first
    expect(origin.check(inside)).toBeUndefined()
  })

  test('keeps the platform running during a refresh in the background', async () => {
    const { origin } = originOf({})
    await origin.check(inside)
    pass(hour)
    const { request, work } = awake({ address: '192.0.2.1' })
    expect(origin.check(request)).toBeUndefined()
    expect(work).toEqual([expect.any(Promise)])
    await work[0]
    expect(origin.check(request)).toBeUndefined()
    expect(work).toHaveLength(1)
  })

  test('rejects other addresses with the text of Flask-Hookserver', async () => {
    for (const { origin } of [originOf({ ranges: ['192.0.2.0/24'] }), originOf({})]) {
      const rejection = await rejectionOf(() => origin.check(outside))
      expect(rejection).toMatchObject({
        code: 'forbidden_origin',
        status: 403,
        cause: expect.stringContaining('203.0.113.1'),
      })
      expect(rejection.message).toBe('Requests must originate from GitHub')
    }
  })

  test('rejects an address that cannot be parsed, with forbidden_origin', async () => {
    const { origin } = originOf({ ranges: ['0.0.0.0/0', '::/0'] })
    for (const address of ['', 'unknown', '0300.0.2.1', 'fe80::1%', '\u0000']) {
      expect((await rejectionOf(() => origin.check(requestOf({ address })))).code).toBe('forbidden_origin')
    }
  })

  test('logs the option to add for a proxy with a local address, and does not send it', async () => {
    const { origin } = originOf({ ranges: ['192.0.2.0/24'] })
    for (const address of ['127.0.0.1', '10.1.2.3', 'fd00::1', 'unix']) {
      const rejection = await rejectionOf(() => origin.check(requestOf({ address })))
      expect(rejection.cause).toContain(`trustProxy: ['${address}']`)
      expect(JSON.stringify(rejection.problem())).not.toContain(address)
    }
  })

  test.each<[string, HooksOptions, RegExp]>([
    [
      'of another GitHub',
      { apiUrl: 'https://api.acme.ghe.com' },
      /^203\.0\.113\.1 is not an address of GitHub: if it is your GitHub's, set the option ranges to/,
    ],
    ['of github.com', {}, /^203\.0\.113\.1 is not an address of GitHub$/],
    [
      'of the option ranges',
      { apiUrl: 'https://api.acme.ghe.com', ranges: ['192.0.2.0/24'] },
      /^203\.0\.113\.1 is in none of the ranges$/,
    ],
  ])('logs the reason, and the option to set, if the list is that %s: %o', async (_, options, reason) => {
    const { cause } = await rejectionOf(() => originOf(options).origin.check(outside))
    expect(cause).toMatch(reason)
  })

  test('does not propose to trust a public address', async () => {
    const { origin } = originOf({ ranges: ['192.0.2.0/24'] })
    expect((await rejectionOf(() => origin.check(outside))).cause).not.toContain('trustProxy')
  })

  test('checks the client and not its proxy', async () => {
    const { origin } = originOf({ ranges: ['192.0.2.0/24'], trustProxy: 'loopback' })
    const from = (client: string) => requestOf({ address: '127.0.0.1', headers: { 'x-forwarded-for': client } })
    expect(origin.check(from('192.0.2.1'))).toBeUndefined()
    expect((await rejectionOf(() => origin.check(from('203.0.113.1')))).code).toBe('forbidden_origin')
  })

  test('replies with 500 if the platform provides no address, and logs the solution', async () => {
    const { origin } = originOf({ ranges: ['192.0.2.0/24'] })
    const rejection = await rejectionOf(() => origin.check(requestOf({})))
    expect(rejection).toMatchObject({ code: 'address_unknown', status: 500 })
    expect(rejection.cause).toMatch(/clientAddress.*validateIp/)
  })

  test.each([
    ['framework', 'the request of the framework has no "ip"'],
    ['cloudflare', 'no header CF-Connecting-IP'],
    ['deno', 'pass on the second argument that your function gets from Deno.serve'],
    ['bun', "is not Bun's server"],
  ] as const)(
    'logs the missing data for clientAddress: %s, and does not propose the option',
    async (clientAddress, missing) => {
      const { origin } = originOf({ ranges: ['192.0.2.0/24'], clientAddress })
      const { cause } = await rejectionOf(() => origin.check(requestOf({})))
      expect(cause).toContain(`clientAddress is '${clientAddress}', but`)
      expect(cause).toContain(missing)
      expect(cause).not.toContain('set the option')
    },
  )

  test('replies with 503 while there is no list', async () => {
    const { origin } = originOf({}, unavailable)
    const rejection = await rejectionOf(() => origin.check(inside))
    expect(rejection).toMatchObject({ code: 'ranges_unavailable', status: 503, message: 'Error reaching GitHub' })
    expect(rejection.headers['retry-after']).toBeDefined()
  })
})

describe('ready()', () => {
  test('resolves after the list has been fetched, once', async () => {
    let fetched = 0
    const { origin } = originOf({}, async () => {
      fetched++
      return listed()
    })
    await origin.ready()
    await origin.ready()
    expect(origin.check(inside)).toBeUndefined()
    expect(fetched).toBe(1)
  })

  test('rejects like a delivery while there is no list', async () => {
    const { origin } = originOf({}, unavailable)
    await expect(origin.ready()).rejects.toMatchObject({ code: 'ranges_unavailable' })
  })

  test.each([{ ranges: ['192.0.2.0/24'] }, { validateIp: 'warn' }, { validateIp: false }] as HooksOptions[])(
    'waits for nothing with %j',
    async (options) => {
      const { origin } = originOf(options, unavailable)
      expect(await origin.ready()).toBeUndefined()
    },
  )
})

describe('the list', () => {
  test('is reported if one is fetched, even with "warn"', async () => {
    for (const validateIp of [true, 'warn'] as const) {
      const { origin } = originOf({ validateIp })
      await origin.check(inside)
      await origin.warning(inside)
      expect(origin.ranges).toEqual({ count: 1, fetchedAt: Date.now(), failing: undefined })
    }
  })

  test.each([{ ranges: ['192.0.2.0/24'] }, { validateIp: false }] as HooksOptions[])(
    'is not fetched with %j',
    (options) => expect(originOf(options).origin.ranges).toBeUndefined(),
  )
})

describe('validateIp: "warn"', () => {
  test('accepts every request at once, and has no warning about a request from the ranges', async () => {
    const { origin } = originOf({ validateIp: 'warn' })
    const { request, work } = awake({ address: '192.0.2.1' })
    expect(origin.check(request)).toBeUndefined()
    expect(await origin.warning(request)).toBeUndefined()
    expect(work).toHaveLength(1) // the fetch
  })

  test.each([
    ['forbidden_origin', '203.0.113.1', listed],
    ['address_unknown', undefined, listed],
    ['ranges_unavailable', '192.0.2.1', unavailable],
  ])('has a warning about a request that validateIp: true would reject: %s', async (code, address, source) => {
    const { origin } = originOf({ validateIp: 'warn' }, source)
    const { request } = awake({ address })
    expect(origin.check(request)).toBeUndefined()
    expect(await origin.warning(request)).toMatchObject({ code })
  })

  test('needs no waitUntil', async () => {
    const { origin } = originOf({ validateIp: 'warn' })
    expect(origin.check(outside)).toBeUndefined()
    expect(await origin.warning(outside)).toMatchObject({ code: 'forbidden_origin' })
  })

  describe('in the log of a receiver', () => {
    const secret = 'a secret of the tests'
    const clientAddress = () => '203.0.113.1'
    const ranges = ['192.0.2.0/24']

    function warned() {
      const logger = new Recorder()
      const hooks = new Hooks({ secret, logger, ranges, clientAddress })
      const send = (name: string, signedWith: string) =>
        inject(hooks, signedRequest(name, { secret: signedWith, guid: 'g' }), { validateIp: 'warn' })
      return { logger, hooks, send }
    }

    test('is one line for an accepted delivery, even if its handler fails', async () => {
      const { logger, send } = warned()
      expect((await send('ping', secret)).status).toBe(200)
      await turnOfTheLoop()
      expect(logger.lines).toMatchObject([{ fields: { code: 'forbidden_origin', guid: 'g' } }])
      const failing = warned()
      failing.hooks.hook('fork', () => Promise.reject(new Error('failed')))
      expect((await failing.send('fork', secret)).status).toBe(500)
      await turnOfTheLoop()
      expect(failing.logger.messages).toEqual([
        'Handler hook:fork failed',
        expect.stringContaining('Accepted a delivery'),
      ])
    })

    test('is missing for a rejected delivery: its line has the reason for the rejection instead', async () => {
      const { logger, send } = warned()
      expect((await send('ping', 'wrong')).status).toBe(400)
      await turnOfTheLoop()
      expect(logger.lines).toMatchObject([{ fields: { code: 'wrong_signature', guid: 'g' } }])
    })
  })
})

describe('validateIp: false', () => {
  test('checks nothing', () => {
    let looks = 0
    const clientAddress = () => {
      looks++
      return undefined
    }
    const { origin } = originOf({ validateIp: false, clientAddress })
    const { request, work } = awake({ address: '203.0.113.1' })
    expect(origin.check(request)).toBeUndefined()
    expect(origin.warning(request)).toBeUndefined()
    expect([looks, work.length]).toEqual([0, 0])
  })
})
