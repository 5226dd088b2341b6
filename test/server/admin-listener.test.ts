import { once } from 'node:events'
import { request } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import { getWithEndlessBody } from '../endless-body.ts'
import { openInbox, storeIn, withMembers } from '../inbox/stores.ts'
import { openAdmin, token } from './administered.ts'

/** The global classes, before a listener exists. */
const native = { Request, Response }

const noToken = { authorization: undefined }

describe('health', () => {
  test('is ok while the process answers', async () => {
    const { status, bytes } = await (await openAdmin()).ask('/healthz', { headers: noToken })
    expect([status, bytes.toString()]).toEqual([200, 'ok'])
  })

  test('is ready if the inbox can store deliveries and origins can be checked', async () => {
    const admin = await openAdmin({ receiver: new Hooks({ secret: 's', validateIp: false }).mount() })
    const { status, bytes } = await admin.ask('/readyz', { headers: noToken })
    expect([status, bytes.toString()]).toEqual([200, 'ready'])
  })

  test('is not ready without the inbox, and only the log says why', async () => {
    const failing = async () => Promise.reject(new Error('disk full at /srv/secret'))
    const admin = await openAdmin({ inbox: withMembers(openInbox(), { checkWritable: failing }) })
    const { status, json, bytes } = await admin.ask('/readyz', { headers: noToken })
    expect([status, json.code]).toEqual([503, 'not_ready'])
    expect(bytes.toString()).not.toContain('/srv/secret')
    expect(admin.recorder.lines).toMatchObject([
      { level: 'error', fields: { err: { message: 'disk full at /srv/secret' } } },
    ])
  })

  test('is not ready while the inbox does not answer, and shares one check among all requests', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    let asked = 0
    const inbox = withMembers(openInbox(), {
      checkWritable() {
        asked++
        return promise
      },
    })
    const admin = await openAdmin({ inbox })
    const probes = [1, 2].map(() => admin.ask('/readyz', { headers: noToken }))
    expect((await Promise.all(probes)).map(({ status }) => status)).toEqual([503, 503])
    const again = admin.ask('/readyz', { headers: noToken })
    expect((await admin.ask('/healthz', { headers: noToken })).status).toBe(200)
    resolve()
    expect([(await again).status, asked]).toEqual([200, 1])
    expect((await admin.ask('/readyz', { headers: noToken })).status).toBe(200)
  })

  test('is not ready without GitHub’s addresses', async () => {
    const hooks = new Hooks({ secret: 's', ranges: () => Promise.reject(new Error('no network')), logger: false })
    const admin = await openAdmin({ receiver: hooks.mount() })
    const { status, json } = await admin.ask('/readyz', { headers: noToken })
    expect([status, json.code]).toEqual([503, 'not_ready'])
    expect(json.detail).toContain('addresses')
  })
})

test.each([
  ['text/plain; version=0.0.4; charset=utf-8', {}],
  ['text/plain; version=0.0.4; charset=utf-8', { accept: '*/*' }],
  ['application/openmetrics-text; version=1.0.0; charset=utf-8', { accept: 'application/openmetrics-text' }],
  [
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
    { accept: 'application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2' },
  ],
])('serves metrics as %s for %o', async (type, accept) => {
  const admin = await openAdmin()
  await storeIn(admin.inbox)
  const { status, headers, bytes } = await admin.ask('/metrics', { headers: { ...noToken, ...accept } })
  expect([status, headers['content-type'], headers.vary]).toEqual([200, type, 'accept'])
  expect(bytes.toString()).toContain('hookserver_inbox_deliveries{state="pending"} 1')
  expect(bytes.toString().endsWith('\n# EOF\n')).toBe(type.startsWith('application/openmetrics-text'))
})

test('serves the metrics of the process while the inbox fails', async () => {
  const failing = () => Promise.reject(new Error('the database is away'))
  const admin = await openAdmin({
    inbox: withMembers(openInbox(), { overview: failing, getValue: failing, counts: failing }),
  })
  const { status, bytes } = await admin.ask('/metrics', { headers: noToken })
  expect([status, bytes.toString()]).toEqual([200, expect.stringContaining('process_start_time_seconds')])
  expect(bytes.toString()).not.toMatch(/^hookserver_(inbox|oldest)/m)
  const stats = await admin.get('/api/v1/stats')
  expect([stats.status, stats.json.code]).toEqual([503, 'inbox_unavailable'])
})

describe('every answer', () => {
  test.each(['/healthz', '/metrics', '/', '/api/v1/stats', '/api/v1/nothing', '/api/v1/deliveries?limit=0'])(
    'has security headers: %s',
    async (path) => {
      const { headers } = await (await openAdmin()).get(path)
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'cross-origin-opener-policy': 'same-origin',
      })
      const policy = headers['content-security-policy']
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("script-src 'self'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toContain('unsafe')
      expect(headers).not.toHaveProperty('strict-transport-security')
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    },
  )

  test('of the API must not be cached', async () => {
    const admin = await openAdmin()
    for (const path of ['/api/v1/stats', '/api/v1/nothing', '/api/v1/deliveries/9']) {
      expect((await admin.get(path)).headers['cache-control']).toBe('no-store')
    }
  })

  test('is a problem if the inbox fails, and only the log has the cause', async () => {
    const failing = async () => Promise.reject(new Error('damaged at page 7'))
    const admin = await openAdmin({ inbox: withMembers(openInbox(), { list: failing }) })
    const { status, json, bytes } = await admin.get('/api/v1/deliveries')
    expect([status, json.code]).toEqual([503, 'inbox_unavailable'])
    expect(bytes.toString()).not.toContain('page 7')
    expect(admin.recorder.lines).toMatchObject([{ level: 'error', fields: { err: { message: 'damaged at page 7' } } }])
  })
})

describe('a request', () => {
  test.each([
    ['POST', '/api/v1/stats', 'GET, HEAD'],
    ['PUT', '/api/v1/deliveries', 'GET, HEAD, POST'],
    ['DELETE', '/api/v1/deliveries/1', 'GET, HEAD'],
    ['OPTIONS', '/api/v1/stats', 'GET, HEAD'],
    ['GET', '/api/v1/handlers/a/pause', 'POST'],
    ['PUT', '/api/v1/session', 'POST, GET, HEAD, DELETE'],
    ['PUT', '/api/v1/deliveries/1/retry', 'POST'],
  ])('%s %s is answered 405 with Allow: %s', async (method, path, allow) => {
    const { status, headers, json } = await (await openAdmin()).ask(path, { method })
    expect([status, json.code, headers.allow]).toEqual([405, 'method_not_allowed', allow])
  })

  test.each(['/healthz', '/readyz', '/metrics', '/', '/theme.js', '/api/v1/stats'])(
    'HEAD %s is answered like GET, without the body',
    async (path) => {
      const admin = await openAdmin()
      const [get, head] = [await admin.get(path), await admin.ask(path, { method: 'HEAD' })]
      expect([head.status, head.headers['content-type']]).toEqual([200, get.headers['content-type']])
      expect([get.bytes.length > 0, head.bytes.length]).toEqual([true, 0])
    },
  )

  test('to an unknown path is answered 404', async () => {
    const admin = await openAdmin()
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['GET', '/assets/nothing.js'],
      ['GET', '/assets/../package.json'],
      ['GET', '/api'],
      ['GET', '/api/stats'],
      ['POST', '/api/v1/nothing'],
      ['GET', '/api/v1/deliveries/1/nothing'],
      ['GET', '/api/v1/deliveries/'],
    ] as const) {
      const { status, json } = await admin.ask(path, { method })
      expect([status, json.code, path]).toEqual([404, 'not_found', path])
    }
  })
})

describe('a script of the dashboard', () => {
  test.each([
    ['gzip, deflate, br', 'gzip'],
    ['identity', undefined],
    [undefined, undefined],
  ])('for a client that accepts %s', async (accepted, encoding) => {
    const admin = await openAdmin()
    const [path] = /assets\/[^"]+\.js/.exec(String((await admin.get('/')).bytes)) ?? []
    const { status, headers, bytes } = await admin.ask(`/${path}`, { headers: { 'accept-encoding': accepted } })
    expect([status, headers['content-encoding']]).toEqual([200, encoding])
    expect(headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
    })
    expect(String(encoding ? gunzipSync(bytes) : bytes)).toContain('hookserver.token')
  })
})

describe('a body', () => {
  const pause = '/api/v1/handlers/pause'

  test.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['application/jsonp', 415],
    ['text/json', 415],
    [undefined, 415],
    ['application/json', 200],
    ['application/json; charset=utf-8', 200],
    ['Application/JSON;charset=UTF-8', 200],
  ])('of %s: %i', async (type, status) => {
    const admin = await openAdmin()
    const answered = await admin.ask(pause, { method: 'POST', body: '{"all":true}', headers: { 'content-type': type } })
    expect(answered.status).toBe(status)
    expect((await admin.inbox.overview()).paused).toEqual(status === 200 ? ['*'] : [])
  })

  test.each([
    '{',
    'null',
    '[]',
    '"*"',
    '7',
    'handler=*',
    '{"handler":"\ud800"',
    Buffer.from('{"handler":"\xff"}', 'latin1'),
  ])('that is not a JSON object is rejected: %#', async (body) => {
    const { status, json } = await (await openAdmin()).ask(pause, { method: 'POST', body })
    expect([status, json.code]).toEqual([400, 'invalid_json'])
  })

  test.each([
    ['with Content-Length', {}],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ])('may have at most 1 MiB, %s', async (_, headers) => {
    const admin = await openAdmin()
    const ask = (bytes: number) =>
      admin.ask(pause, { method: 'POST', headers, body: `{"all":true${' '.repeat(bytes - 12)}}` })
    expect((await ask(2 ** 20)).status).toBe(200)
    expect((await ask(2 ** 20 + 1)).json.code).toBe('payload_too_large')
  })

  test('is rejected by its Content-Length before it is read', async () => {
    const { port } = await openAdmin()
    const headers = { authorization: `Bearer ${token}`, 'content-length': 2 ** 20 + 1 }
    const asked = request({ host: '127.0.0.1', port, path: pause, method: 'POST', headers })
    asked.flushHeaders()
    const [response] = await once(asked, 'response')
    expect(response.statusCode).toBe(413)
    asked.on('error', () => undefined).destroy()
  })

  test.each(['/healthz', '/metrics', '/api/v1/stats'])('of a GET is not read to its end: %s', async (path) => {
    const { status, sent } = await getWithEndlessBody(`http://${(await openAdmin()).host}${path}`)
    expect(status).toBe(path === '/api/v1/stats' ? 401 : 200)
    expect(sent).toBeLessThan(100_000_000)
  })
})

test('does not replace the global Request and Response', async () => {
  await openAdmin()
  expect(globalThis.Request).toBe(native.Request)
  expect(globalThis.Response).toBe(native.Response)
})
