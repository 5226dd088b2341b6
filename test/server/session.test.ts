import { describe, expect, test } from 'vitest'
import { openAdmin, token } from './administered.ts'
import { fromPage, logIn, noToken, shown, withCookie } from './browser.ts'

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
