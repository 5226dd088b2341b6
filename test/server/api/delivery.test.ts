import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { getRequestListener } from '@hono/node-server'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../../src/hooks.ts'
import { deliveries } from '../../../src/server/api/deliveries.ts'
import { appOf } from '../../../src/server/api/index.ts'
import { eventually, openInbox, storeIn, withMembers } from '../../inbox/stores.ts'
import { type Admin, openAdmin } from '../administered.ts'
import { handle } from './handled.ts'

let admin: Admin

beforeAll(async () => {
  admin = await openAdmin({ atTheEnd: afterAll })
})

describe('a delivery', () => {
  test('is shown with headers, handlers and attempts', async () => {
    const id = await storeIn(admin.inbox, { a: 1 }, { headers: { 'x-github-event': 'push' }, address: '192.0.2.1' })
    await handle(admin.inbox, id, { outcome: 'failed', more: { error: 'Error: no', log: 'a line' } })
    const { status, json } = await admin.get(`/api/v1/deliveries/${id}`)
    expect(status).toBe(200)
    expect(json).toMatchObject({ id, state: 'retrying', address: '192.0.2.1', headers: { 'x-github-event': 'push' } })
    expect(json.tasks).toMatchObject([
      { handler: 'deploy', state: 'retrying', attempts: [{ number: 1, outcome: 'failed', error: 'Error: no' }] },
    ])
  })

  test.each(['999', '0', '-1', '1.5', 'abc', '1e3', '%31%20', '9999999999999999999', '..%2f1', 'constructor'])(
    'that does not exist is answered 404: %s',
    async (id) => {
      for (const path of [`/api/v1/deliveries/${id}`, `/api/v1/deliveries/${id}/body`]) {
        const { status, headers, json } = await admin.get(path)
        expect([status, json.code]).toEqual([404, 'not_found'])
        expect(headers['content-type']).toBe('application/problem+json')
      }
    },
  )
})

test('limits the bodies that are sent at the same time, and disconnects a client that does not read', async () => {
  const inbox = openInbox()
  const app = appOf(deliveries({ inbox }, { maxSending: 30_000_000, idleTimeout: 300 }))
  app.onError((error, context) => context.text(String(error), 429))
  const server = createServer(getRequestListener(app.fetch))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const id = await storeIn(inbox, {}, { body: new Uint8Array(20_000_000) })
  const ask = () => fetch(`http://127.0.0.1:${port}/deliveries/${id}/body`, { headers: { connection: 'close' } })

  const lazy = connect(port, '127.0.0.1')
  onTestFinished(() => void lazy.destroy())
  lazy.write(`GET /deliveries/${id}/body HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  await once(lazy, 'readable')
  const rejected = await ask()
  expect([rejected.status, await rejected.text()]).toEqual([429, expect.stringContaining('Too many large bodies')])
  const connections = promisify(server.getConnections.bind(server))
  await eventually(async () => expect(await connections()).toBe(0))
  // On a busy machine, this client may not read for longer than `idleTimeout`.
  await eventually(async () => expect((await (await ask()).arrayBuffer()).byteLength).toBe(20_000_000))
})

test('closes an idle connection that has received a body', async () => {
  const inbox = openInbox()
  const server = createServer({ keepAliveTimeout: 75_000 }, getRequestListener(appOf(deliveries({ inbox })).fetch))
  const connected = once(server, 'connection') as Promise<[Socket]>
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const id = await storeIn(inbox, {})
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/deliveries/${id}/body`)
  expect(await answer.text()).toBe('{}')
  const [socket] = await connected
  await eventually(async () => expect(socket.timeout).toBeGreaterThanOrEqual(75_000))
})

describe('the body of a delivery', () => {
  const script = '<!doctype html><html><script>alert(document.cookie)</script><body onload="alert(1)">'

  test('is the original bytes', async () => {
    const every = Uint8Array.from({ length: 70_000 }, (_, index) => index % 251)
    const id = await storeIn(admin.inbox, {}, { body: every })
    const { status, headers, bytes } = await admin.get(`/api/v1/deliveries/${id}/body`)
    expect(status).toBe(200)
    expect(headers['content-length']).toBe('70000')
    expect(Buffer.compare(bytes, every)).toBe(0)
  })

  test('may be empty', async () => {
    const id = await storeIn(admin.inbox, '')
    expect((await admin.get(`/api/v1/deliveries/${id}/body`)).bytes).toHaveLength(0)
  })

  test('with a script is a download, and never a page', async () => {
    const id = await storeIn(admin.inbox, script, { guid: script, headers: { 'content-type': 'text/html' } })
    const headers = { accept: 'text/html', 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate' }
    const body = await admin.ask(`/api/v1/deliveries/${id}/body`, { headers: { ...headers, 'sec-fetch-site': 'none' } })
    expect(body.bytes.toString()).toBe(script)
    expect(body.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': expect.stringMatching(/^attachment; filename="[\w-]+\.json"$/),
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'cross-origin-resource-policy': 'same-origin',
    })
    for (const path of ['/api/v1/deliveries', `/api/v1/deliveries/${id}`]) {
      const { headers, json } = await admin.ask(path, { headers: { accept: 'text/html' } })
      expect(headers['content-type']).toBe('application/json')
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(JSON.stringify(json)).toContain('alert(document.cookie)')
    }
  })

  test.each([
    ['72d3162e-cc78-11e3-81ab-4c9367dc0958', 'json', '72d3162e-cc78-11e3-81ab-4c9367dc0958.json'],
    ['72d3', 'form', '72d3.txt'],
    ['../../etc/passwd', 'json', 'etcpasswd.json'],
    ['a"; filename="evil.html', 'json', 'afilenameevilhtml.json'],
    ['a\r\nSet-Cookie: x', 'json', 'aSet-Cookiex.json'],
    ['x'.repeat(500), 'json', `${'x'.repeat(64)}.json`],
    ['…', 'json', undefined],
  ] as const)('with the GUID %j and the form %s has the file name %s', async (guid, form, name) => {
    const id = await storeIn(admin.inbox, {}, { guid, form })
    const { headers } = await admin.get(`/api/v1/deliveries/${id}/body`)
    expect(headers['content-disposition']).toBe(`attachment; filename="${name ?? `${id}.json`}"`)
  })

  test('that was pruned is answered 404', async () => {
    const id = await storeIn(admin.inbox)
    const pruned = withMembers(admin.inbox, { body: async () => undefined })
    const { status } = await (await openAdmin({ inbox: pruned })).get(`/api/v1/deliveries/${id}/body`)
    expect(status).toBe(404)
  })
})

const hmac = (secret: string, bytes: Uint8Array) => `sha256=${createHmac('sha256', secret).update(bytes).digest('hex')}`

test('signs a stored delivery with the first secret, and logs the operator', async () => {
  const admin = await openAdmin({ hooks: new Hooks({ secret: ['new', 'old'] }) })
  const id = await storeIn(admin.inbox, { text: 'naïve 🚀', bidi: '\u202e', lone: '\ud800' })
  const { status, json } = await admin.post(`/api/v1/deliveries/${id}/signature`)
  const bytes = (await admin.inbox.body(id)) as Uint8Array
  expect([status, json]).toEqual([200, { signature: hmac('new', bytes), algorithm: 'sha256' }])
  const { fields, message } = admin.recorder.lines.at(-1) ?? {}
  expect(message).toBe('Operator action: sign')
  expect(fields).toMatchObject({ act: 'sign', what: { id }, address: '127.0.0.1' })
  expect(JSON.stringify(admin.recorder.lines)).not.toContain(json.signature)
})

test('signs with the secret that a function returns for the headers of the delivery', async () => {
  const secret = (headers: Readonly<Record<string, string | undefined>>) =>
    headers['x-github-hook-id'] === '7' ? 'of the seventh' : undefined
  const admin = await openAdmin({ hooks: new Hooks({ secret }) })
  const known = await storeIn(admin.inbox, {}, { headers: { 'x-github-hook-id': '7' } })
  const other = await storeIn(admin.inbox, {}, { headers: { 'x-github-hook-id': '8' } })
  const { json } = await admin.post(`/api/v1/deliveries/${known}/signature`)
  expect(json.signature).toBe(hmac('of the seventh', (await admin.inbox.body(known)) as Uint8Array))
  const rejected = await admin.post(`/api/v1/deliveries/${other}/signature`)
  expect([rejected.status, rejected.json.code]).toEqual([409, 'not_applicable'])
})

test('signs nothing if signatures are not checked', async () => {
  const admin = await openAdmin({ hooks: new Hooks({ validateSignature: false }) })
  const id = await storeIn(admin.inbox, {})
  const { status, json } = await admin.post(`/api/v1/deliveries/${id}/signature`)
  expect([status, json.code, admin.recorder.lines]).toEqual([409, 'not_applicable', []])
})
