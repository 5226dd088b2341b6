import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { expect, onTestFinished, test } from 'vitest'
import { slowJson } from '../../../src/server/api/recovery.ts'
import { addressOf } from '../../../src/server/listener.ts'
import { Scene } from '../../github/recovery-scene.ts'
import { openAdmin } from '../administered.ts'

/** A receiver that missed a push, and the admin API of its inbox. */
async function away() {
  const scene = await Scene.open()
  await scene.stopListening()
  const [missed] = await scene.github.deliver('push', {})
  await scene.startListening()
  const admin = await openAdmin({ inbox: scene.inbox, recovery: scene.recovery() })
  return { scene, admin, guid: missed?.guid }
}

test('a dry run lists the missed deliveries, and changes nothing', async () => {
  const { scene, admin, guid } = await away()
  const { status, json } = await admin.post('/api/v1/recovery/sweeps', { dryRun: true })
  expect([status, json]).toMatchObject([
    200,
    { reports: [{ counts: { missed: 1 } }], missedDeliveries: [{ guid, state: 'missed' }] },
  ])
  expect((await admin.get('/api/v1/recovery')).json).toMatchObject({
    canSweep: true,
    missedDeliveries: [],
    counts: { missed: 0 },
  })
  expect(scene.github.requests.map(({ method }) => method)).not.toContain('POST')
  expect(admin.recorder.lines.map(({ message }) => message)).not.toContain('Operator action: recover')
})

test('a sweep requests the missed deliveries, and logs the operator', async () => {
  const { scene, admin, guid } = await away()
  const { json } = await admin.post('/api/v1/recovery/sweeps')
  expect(json).toMatchObject({
    reports: [{ counts: { requested: 1 } }],
    missedDeliveries: [{ guid, state: 'requested' }],
  })
  await scene.github.idle()
  await scene.allHandled()
  expect([...scene.handled.keys()]).toEqual([guid])
  const [line] = admin.recorder.lines.filter(({ message }) => message === 'Operator action: recover')
  expect(line?.fields).toMatchObject({ what: ['acme/shop'], address: '127.0.0.1' })
})

test('a thorough sweep looks back as far as --recover-lookback', async () => {
  const { scene, admin } = await away()
  await admin.post('/api/v1/recovery/sweeps')
  await scene.github.idle()
  scene.github.clock.advance(3_600_000)
  scene.github.record(scene.hook, [{ event: 'push', statusCode: 502 }])
  await admin.post('/api/v1/recovery/sweeps')
  const sent = async (body: object) => (await admin.post('/api/v1/recovery/sweeps', body)).json.reports[0].sent
  expect([await sent({ dryRun: true }), await sent({ dryRun: true, thorough: true })]).toEqual([1, 2])
})

test.each([{ dryRun: 1 }, { dryrun: true }])('%j is rejected', async (body) => {
  const { scene, admin } = await away()
  expect(await admin.post('/api/v1/recovery/sweeps', body)).toMatchObject({
    status: 400,
    json: { code: 'invalid_request' },
  })
  expect(scene.github.requests).toEqual([])
})

test('a sweep is rejected without --recover, or while another process sweeps', async () => {
  const { scene, admin } = await away()
  const none = await openAdmin()
  const problem = { code: 'not_applicable', detail: expect.stringContaining('--recover acme/shop') }
  expect(await none.post('/api/v1/recovery/sweeps')).toMatchObject({ status: 409, json: problem })
  await scene.inbox.lease('recovery', 'another process', 60_000)
  expect(await admin.post('/api/v1/recovery/sweeps')).toMatchObject({ status: 409, json: { code: 'not_applicable' } })
})

/** Starts a server. It sends a line break every `silence` ms until it can send `work`. @returns its address. */
async function answering(work: Promise<object>, silence: number): Promise<string> {
  const app = new Hono().get('/', (context) => slowJson(context, work, silence))
  const server = createServer(getRequestListener(app.fetch)).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  return addressOf(server)
}

test('a slow answer contains line breaks', async () => {
  const work = Promise.withResolvers<object>()
  const response = await fetch(await answering(work.promise, 5))
  const reader = response.body?.getReader()
  for (let breaks = 0; breaks < 3; breaks++) {
    expect(new TextDecoder().decode((await reader?.read())?.value).replaceAll('\n', '')).toBe('')
  }
  work.resolve({ done: true })
  let text = ''
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read())
    text += new TextDecoder().decode(part.value)
  expect(JSON.parse(text)).toEqual({ done: true })
})

test('a quick answer has no line breaks, and an answer that fails late is cut off', async () => {
  const quick = await fetch(await answering(Promise.resolve({ done: true }), 1e6))
  expect(await quick.text()).toBe('{"done":true}')
  const work = Promise.withResolvers<object>()
  const late = await fetch(await answering(work.promise, 5))
  work.reject(new Error('The inbox is closed'))
  await expect(late.text()).rejects.toThrow()
})
