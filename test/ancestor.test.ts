/** The behavior that the tests of Flask-Hookserver 1.1.0 require: one `describe` for each of its test files. */
import { describe, expect, test } from 'vitest'
import { hookserver } from '../src/adapters/web.ts'
import { Hooks, type HooksOptions, sign, verify } from '../src/index.ts'
import { fetchMeta } from '../src/receiver/github-meta.ts'
import { AddressSet, parseCidr } from '../src/runtime/cidr.ts'
import { inject, LocalGitHub, type LocalGitHubOptions } from '../src/testing/index.ts'

const key = 'Some key'
const signature = 'sha1=e1590250fd7dd7882185062d1ade5bef8cb4319c'
const given = { 'x-github-event': 'ping', 'x-github-delivery': 'abc' }

/** An application behind a proxy that reports the client's address. */
function application(
  options: HooksOptions,
): (path: string, headers?: Record<string, string>, body?: string) => Promise<Response> {
  const hooks = new Hooks({ ranges: ['192.30.252.0/22'], logger: false, ...options })
  const handle = hookserver(hooks, { clientAddress: (request) => request.headers.get('x-forwarded-for') })
  return (path, headers = {}, body = '{}') => {
    const all = { 'content-type': 'application/json', ...headers }
    return handle(new Request(`http://localhost${path}`, { method: 'POST', headers: all, body }))
  }
}

async function expectAnswer(answer: Promise<Response>, status: number, text = ''): Promise<void> {
  const reply = await answer
  expect(reply.status).toBe(status)
  expect(await reply.text()).toContain(text)
}

describe('checks', () => {
  test.each([
    ['IPv4', '192.30.252.1', ['192.30.251.255', '192.31.0.1']],
    ['IPv4 mapped into IPv6', '::ffff:c01e:fc01', ['::ffff:c01e:fbff', '::ffff:c01f:1']],
  ])('the address, %s', async (_kind, right, wrong) => {
    const post = application({ validateSignature: false })
    await expectAnswer(post('/', { 'x-forwarded-for': right }), 404)
    await expectAnswer(post('/hooks', { 'x-forwarded-for': right }), 400)
    for (const address of wrong) {
      await expectAnswer(post('/hooks', { 'x-forwarded-for': address }), 403, 'Requests must originate from GitHub')
    }
  })

  test('no address if validateIp is false', async () => {
    const post = application({ validateSignature: false, validateIp: false })
    for (const address of ['192.30.251.255', '::ffff:c01e:fbff']) {
      await expectAnswer(post('/hooks', { ...given, 'x-forwarded-for': address }), 200)
    }
  })

  test('the signature', async () => {
    const post = application({ secret: key, validateIp: false })
    await expectAnswer(post('/hooks'), 400, 'Missing signature')
    await expectAnswer(post('/hooks', { 'x-hub-signature': signature }), 400, 'Missing header')
    await expectAnswer(post('/hooks', { 'x-hub-signature': 'sha1=abc' }), 400, 'Wrong signature')
  })

  test('no signature if validateSignature is false', async () => {
    const post = application({ validateSignature: false, validateIp: false })
    await expectAnswer(post('/hooks', { ...given, 'x-hub-signature': 'sha1=abc' }), 200)
  })

  test('the address and the signature', async () => {
    const post = application({ secret: new TextEncoder().encode(key) })
    await expectAnswer(
      post('/hooks', { ...given, 'x-forwarded-for': '::ffff:c01e:fc01', 'x-hub-signature': signature }),
      200,
    )
  })

  test('only deliveries to the option url', async () => {
    const post = application({ path: '/some_url', validateIp: false, validateSignature: false })
    await expectAnswer(post('/some_url', given), 200)
    await expectAnswer(post('/hooks', given), 404)
  })

  test('the headers and the payload', async () => {
    const post = application({ validateIp: false, validateSignature: false })
    await expectAnswer(post('/hooks', { 'x-github-delivery': 'abc' }), 400, 'Missing header: X-GitHub-Event')
    await expectAnswer(post('/hooks', { 'x-github-event': 'ping' }), 400, 'Missing header: X-GitHub-Delivery')
    const empty = await post('/hooks', given, '')
    expect(empty.status).toBe(400)
    expect(await empty.text()).not.toContain('Missing')
  })
})

describe('hooks', () => {
  const off = { validateIp: false, validateSignature: false }
  const post = (hooks: Hooks, event: string, guid = 'abc') => {
    const headers = { 'content-type': 'application/json', 'x-github-event': event, 'x-github-delivery': guid }
    return inject(hooks, { headers, body: '{}' })
  }

  test('are not used without a handler', () => expectAnswer(post(new Hooks(off), 'ping'), 200, 'Hook not used'))

  test('reply with their return value', async () => {
    const hooks = new Hooks(off)
    hooks.hook('ping')(() => 'pong')
    await expectAnswer(post(hooks, 'ping'), 200, 'pong')
  })

  test('get the GUID', async () => {
    const hooks = new Hooks(off)
    hooks.hook('push')((_data, guid) => `GUID: ${guid}`)
    await expectAnswer(post(hooks, 'push', 'abcdef'), 200, 'GUID: abcdef')
  })

  test('are limited to one for each name', () => {
    const hooks = new Hooks(off)
    hooks.hook('ping')(() => 'pong')
    expect(() => hooks.hook('ping')(() => 'another pong')).toThrow('ping hook already registered')
  })
})

describe('GitHub', () => {
  const withGitHub = async (options: LocalGitHubOptions, work: (github: LocalGitHub) => Promise<void>) => {
    const github = await LocalGitHub.start(options)
    await work(github).finally(() => github.close())
  }
  const fetched = ({ url }: LocalGitHub) => fetchMeta({ apiUrl: url, token: undefined }, undefined)

  test('is reported if it cannot be reached', async () => {
    const github = await LocalGitHub.start()
    const apiUrl = github.url
    await github.close()
    await expect(fetchMeta({ apiUrl, token: undefined }, undefined)).rejects.toThrow('Error reaching GitHub')
  })

  test('returns its ranges', () =>
    withGitHub({ hooks: ['192.30.252.0/22'] }, async (github) => {
      expect((await fetched(github)).cidrs).toEqual(['192.30.252.0/22'])
    }))

  test('is reported as unreachable if its answer has no list', () =>
    withGitHub({}, async (github) => {
      github.fail({ status: 200, body: {} })
      await expect(fetched(github)).rejects.toThrow('Error reaching GitHub')
    }))

  test.each([
    [{}, 'Error reaching GitHub'],
    [{ 'x-ratelimit-remaining': '0' }, 'Error reaching GitHub'],
    [{ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': 'abc' }, 'Error reaching GitHub'],
    [
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1445929478' },
      'Rate limited from GitHub until Tue, 27 Oct 2015 07:04:38 GMT',
    ],
  ])('is reported if it answers 403 with %j', (headers, text) =>
    withGitHub({}, async (github) => {
      github.fail({ status: 403, headers, body: { hooks: ['192.30.252.0/22'] } })
      await expect(fetched(github)).rejects.toThrow(text)
    }),
  )
})

describe('utilities', () => {
  test('the list of ranges is cached, and not fetched for each request', async () => {
    const github = await LocalGitHub.start({ hooks: ['192.0.2.0/24'] })
    const hooks = new Hooks({
      validateSignature: false,
      apiUrl: github.url,
      clientAddress: () => '192.0.2.1',
      logger: false,
    })
    const handle = hookserver(hooks)
    const headers = { 'content-type': 'application/json', ...given }
    for (let i = 0; i < 3; i++) {
      expect(
        (await handle(new Request('http://localhost/hooks', { method: 'POST', headers, body: '{}' }))).status,
      ).toBe(200)
    }
    expect(github.requests).toHaveLength(1)
    await github.close()
  })

  test.each([
    ['192.30.252.1', true],
    ['::ffff:c01e:fc01', true],
    ['192.30.251.255', false],
    ['192.31.0.1', false],
    ['::ffff:c01e:fbff', false],
    ['::ffff:c01f:1', false],
  ])('%s belongs to GitHub: %s', (address, expected) => {
    expect(new AddressSet([parseCidr('192.30.252.0/22') as never]).has(address)).toBe(expected)
  })

  test.each([
    ['', 'sha1=82821338dd780c9d304011785fc164410a29363e'],
    ['hi', 'sha1=5e6d699dd7c8ca40c90d0daa910c5caddef89421'],
  ])('right signature of %j, with the key as text and as bytes', async (body, expected) => {
    for (const secret of [key, new TextEncoder().encode(key)]) {
      expect(await sign(secret, body, 'sha1')).toBe(expected)
      expect(await verify(secret, body, expected)).toBe(true)
    }
  })

  test.each([
    ['', ''],
    ['', 'sha1='],
    ['123', 'sha1='],
    ['abc', 'sha1=2346*%#!huteab'],
    ['do-re-mi', 'sha1=baby you and me'],
  ])('wrong signature of %j: %j', async (body, wrong) => {
    expect(await verify(key, body, wrong)).toBe(false)
  })
})
