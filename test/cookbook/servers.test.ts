/** Runs the recipes for servers and platforms, with requests in the form of each platform. */
import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { HttpRequest } from '@azure/functions'
import type { EventBridgeEvent, SQSEvent, SQSRecord } from 'aws-lambda'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { hookserver } from '../../src/adapters/node.ts'
import { sign } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { type SignedRequestOptions, sample, signedRequest } from '../../src/testing/index.ts'
import { listen, stop } from '../adapters/host.ts'
import { inboxFile } from '../inbox/stores.ts'
import { startServer } from './start-server.ts'

const secret = 'the secret of the recipes'
const sent = (name: 'ping' | 'issues.opened', options: SignedRequestOptions = {}) =>
  signedRequest(name, { secret, ...options })

beforeAll(() => {
  const env = { GITHUB_WEBHOOKS_KEY: secret, HOOK_RANGES: '192.0.2.7,127.0.0.1', MARKETPLACE_SECRET: 'of the listing' }
  for (const [name, value] of Object.entries({ ...env, PORT: '0' })) vi.stubEnv(name, value)
})
afterAll(() => void vi.unstubAllEnvs())

test('marketplace accepts purchases with the secret of the listing only, and handles them in order', async () => {
  const database = inboxFile()
  vi.stubEnv('DATABASE', database)
  const log = vi.spyOn(console, 'info').mockImplementation(() => {})
  onTestFinished(() => log.mockRestore())
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  onTestFinished(() => warn.mockRestore())
  const origin = await startServer(() => import('../../examples/cookbook/marketplace.ts'))
  const inbox = sqlite(database)
  onTestFinished(() => inbox.close())
  const purchase = (path: string, key: string) =>
    fetch(`${origin}${path}`, signedRequest('marketplace_purchase.purchased', { secret: key }))
  expect((await purchase('/marketplace', secret)).status).toBe(400)
  expect((await purchase('/app', 'of the listing')).status).toBe(400)
  expect((await purchase('/marketplace', 'of the listing')).status).toBe(202)
  expect((await fetch(`${origin}/app`, sent('ping'))).status).toBe(202)
  expect((await fetch(`${origin}/elsewhere`, sent('ping'))).status).toBe(404)
  await expect
    .poll(() => inbox.list({ limit: 10 }))
    .toMatchObject({
      deliveries: [
        { source: '/app', event: 'ping', state: 'ignored' },
        { source: '/marketplace', event: 'marketplace_purchase', state: 'done' },
      ],
    })
})

test('probes reports whether the process can store deliveries', async () => {
  const database = inboxFile()
  vi.stubEnv('DATABASE', database)
  const error = vi.spyOn(console, 'error').mockImplementation(() => {}) // the log says why the inbox fails
  onTestFinished(() => error.mockRestore())
  const origin = await startServer(() => import('../../examples/cookbook/probes.ts'))
  const get = async (path: string) => {
    const response = await fetch(origin + path)
    return [response.status, await response.text()]
  }
  expect(await get('/healthz')).toEqual([200, 'ok'])
  expect(await get('/readyz')).toEqual([200, 'ok'])
  rmSync(database)
  await expect.poll(() => get('/readyz')).toEqual([503, 'not ready'])
  expect(await get('/healthz')).toEqual([200, 'ok'])
})

test('fly reads the address from the header of the proxy', async () => {
  const { default: hooks } = await import('../../examples/cookbook/fly.ts')
  const server = createServer(hookserver(hooks, { ranges: ['192.0.2.7'] }))
  onTestFinished(() => stop(server))
  const url = `${await listen(server)}/hooks`
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  onTestFinished(() => warn.mockRestore())
  const statusFor = async (address: string) =>
    (await fetch(url, sent('ping', { headers: { 'fly-client-ip': address } }))).status
  expect(await statusFor('192.0.2.7')).toBe(200)
  expect(await statusFor('203.0.113.9')).toBe(403)
})

test('azure-functions answers a request of Azure, and rejects other addresses', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {}) // the package warns that no Azure host runs
  onTestFinished(() => warn.mockRestore())
  const { github } = await import('../../examples/cookbook/azure-functions.ts')
  const call = (address: string) => {
    const { headers, body } = sent('issues.opened', { headers: { 'x-forwarded-for': `10.1.2.3, ${address}` } })
    const request = {
      url: 'https://hooks.example/api/hooks',
      method: 'POST',
      headers,
      body: { bytes: Buffer.from(body) },
    }
    return github(new HttpRequest(request))
  }
  const { status, body } = await call('192.0.2.7:4711') // Azure adds the port
  const { number, title } = sample('issues.opened').issue
  expect([status, Buffer.from(body as ArrayBuffer).toString()]).toEqual([200, `#${number} ${title}`])
  expect((await call('203.0.113.9:4711')).status).toBe(403)
})

test('vercel answers a request of Vercel', async () => {
  const { POST } = await import('../../examples/cookbook/vercel.ts')
  const call = (address: string) =>
    POST(new Request('https://hooks.example/api/hooks', sent('ping', { headers: { 'x-real-ip': address } })))
  const response = await call('192.0.2.7')
  expect([response.status, await response.text()]).toEqual([200, 'pong'])
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  onTestFinished(() => warn.mockRestore())
  expect((await call('203.0.113.9')).status).toBe(403)
})

test('queue handles verified messages, and reports the others that failed', async () => {
  const { onMessages } = await import('../../examples/cookbook/queue.ts')
  const info = vi.spyOn(console, 'info').mockImplementation(() => {})
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  for (const spy of [info, warn]) onTestFinished(() => spy.mockRestore())
  const message = async (messageId: string, body: string, key = secret): Promise<SQSRecord> => {
    const values = { signature: await sign(key, body), event: 'issues', delivery: `guid-${messageId}` }
    const attributes = Object.entries(values).map(([name, stringValue]) => [name, { dataType: 'String', stringValue }])
    return { messageId, body, messageAttributes: Object.fromEntries(attributes) } as SQSRecord
  }
  const opened = JSON.stringify(sample('issues.opened'))
  const Records = await Promise.all([
    message('handled', opened),
    message('forged', opened, 'another secret'),
    message('broken', 'not JSON'),
  ])
  expect(await onMessages({ Records } satisfies SQSEvent)).toEqual({
    batchItemFailures: [{ itemIdentifier: 'broken' }],
  })
  expect(warn).toHaveBeenCalledWith('Ignored a message with a wrong signature')
})

test('queue handles an event of a bus', async () => {
  const { onEvent } = await import('../../examples/cookbook/queue.ts')
  const event = { id: 'event-1', 'detail-type': 'issues', detail: sample('issues.opened') }
  await onEvent(event as unknown as EventBridgeEvent<string, object>)
  const nothing = { id: 'event-2', 'detail-type': '', detail: {} } as EventBridgeEvent<string, object>
  await expect(onEvent(nothing)).rejects.toThrow('hooks.receive(): "event"')
})
