import { once } from 'node:events'
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import { signedRequest } from '../../src/samples/signed-request.ts'
import { resolveConfig } from '../../src/server/config/resolve-config.ts'
import { serve } from '../../src/server/serve.ts'
import { childLogger } from '../../src/telemetry/logger.ts'
import { openInbox, withMembers } from '../inbox/stores.ts'
import { Recorder } from '../recorder.ts'
import { secret } from './service.ts'

/** Starts a server on free ports. Its module has this inbox. */
function start(inbox: Store, flags: Readonly<Record<string, string>>) {
  const common = { host: '127.0.0.1', port: '0', adminPort: '0', adminToken: 'a-token-that-is-not-guessed' }
  const recorder = new Recorder()
  const logger = childLogger(recorder)
  const module = { name: 'hooks.ts', hooks: new Hooks({ secret, inbox, logger }), config: undefined }
  const config = resolveConfig({ flags: { ...common, validateIp: 'false', ...flags }, env: {} })
  return { recorder, serving: serve({ config, module, secret: undefined, logger }) }
}

test.each(['all', 'receiver', 'worker'])('closes its inbox once, in the role %s', async (role) => {
  const inbox = openInbox()
  const close = vi.fn(() => inbox.close())
  const { serving } = start(withMembers(inbox, { close }), { role, grace: '1s' })
  await (await serving).close()
  expect(close).toHaveBeenCalledTimes(1)
})

test('stops although its inbox does not close', async () => {
  const inbox = withMembers(openInbox(), { close: () => new Promise<never>(() => {}) })
  const { recorder, serving } = start(inbox, { grace: '1s' })
  const service = await serving
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  let stopped = false
  const closing = service.close().then(() => (stopped = true))
  for (let seconds = 0; seconds < 60 && !stopped; seconds++) await vi.advanceTimersByTimeAsync(1000)
  expect(stopped).toBe(true)
  await closing
  expect(recorder.messages).toContain('The inbox did not close in time; its deliveries are safe')
})

test('closes its inbox if it does not start', async () => {
  const inbox = openInbox()
  const close = vi.fn(() => inbox.close())
  const tokens = { adminToken: 'a-token-that-is-not-guessed', readOnlyToken: 'a-token-that-is-not-guessed' }
  const { serving } = start(withMembers(inbox, { close }), tokens)
  await expect(serving).rejects.toThrow('equals the admin token')
  expect(close).toHaveBeenCalled()
})

test('logs an old transaction in the database of its inbox, and no longer looks for one once it is closed', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const old = { pid: 4711, user: 'reports', application: 'psql', age: 245_000 }
  const oldTransaction = vi.fn(async () => old)
  const { recorder, serving } = start(withMembers(openInbox(), { oldTransaction }), {})
  const service = await serving
  await vi.advanceTimersByTimeAsync(60_000)
  expect(recorder.messages).toContainEqual(expect.stringContaining('select pg_terminate_backend(4711)'))
  await service.close()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(oldTransaction).toHaveBeenCalledTimes(1)
})

/** Sends the headers of a delivery. The caller sends the body. */
function begin(url: string, agent: Agent, body: string): ClientRequest {
  const { headers } = signedRequest('push', { secret, payload: JSON.parse(body) })
  const sent = request(url, { agent, method: 'POST', headers: { ...headers, 'content-length': body.length } })
  sent.flushHeaders()
  return sent
}

async function replyOf(sent: ClientRequest) {
  const [reply] = (await once(sent, 'response')) as [IncomingMessage]
  await text(reply)
  return [reply.statusCode, reply.headers.connection]
}

test('replies to requests on open connections while it stops, and then closes the connections', async () => {
  const { serving } = start(openInbox(), { grace: '1s' })
  const service = await serving
  const url = service.publicUrl as string
  const [idle, busy] = [new Agent({ keepAlive: true, maxSockets: 1 }), new Agent({ keepAlive: true, maxSockets: 1 })]
  onTestFinished(() => [idle, busy].forEach((agent) => void agent.destroy()))
  const body = JSON.stringify({ zen: 'Keep it logically awesome.' })
  for (const agent of [idle, busy]) {
    expect(await replyOf(begin(url, agent, body).end(body))).toEqual([202, 'keep-alive'])
  }
  const open = begin(url, busy, body)
  const openReply = replyOf(open)
  await replyOf(begin(url, idle, body).end(body)) // by now, the server has also read the headers of `open`
  const closing = service.close()
  expect(await replyOf(begin(url, idle, body).end(body))).toEqual([503, 'close'])
  open.end(body)
  expect(await openReply).toEqual([202, 'close'])
  await closing
})
