import { describe, expect, test } from 'vitest'
import { openInbox, withMembers } from '../../inbox/stores.ts'
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

describe('the cookie', () => {
  test('authorizes our page to read and change', async () => {
    const admin = await openAdmin()
    const cookie = await withCookie(admin)
    const headers = { ...fromPage(admin.host, `http://${admin.host}`), cookie }
    expect((await admin.ask(shown, { headers: { ...headers, origin: undefined } })).status).toBe(200)
    expect((await admin.ask('/api/v1/handlers/pause', { method: 'POST', headers, body: { all: true } })).status).toBe(
      200,
    )
  })

  test('does not authorize a change if no header names the page', async () => {
    const admin = await openAdmin()
    const cookie = await withCookie(admin)
    const pause = (headers: Record<string, string>) =>
      admin.ask('/api/v1/handlers/pause', {
        ...{ method: 'POST', body: { all: true } },
        headers: { cookie, ...noToken, ...headers },
      })
    expect((await pause({})).json.code).toBe('forbidden_page')
    expect((await pause({ 'sec-fetch-site': 'none' })).status).toBe(403)
    expect((await pause({ origin: `http://${admin.host}` })).status).toBe(200)
    expect((await pause({ 'sec-fetch-site': 'same-origin' })).status).toBe(200)
  })

  test('is for this server only, and hidden from scripts', async () => {
    const admin = await openAdmin()
    const [cookie = ''] = (await logIn(admin)).headers['set-cookie'] ?? []
    const attributes = cookie.split('; ').slice(1).toSorted()
    expect(attributes).toEqual(['HttpOnly', 'Max-Age=604800', 'Path=/api', 'SameSite=Strict'])
    expect(cookie).not.toContain(token)
  })

  test('has another name on another port', async () => {
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
    ['hooks.example:443', 'https://hooks.example', 'Path=/admin/api', true], // the proxy sends its port
    ['127.0.0.1:8001', 'https://hooks.example', 'Path=/admin/api', true], // the proxy forwards another Host
    ['localhost:8001', 'http://localhost:8001', 'Path=/api', false],
  ])('at %s, from %s, has %s; secure: %s', async (host, origin, path, secure) => {
    const admin = await openAdmin({ adminUrl: 'https://hooks.example/admin' })
    const [cookie = ''] = (await logIn(admin, fromPage(host, origin))).headers['set-cookie'] ?? []
    const attributes = cookie.split('; ')
    expect([attributes.includes(path), attributes.includes('Secure')]).toEqual([true, secure])
  })

  test('is not set for an http page if --admin-url is https', async () => {
    const admin = await openAdmin({ adminUrl: 'https://hooks.example' })
    const { status } = await logIn(admin, fromPage('hooks.example', 'http://hooks.example', undefined))
    expect(status).toBe(403)
  })

  test('cannot be forged or extended', async () => {
    const admin = await openAdmin()
    const [name, value = ''] = (await withCookie(admin)).split('=')
    const [role = '', end = '', nonce = '', mac = ''] = value.split('.')
    const wrong = [
      '',
      '...',
      `${role}.${end}.${nonce}.`,
      `.${end}.${nonce}.${mac}`,
      `read.${end}.${nonce}.${mac}`,
      `other.${end}.${nonce}.${mac}`,
      `${role}.${end}.${nonce}x.${mac}`,
      `${role}.${end}.${mac}`,
      ...[Number(end) + 1, 1, Number.NaN, Number.POSITIVE_INFINITY, '1e99', `0${end}`].map(
        (other) => `${role}.${other}.${nonce}.${mac}`,
      ),
      `${value}x`,
      `${value}.x`,
      token,
    ]
    for (const one of wrong) {
      const { status } = await admin.ask(shown, { headers: { cookie: `${name}=${one}`, ...noToken } })
      expect(status, one).toBe(401)
    }
  })
})

describe('a read-only visitor', () => {
  /** The headers of two requests: one with the token, as from a script, and one with the cookie, as from a page. */
  async function asReaders(admin: Admin): Promise<Record<string, string | undefined>[]> {
    const cookie = await withCookie(admin, readOnlyToken)
    const page = fromPage(admin.host, `http://${admin.host}`)
    return [{ authorization: `Bearer ${readOnlyToken}` }, { cookie, ...page }]
  }

  test('reads everything', async () => {
    const admin = await openAdmin()
    const { json } = await admin.get(shown)
    const plain = Object.entries(json.paths).filter(([path, of]) => !path.includes('{') && 'get' in (of as object))
    for (const headers of await asReaders(admin)) {
      for (const [path] of plain) {
        const { status } = await admin.ask(path, { headers, method: 'HEAD' })
        expect([path, status]).toEqual([path, path === '/api/v1/values' ? 400 : 200])
      }
    }
  })

  test('cannot change anything by any route', async () => {
    const admin = await openAdmin()
    const { json } = await admin.get(shown)
    const others = Object.entries(json.paths).flatMap(([path, of]) =>
      Object.keys(of as object)
        .filter((method) => method !== 'get' && path !== '/api/v1/session')
        .map((method) => [method.toUpperCase(), path.replace('{id}', '1').replace('{name}', 'a')] as const),
    )
    expect(others.length).toBeGreaterThan(6)
    for (const headers of await asReaders(admin)) {
      for (const [method, path] of [
        ...others,
        ['PUT', '/api/v1/stats'],
        ['POST', '/api/v1//handlers/pause'],
      ] as const) {
        const { status, json } = await admin.ask(path, { method, headers, body: {} })
        expect([method, path, status, json.code]).toEqual([method, path, 403, 'read_only'])
        expect(json.detail).toContain('--admin-token')
      }
    }
    expect((await admin.inbox.overview()).paused).toEqual([])
  })

  test('learns its access and when its session expires', async () => {
    const admin = await openAdmin()
    const [byToken, byCookie] = await asReaders(admin)
    expect((await admin.get('/api/v1/session')).json).toEqual({ readOnly: false })
    expect((await admin.ask('/api/v1/session', { headers: byToken ?? {} })).json).toEqual({ readOnly: true })
    const { json } = await admin.ask('/api/v1/session', { headers: byCookie ?? {} })
    expect(json).toEqual({ readOnly: true, expiresAt: expect.any(Number) })
    expect(json.expiresAt - Date.now()).toBeGreaterThan(6.9 * 24 * 3600 * 1000)
  })
})

describe('logging out', () => {
  test.each([token, readOnlyToken])('deletes the cookie and revokes its session: %s', async (given) => {
    const admin = await openAdmin({ adminUrl: 'https://hooks.example/admin' })
    const headers = { ...fromPage(admin.host, `http://${admin.host}`) }
    const [cookie, other] = [await withCookie(admin, given), await withCookie(admin, given)]
    const { status, headers: answered } = await admin.ask('/api/v1/session', {
      method: 'DELETE',
      headers: { ...headers, cookie },
    })
    expect(status).toBe(204)
    expect(answered['set-cookie']?.[0]).toMatch(/^hookserver-\d+=; Max-Age=0; Path=\/api; HttpOnly; SameSite=Strict$/)
    expect((await admin.ask(shown, { headers: { cookie, ...noToken } })).status).toBe(401)
    expect((await admin.ask(shown, { headers: { cookie: other, ...noToken } })).status).toBe(200)
    expect((await admin.ask('/api/v1/session', { method: 'DELETE', headers: { ...headers, cookie } })).status).toBe(401)
  })

  test('also applies after a restart, and on other servers of the inbox', async () => {
    const [first, second] = [await openAdmin(), await openAdmin()]
    const admin = await openAdmin({ inbox: first.inbox })
    const [cookie, other] = [await withCookie(first), await withCookie(first)]
    const headers = { ...fromPage(first.host, `http://${first.host}`), cookie }
    expect((await first.ask('/api/v1/session', { method: 'DELETE', headers })).status).toBe(204)
    const status = async (one: Admin, given: string) => {
      const renamed = given.replace(/^hookserver-\d+/, `hookserver-${one.port}`) // the cookie's name contains the port
      return (await one.ask(shown, { headers: { cookie: renamed, ...noToken } })).status
    }
    expect([await status(admin, cookie), await status(admin, other)]).toEqual([401, 200])
    expect(await status(second, cookie)).toBe(200) // another inbox
  })

  test('fails if the revocation cannot be stored, the log says why, and the session stays valid', async () => {
    const failing = () => Promise.reject(new Error('the database is unavailable'))
    const admin = await openAdmin({ inbox: withMembers(openInbox(), { compareAndSet: failing }) })
    const cookie = await withCookie(admin)
    const headers = { ...fromPage(admin.host, `http://${admin.host}`), cookie }
    const answer = await admin.ask('/api/v1/session', { method: 'DELETE', headers })
    expect([answer.status, answer.json.code, answer.headers['set-cookie']]).toEqual([
      503,
      'inbox_unavailable',
      undefined,
    ])
    expect(admin.recorder.lines).toMatchObject([
      { level: 'error', fields: { err: { message: 'the database is unavailable' }, path: '/api/v1/session' } },
    ])
    expect((await admin.ask(shown, { headers: { cookie, ...noToken } })).status).toBe(200)
  })

  test('cannot be done by a page of another site', async () => {
    const admin = await openAdmin()
    const cookie = await withCookie(admin)
    const headers = { cookie, ...noToken }
    const ask = (more: object) => admin.ask('/api/v1/session', { method: 'DELETE', headers: { ...headers, ...more } })
    expect((await ask({})).json.code).toBe('forbidden_page')
    expect((await ask({ origin: 'http://evil.example' })).json.code).toBe('forbidden_page')
    expect((await admin.ask(shown, { headers })).status).toBe(200)
  })

  test('is allowed without a session, and other methods are rejected', async () => {
    const admin = await openAdmin()
    expect((await admin.ask('/api/v1/session', { method: 'DELETE' })).status).toBe(204)
    const { status, headers } = await admin.ask('/api/v1/session', { method: 'PUT' })
    expect([status, headers.allow?.split(', ').toSorted()]).toEqual([405, ['DELETE', 'GET', 'HEAD', 'POST']])
  })
})

test('the cookie is found among cookies of the same name, which other servers on this machine can set', async () => {
  const admin = await openAdmin()
  const cookie = await withCookie(admin)
  const [name] = cookie.split('=')
  const ask = (text: string) => admin.ask(shown, { headers: { cookie: text, ...noToken } })
  expect((await ask(`${name}=x; ${cookie}; ${name}=y`)).status).toBe(200)
  expect((await ask(`${name}=x; other${cookie}`)).status).toBe(401)
  const headers = { ...fromPage(admin.host, `http://${admin.host}`), cookie: `${name}=x; ${cookie}` }
  expect((await admin.ask('/api/v1/session', { method: 'DELETE', headers })).status).toBe(204)
  expect((await ask(cookie)).status).toBe(401)
})

describe('logging in', () => {
  test('takes the token as JSON in a POST', async () => {
    const admin = await openAdmin()
    const ask = (body: unknown, headers: Record<string, string | undefined> = {}) =>
      admin.ask('/api/v1/session', { method: 'POST', headers: { ...noToken, ...headers }, body })
    expect((await ask({ token })).status).toBe(204)
    expect((await ask({ token: readOnlyToken })).status).toBe(204)
    expect((await ask({ token: 'wrong' })).json.code).toBe('unauthorized')
    for (const body of [{}, { token: 1 }, { token: null }, { token: [token] }, 'null', '[]', '{', '']) {
      expect((await ask(body)).status, JSON.stringify(body)).toBe(400)
    }
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await ask(`token=${token}`, form)).status).toBe(415)
    expect((await ask({ token: 'x'.repeat(4096) })).status).toBe(413)
    expect((await admin.ask(`/api/v1/session?token=${token}`, { headers: noToken })).status).toBe(401)
  })
})
