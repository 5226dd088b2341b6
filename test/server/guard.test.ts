import { describe, expect, test } from 'vitest'
import { type Admin, type Answered, openAdmin, token } from './administered.ts'

/** Something that is shown only to whoever holds the token, and costs no look into the inbox. */
const shown = '/api/openapi.json'
const noToken = { authorization: undefined }

/** What a browser sends for a page of the origin, which asks for something at `host`. */
const fromPage = (host: string, origin: string, site = 'same-origin') => ({
  ...{ host, origin, 'sec-fetch-site': site, 'sec-fetch-mode': 'cors', ...noToken },
})

const logIn = (admin: Admin, headers: Record<string, string | undefined> = {}, given: unknown = token) =>
  admin.ask('/api/session', { method: 'POST', headers: { ...noToken, ...headers }, body: { token: given } })

const cookieOf = ({ headers }: Answered): string => headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''

async function withCookie(admin: Admin): Promise<string> {
  return cookieOf(await logIn(admin, fromPage(admin.host, `http://${admin.host}`)))
}

describe('the token', () => {
  test.each([
    '/',
    '/api',
    '/api/deliveries',
    '/api/openapi.json',
    '/api/nothing',
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

  test.each(['/healthz', '/readyz', '/metrics'])('is not needed for %s', async (path) => {
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

  test('is not taken from the address', async () => {
    const admin = await openAdmin()
    expect((await admin.ask(`${shown}?token=${token}`, { headers: noToken })).status).toBe(401)
  })
})

describe('the name it is asked under', () => {
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
  ])('may, where it listens on %s, be %s: %s', async (adminHost, host, ours) => {
    const admin = await openAdmin({ adminHost })
    expect((await admin.ask(shown, { headers: { host } })).status).toBe(ours ? 200 : 403)
  })

  test.each([
    ['https://hooks.example', 'hooks.example', true],
    ['https://hooks.example', 'HOOKS.example', true],
    ['https://hooks.example:443', 'hooks.example', true],
    ['https://hooks.example:8443', 'hooks.example:8443', true],
    ['https://hooks.example:8443', 'hooks.example', false],
    ['https://hooks.example', 'hooks.example:8001', false],
    ['https://hooks.example', 'localhost', true],
  ])('may, with --admin-url %s, be %s: %s', async (adminUrl, host, ours) => {
    const admin = await openAdmin({ adminUrl })
    expect((await admin.ask(shown, { headers: { host } })).status).toBe(ours ? 200 : 403)
  })

  test.each(['/metrics', '/readyz'])(
    'may be any address for %s, as probes have it, and no other name',
    async (path) => {
      const admin = await openAdmin()
      const ask = (host: string) => admin.ask(path, { headers: { host, ...noToken } })
      for (const host of ['10.1.2.3:8001', '[fd00::7]:8001', 'localhost']) expect((await ask(host)).status).toBe(200)
      expect((await ask('rebound.example:8001')).json.code).toBe('forbidden_host')
    },
  )

  test('may be any for /healthz, which tells nothing', async () => {
    const admin = await openAdmin()
    expect((await admin.ask('/healthz', { headers: { host: 'health.example', ...noToken } })).status).toBe(200)
  })
})

describe('another page', () => {
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
  ])('neither reads nor changes anything: Origin %s, Sec-Fetch-Site %s', async (origin, site) => {
    const admin = await openAdmin()
    const cookie = await withCookie(admin)
    for (const credentials of [{}, { cookie, ...noToken }]) {
      const headers = { host: 'localhost:8001', origin, 'sec-fetch-site': site, ...credentials }
      for (const [method, path] of [
        ['GET', shown],
        ['POST', '/api/pause'],
        ['POST', '/api/session'],
        ['OPTIONS', '/api/pause'],
        ['GET', '/metrics'],
      ] as const) {
        const { status, headers: answered } = await admin.ask(path, { method, headers })
        expect([status, path]).toEqual([403, path])
        expect(Object.keys(answered).filter((name) => name.startsWith('access-control'))).toEqual([])
      }
    }
    expect((await admin.inbox.tally()).paused).toEqual([])
  })

  test('gets no cookie for its guesses, and uses up nobody’s tries', async () => {
    const admin = await openAdmin()
    for (let index = 0; index < 20; index++) {
      const headers = fromPage(admin.host, 'http://evil.example', 'cross-site')
      expect((await logIn(admin, headers, `guess ${index}`)).status).toBe(403)
    }
    expect((await admin.get(shown)).status).toBe(200)
  })
})

describe('the cookie', () => {
  test('lets our page read and change', async () => {
    const admin = await openAdmin()
    const cookie = await withCookie(admin)
    const headers = { ...fromPage(admin.host, `http://${admin.host}`), cookie }
    expect((await admin.ask(shown, { headers: { ...headers, origin: undefined } })).status).toBe(200)
    expect((await admin.ask('/api/pause', { method: 'POST', headers, body: {} })).status).toBe(200)
  })

  test('is not enough to change something without a word of which page asks', async () => {
    const admin = await openAdmin()
    const cookie = await withCookie(admin)
    const pause = (headers: Record<string, string>) =>
      admin.ask('/api/pause', { method: 'POST', headers: { cookie, ...noToken, ...headers } })
    expect((await pause({})).json.code).toBe('forbidden_page')
    expect((await pause({ 'sec-fetch-site': 'none' })).status).toBe(403)
    expect((await pause({ origin: `http://${admin.host}` })).status).toBe(200)
    expect((await pause({ 'sec-fetch-site': 'same-origin' })).status).toBe(200)
  })

  test('is for this server alone, and for no script', async () => {
    const admin = await openAdmin()
    const [cookie = ''] = (await logIn(admin)).headers['set-cookie'] ?? []
    const attributes = cookie.split('; ').slice(1).toSorted()
    expect(attributes).toEqual(['HttpOnly', 'Max-Age=604800', 'Path=/api', 'SameSite=Strict'])
    expect(cookie).not.toContain(token)
  })

  test('of another port is another one', async () => {
    const admin = await openAdmin()
    const cookie = await withCookie(admin)
    expect(cookie).toMatch(new RegExp(`^hookserver-${admin.port}=`))
    const [, value = ''] = cookie.split('=')
    const stats = (name: string) => admin.ask(shown, { headers: { cookie: `${name}=${value}`, ...noToken } })
    expect((await stats(`hookserver-${admin.port}`)).status).toBe(200)
    expect((await stats('hookserver-8001')).status).toBe(401)
  })

  test.each([
    ['hooks.example', 'https://hooks.example', 'Path=/admin/api', true],
    ['127.0.0.1:8001', 'https://hooks.example', 'Path=/admin/api', true], // the proxy hands on another name
    ['localhost:8001', 'http://localhost:8001', 'Path=/api', false],
  ])('at %s, from %s, has %s; secure: %s', async (host, origin, path, secure) => {
    const admin = await openAdmin({ adminUrl: 'https://hooks.example/admin' })
    const [cookie = ''] = (await logIn(admin, fromPage(host, origin))).headers['set-cookie'] ?? []
    const attributes = cookie.split('; ')
    expect([attributes.includes(path), attributes.includes('Secure')]).toEqual([true, secure])
  })

  test('is not given to a page that was not encrypted', async () => {
    const admin = await openAdmin({ adminUrl: 'https://hooks.example' })
    const { status } = await logIn(admin, fromPage('hooks.example', 'http://hooks.example', undefined))
    expect(status).toBe(403)
  })

  test('cannot be made up, nor prolonged', async () => {
    const admin = await openAdmin()
    const [name, value = ''] = (await withCookie(admin)).split('=')
    const [end = '', mac = ''] = value.split('.')
    const wrong = [
      '',
      '.',
      `${end}.`,
      `.${mac}`,
      `${Number(end) + 1}.${mac}`,
      `1.${mac}`,
      `NaN.${mac}`,
      `${value}x`,
      token,
    ]
    for (const one of [...wrong, `Infinity.${mac}`, `1e99.${mac}`]) {
      const { status } = await admin.ask(shown, { headers: { cookie: `${name}=${one}`, ...noToken } })
      expect(status, one).toBe(401)
    }
  })
})

describe('logging in', () => {
  test('takes the token by POST, as JSON', async () => {
    const admin = await openAdmin()
    const ask = (body: unknown, headers: Record<string, string | undefined> = {}) =>
      admin.ask('/api/session', { method: 'POST', headers: { ...noToken, ...headers }, body })
    expect((await ask({ token })).status).toBe(204)
    expect((await ask({ token: 'wrong' })).json.code).toBe('unauthorized')
    for (const body of [{}, { token: 1 }, { token: null }, { token: [token] }, 'null', '[]', '{', '']) {
      expect((await ask(body)).status, JSON.stringify(body)).toBe(400)
    }
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await ask(`token=${token}`, form)).status).toBe(415)
    expect((await ask({ token: 'x'.repeat(2 ** 20) })).status).toBe(413)
    expect((await admin.ask(`/api/session?token=${token}`, { headers: noToken })).status).toBe(401)
  })
})

describe('who guesses', () => {
  async function guess(admin: Admin, times: number): Promise<void> {
    for (let index = 0; index < times; index++) {
      const { status } = await admin.ask(shown, { headers: { authorization: `Bearer guess-${index}` } })
      expect(status).toBe(401)
    }
  }

  test('has to wait, with the right token as well', async () => {
    const admin = await openAdmin()
    await guess(admin, 9)
    expect((await admin.get(shown)).status).toBe(200)
    expect((await logIn(admin, {}, 'guess-9')).status).toBe(401)
    for (const { status, headers, json } of [await admin.get(shown), await logIn(admin)]) {
      expect([status, json.code]).toEqual([429, 'too_many_tries'])
      expect(Number(headers['retry-after'])).toSatisfy((seconds: number) => seconds >= 1 && seconds <= 60)
    }
  })

  test('keeps out no one who is logged in', async () => {
    const admin = await openAdmin()
    const cookie = await withCookie(admin)
    await guess(admin, 10)
    expect((await admin.ask(shown, { headers: { cookie, ...noToken } })).status).toBe(200)
    expect((await admin.ask('/metrics', { headers: noToken })).status).toBe(200)
  })

  test('does not guess by asking with the same token for ever', async () => {
    const admin = await openAdmin()
    for (let index = 0; index < 20; index++) {
      expect((await admin.ask(shown, { headers: { authorization: 'Bearer out-of-date' } })).status).toBe(401)
    }
    expect((await admin.get(shown)).status).toBe(200)
  })

  test('is told apart from others by the address', async () => {
    const admin = await openAdmin()
    await guess(admin, 10)
    const elsewhere = await admin.ask(shown, { from: '127.0.0.2' })
    expect(elsewhere.status).toBe(process.platform === 'linux' ? 200 : 429)
    const claimed = await admin.ask(shown, { headers: { 'x-forwarded-for': '192.0.2.9' } })
    expect(claimed.status).toBe(429)
  })
})
