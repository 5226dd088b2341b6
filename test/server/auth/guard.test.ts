import { describe, expect, test } from 'vitest'
import {
  type Admin,
  fromPage,
  logIn,
  noToken,
  openAdmin,
  readOnlyToken,
  shown,
  token,
  withCookie,
} from '../administered.ts'

describe('the token', () => {
  test.each([
    '/api',
    '/api/v1/deliveries',
    '/api/v1/openapi.json',
    '/api/v1/nothing',
    '/nothing',
    '/metrics/',
    '//metrics',
  ])('is needed for %s', async (path) => {
    const admin = await openAdmin()
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await admin.ask(path, { method, headers: noToken })
      expect([status, headers['www-authenticate']], method).toEqual([401, 'Bearer'])
    }
  })

  test.each(['/healthz', '/readyz', '/metrics', '/', '/theme.js'])('is not needed for %s', async (path) => {
    const admin = await openAdmin()
    expect((await admin.ask(path, { headers: noToken })).status).toBe(200)
    expect((await admin.ask(path, { method: 'POST', headers: noToken })).status).toBe(401)
  })

  test.each([
    `Bearer ${token}x`,
    `Bearer ${token.toUpperCase()}`,
    'Bearer ',
    'Bearer',
    token,
    `Basic ${Buffer.from(`:${token}`).toString('base64')}`,
    `Bearer ${token} ${token}`,
  ])('is not "%s"', async (authorization) => {
    const admin = await openAdmin()
    expect((await admin.ask(shown, { headers: { authorization } })).status).toBe(401)
  })

  test('is not read from the URL', async () => {
    const admin = await openAdmin()
    expect((await admin.ask(`${shown}?token=${token}`, { headers: noToken })).status).toBe(401)
  })
})

describe('the Host', () => {
  test.each([
    ['localhost', true],
    ['LocalHost:8001', true],
    ['127.0.0.1:8001', true],
    ['127.1.2.3', true],
    ['[::1]:8001', true],
    ['[::1]', true],
    ['evil.example', false],
    ['evil.example:8001', false],
    ['localhost.evil.example', false],
    ['127.0.0.1.evil.example', false],
    ['127.0.0.1.nip.io:8001', false],
    ['192.0.2.1:8001', false],
    ['[2001:db8::1]:8001', false],
  ])('may be %s: %s', async (host, ours) => {
    const admin = await openAdmin()
    const { status, json } = await admin.ask(shown, { headers: { host } })
    expect([status, json.code]).toEqual(ours ? [200, undefined] : [403, 'forbidden_host'])
  })

  test.each([
    'evil@localhost',
    'localhost/',
    'localhost#',
    'localhost?',
    '::1',
    'localhost\\',
    'localhost, evil.example',
  ])('is never "%s"', async (host) => {
    const admin = await openAdmin()
    expect([400, 403]).toContain((await admin.ask(shown, { headers: { host } })).status)
  })

  test.each([
    ['fd00::1', '[fd00::1]:8001', true],
    ['fd00:0::1', '[FD00::1]', true],
    ['fd00::1', '[fd00::2]', false],
    ['192.0.2.1', '192.0.2.1:8001', true],
    ['Admin.internal', 'admin.INTERNAL:8001', true],
    ['0.0.0.0', '0.0.0.0:8001', false],
    ['::', '[::]:8001', false],
    ['0.0.0.0', 'localhost:8001', true],
  ])('with --admin-host %s may be %s: %s', async (adminHost, host, ours) => {
    const admin = await openAdmin({ adminHost })
    expect((await admin.ask(shown, { headers: { host } })).status).toBe(ours ? 200 : 403)
  })

  test.each([
    ['https://hooks.example', 'hooks.example', true],
    ['https://hooks.example', 'HOOKS.example', true],
    ['https://hooks.example:443', 'hooks.example', true],
    ['https://hooks.example:8443', 'hooks.example:8443', true],
    ['https://hooks.example:8443', 'hooks.example', true], // as nginx sends it with $host
    ['https://hooks.example:8443', 'hooks.example:443', true], // behind a port that is forwarded
    ['https://hooks.example', 'hooks.example:443', true],
    ['https://hooks.example', 'hooks.example.evil.example', false],
    ['https://hooks.example:8443', 'evil.example:8443', false],
    ['https://hooks.example', 'localhost', true],
  ])('with --admin-url %s may be %s: %s', async (adminUrl, host, ours) => {
    const admin = await openAdmin({ adminUrl })
    expect((await admin.ask(shown, { headers: { host } })).status).toBe(ours ? 200 : 403)
  })

  test('that is wrong gets an answer with the right ones', async () => {
    const detailWith = async (options: Parameters<typeof openAdmin>[0]) =>
      (await (await openAdmin(options)).ask(shown, { headers: { host: 'evil.example' } })).json.detail
    expect(await detailWith({})).toBe(
      'Unknown Host: use localhost or the address of --admin-host, or start the server with --admin-url',
    )
    expect(await detailWith({ adminUrl: 'https://hooks.example:8443' })).toBe(
      'Unknown Host: use hooks.example of --admin-url, localhost or the address of --admin-host',
    )
  })

  test.each(['/metrics', '/readyz', '/healthz'])(
    'may be any name for %s, because probes use the name of a service',
    async (path) => {
      const admin = await openAdmin()
      for (const host of [
        '10.1.2.3:8001',
        '[fd00::7]:8001',
        'localhost',
        'hooks.monitoring.svc:8001',
        'hooks_worker-1',
      ])
        expect((await admin.ask(path, { headers: { host, ...noToken } })).status, host).toBe(200)
    },
  )
})

describe('a page of another site', () => {
  test.each([
    ['http://evil.example', 'cross-site'],
    ['http://evil.example', undefined],
    ['http://localhost:3000', 'same-site'],
    ['http://localhost:3000', undefined],
    ['https://localhost:8001', undefined],
    ['null', 'cross-site'],
    ['null', undefined],
    ['', undefined],
    [undefined, 'cross-site'],
    [undefined, 'same-site'],
    ['http://localhost:8001', 'cross-site'],
  ])('cannot read or change anything: Origin %s, Sec-Fetch-Site %s', async (origin, site) => {
    const admin = await openAdmin()
    const cookie = await withCookie(admin)
    for (const credentials of [{}, { cookie, ...noToken }]) {
      const headers = { host: 'localhost:8001', origin, 'sec-fetch-site': site, ...credentials }
      for (const [method, path] of [
        ['GET', shown],
        ['POST', '/api/v1/handlers/pause'],
        ['POST', '/api/v1/session'],
        ['OPTIONS', '/api/v1/handlers/pause'],
        ['GET', '/metrics'],
      ] as const) {
        const { status, headers: answered } = await admin.ask(path, { method, headers })
        expect([status, path]).toEqual([403, path])
        expect(Object.keys(answered).filter((name) => name.startsWith('access-control'))).toEqual([])
      }
    }
    expect((await admin.inbox.overview()).paused).toEqual([])
  })

  test.each(['http://hooks.example', 'https://hooks.example', 'http://hooks.example:8443'])(
    'may have the name of --admin-url, but another scheme or port: %s',
    async (origin) => {
      const admin = await openAdmin({ adminUrl: 'https://hooks.example:8443' })
      for (const host of ['hooks.example', 'hooks.example:8443']) {
        expect((await admin.ask(shown, { headers: { host, origin } })).json.code).toBe('forbidden_page')
      }
    },
  )

  test('gets no cookie for its guesses, and they do not count as wrong tokens', async () => {
    const admin = await openAdmin()
    for (let index = 0; index < 20; index++) {
      const headers = fromPage(admin.host, 'http://evil.example', 'cross-site')
      expect((await logIn(admin, headers, `guess ${index}`)).status).toBe(403)
    }
    expect((await logIn(admin, {}, 'guess')).status).toBe(401)
  })
})

describe('a client that tries wrong tokens', () => {
  interface From {
    from?: string
    headers?: Record<string, string>
  }

  const ask = (admin: Admin, given: string, { from, headers }: From = {}) =>
    admin.ask(shown, { headers: { ...headers, authorization: `Bearer ${given}` }, ...(from && { from }) })

  async function guess(admin: Admin, as: From = {}): Promise<void> {
    for (let index = 0; index < 10; index++) expect((await ask(admin, `guess-${index}`, as)).status).toBe(401)
  }

  test('is answered 429 after ten wrong tokens, by the API and by the login', async () => {
    const admin = await openAdmin()
    await guess(admin)
    for (const { status, headers, json } of [await ask(admin, 'guess-10'), await logIn(admin, {}, 'guess-10')]) {
      expect([status, json.code]).toEqual([429, 'too_many_tries'])
      expect(Number(headers['retry-after'])).toSatisfy((seconds: number) => seconds >= 1 && seconds <= 60)
    }
  })

  test('does not lock out valid tokens and sessions from the same address', async () => {
    const admin = await openAdmin()
    const cookie = await withCookie(admin)
    await guess(admin)
    expect((await ask(admin, 'guess-10')).status).toBe(429)
    for (const right of [token, readOnlyToken]) {
      expect((await ask(admin, right)).status).toBe(200)
      expect((await logIn(admin, {}, right)).status).toBe(204)
    }
    expect((await admin.ask(shown, { headers: { cookie, ...noToken } })).status).toBe(200)
    expect((await admin.ask('/metrics', { headers: noToken })).status).toBe(200)
    expect((await ask(admin, 'guess-10')).status).toBe(429)
  })

  test('may repeat the same wrong token', async () => {
    const admin = await openAdmin()
    for (let index = 0; index < 20; index++) expect((await ask(admin, 'out-of-date')).status).toBe(401)
  })

  test('is identified by the address of its connection', async () => {
    const admin = await openAdmin()
    await guess(admin)
    const elsewhere = await ask(admin, 'guess-10', { from: '127.0.0.2' })
    expect(elsewhere.status).toBe(process.platform === 'linux' ? 401 : 429)
  })

  test('cannot choose its address if no proxy is trusted', async () => {
    const admin = await openAdmin()
    await guess(admin)
    expect((await ask(admin, 'guess-10', { headers: { 'x-forwarded-for': '192.0.2.9' } })).status).toBe(429)
  })

  test.each(['x-forwarded-for', 'forwarded'] as const)('is identified by the %s of a trusted proxy', async (header) => {
    const admin = await openAdmin({ proxies: { trustProxy: ['loopback'], forwardedHeader: header } })
    const as = (address: string) => ({ headers: { [header]: header === 'forwarded' ? `for=${address}` : address } })
    await guess(admin, as('192.0.2.1'))
    expect((await ask(admin, 'guess-10', as('192.0.2.1'))).status).toBe(429)
    expect((await ask(admin, 'guess-10', as('192.0.2.2'))).status).toBe(401)
    expect((await ask(admin, 'guess-11')).status).toBe(401)
  })

  test('is logged with the address that a trusted proxy reports', async () => {
    const admin = await openAdmin({ proxies: { trustProxy: ['loopback'], forwardedHeader: 'x-forwarded-for' } })
    const headers = { 'x-forwarded-for': '192.0.2.1' }
    expect((await admin.ask('/api/v1/handlers/pause', { method: 'POST', headers, body: { all: true } })).status).toBe(
      200,
    )
    expect(admin.recorder.lines).toMatchObject([{ fields: { act: 'pause', address: '192.0.2.1' } }])
  })
})
