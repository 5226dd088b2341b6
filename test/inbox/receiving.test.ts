/** The replies of a receiver with an inbox, and the deliveries that it stores before them. */
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import express from 'express'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { hookserver as inExpress } from '../../src/adapters/express.ts'
import { hookserver as inNode } from '../../src/adapters/node.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import { Hooks, type HooksOptions } from '../../src/index.ts'
import type { StoreResult } from '../../src/store.ts'
import { inject, type SignedRequestOptions, signedRequest } from '../../src/testing/index.ts'
import { serving } from '../adapters/host.ts'
import { Recorder } from '../recorder.ts'
import { detailIn, eventually, openInbox, stateIn, withMembers } from './stores.ts'

const secret = 'a secret of the tests'

/** A receiver without a worker, unless `options` has `work`. */
function receiving(options: HooksOptions & { inbox?: Store } = {}): { hooks: Hooks; inbox: Store } {
  const { inbox = openInbox(), ...rest } = options
  const hooks = new Hooks({ secret, validateIp: false, logger: false, work: false, inbox, ...rest })
  onTestFinished(() => hooks.close({ grace: 0 }))
  return { hooks, inbox }
}

const send = (hooks: Hooks, options: SignedRequestOptions = {}, name = 'push') =>
  inject(hooks, signedRequest(name, { secret, ...options }))

const answerOf = async (reply: Response) => [reply.status, await reply.text()]

/** All deliveries of an inbox, newest first. */
const all = async (inbox: Store) => (await inbox.list({})).deliveries

describe('a delivery', () => {
  test('is answered with 202 Accepted once it is stored, before any handler runs', async () => {
    const { hooks, inbox } = receiving()
    const handler = vi.fn()
    hooks.hook('push', handler)
    const reply = await send(hooks, { guid: 'g' })
    expect(reply.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(await answerOf(reply)).toEqual([202, 'Accepted'])
    expect(await all(inbox)).toMatchObject([{ guid: 'g', event: 'push', state: 'pending', source: '/hooks' }])
    expect(handler).not.toHaveBeenCalled()
  })

  test('that is already stored is answered with 200 Duplicate', async () => {
    const { hooks, inbox } = receiving()
    const request = { guid: 'g' }
    await send(hooks, request)
    expect(await answerOf(await send(hooks, request))).toEqual([200, 'Duplicate'])
    expect(await all(inbox)).toMatchObject([{ duplicates: 1 }])
  })

  test('that is sent several times simultaneously is stored once', async () => {
    const { hooks, inbox } = receiving()
    const request = signedRequest('push', { secret })
    const replies = await Promise.all(Array.from({ length: 10 }, () => inject(hooks, request)))
    expect(replies.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 202])
    expect(await all(inbox)).toMatchObject([{ duplicates: 9 }])
  })

  test('that is dead is answered with 202 again, and handled again', async () => {
    const { hooks, inbox } = receiving({ work: true })
    const handler = vi.fn().mockRejectedValueOnce(new Error('once'))
    hooks.hook('push', { attempts: 1 }, handler)
    const request = signedRequest('push', { secret })
    expect((await inject(hooks, request)).status).toBe(202)
    await eventually(async () => expect(await stateIn(inbox, 1)).toBe('dead'))
    expect(await answerOf(await inject(hooks, request))).toEqual([202, 'Accepted'])
    await eventually(async () => expect(await stateIn(inbox, 1)).toBe('done'))
    expect(await answerOf(await inject(hooks, request))).toEqual([200, 'Duplicate'])
    expect(handler).toHaveBeenCalledTimes(2)
  })

  test('is stored byte for byte, with its data and without its secrets', async () => {
    const { hooks, inbox } = receiving({
      secret: ['old', secret],
      validateIp: 'warn',
      clientAddress: () => '192.0.2.1',
    })
    const payload = '{ "text": "naïve 🚀\\u00e9" }'
    const request = signedRequest('push', { secret, payload, guid: 'g' })
    const before = Date.now()
    await inject(hooks, request, { validateIp: 'warn', source: 'my app' })
    const detail = await detailIn(inbox, 1)
    expect(Buffer.from((await inbox.body(1)) as Uint8Array).toString()).toBe(payload)
    expect(detail).toMatchObject({ guid: 'g', event: 'push', hookId: '292430182', source: 'my app', form: 'json' })
    expect(detail).toMatchObject({ address: '192.0.2.1', algorithm: 'sha256', secretIndex: 1, secretId: undefined })
    expect(detail.sha256).toBe(createHash('sha256').update(payload).digest('hex'))
    expect(detail.size).toBe(Buffer.byteLength(payload))
    expect(detail.receivedAt).toBeGreaterThanOrEqual(before)
    expect(detail.headers['user-agent']).toBe(request.headers['user-agent'])
    expect(JSON.stringify(detail)).not.toContain(request.headers['x-hub-signature-256']?.slice(7))
    expect(JSON.stringify(detail)).not.toContain(request.headers['x-hub-signature']?.slice(5))
  })

  test('has the secret id of a resolver', async () => {
    const { hooks, inbox } = receiving({ secret: () => ({ secret, id: 'tenant 1' }) })
    await send(hooks)
    expect(await detailIn(inbox, 1)).toMatchObject({ secretId: 'tenant 1', secretIndex: 0 })
  })

  test('is stored even though the clientAddress function fails', async () => {
    const fail = () => {
      throw new Error('no address')
    }
    const { hooks, inbox } = receiving({ clientAddress: fail })
    expect((await send(hooks)).status).toBe(202)
    expect((await detailIn(inbox, 1)).address).toBeUndefined()
  })

  test('may be a form, and as large as bodyLimit', async () => {
    const { hooks, inbox } = receiving()
    expect((await send(hooks, { form: true, payload: { text: '🚀&=+' } })).status).toBe(202)
    expect((await send(hooks, { payload: { text: 'x'.repeat(20_000_000) } })).status).toBe(202)
    expect(await all(inbox)).toMatchObject([{ size: 20_000_011 }, {}])
    expect((await detailIn(inbox, 1)).form).toBe('form')
  })
})

describe('with signatures on', () => {
  test('stores nothing if the signature is wrong or missing', async () => {
    const { hooks, inbox } = receiving()
    expect((await send(hooks, { secret: 'wrong' })).status).toBe(400)
    expect((await inject(hooks, signedRequest('push'))).status).toBe(400)
    expect(await all(inbox)).toEqual([])
  })

  test('stores nothing if a header is missing', async () => {
    const { hooks, inbox } = receiving()
    for (const name of ['x-github-event', 'x-github-delivery'])
      expect((await send(hooks, { headers: { [name]: undefined } })).status).toBe(400)
    expect((await send(hooks, { headers: { 'content-type': 'text/plain' } })).status).toBe(415)
    expect(await all(inbox)).toEqual([])
  })

  test.each([
    ['no JSON', 'text'],
    ['no JSON object', '[1]'],
  ])(
    'stores a payload that is %s nevertheless, and the delivery ends as dead with a reason',
    async (_name, payload) => {
      const dead = vi.fn()
      const { hooks, inbox } = receiving({ work: true, onDead: dead })
      const handler = vi.fn()
      hooks.hook('*', handler)
      expect(await answerOf(await send(hooks, { payload, guid: 'g' }))).toEqual([202, 'Accepted'])
      await eventually(async () => expect(await stateIn(inbox, 1)).toBe('dead'))
      expect((await detailIn(inbox, 1)).reason).toMatch(/^invalid_payload: /)
      await eventually(() =>
        expect(dead).toHaveBeenCalledExactlyOnceWith(
          expect.objectContaining({
            error: expect.objectContaining({ message: expect.stringContaining('invalid_payload') }),
            delivery: expect.objectContaining({ guid: 'g' }),
            handler: undefined,
          }),
        ),
      )
      expect(handler).not.toHaveBeenCalled()
    },
  )
})

describe('with signatures off', () => {
  test('parses the payload first, and stores nothing if it is invalid', async () => {
    const { hooks, inbox } = receiving({ validateSignature: false })
    for (const payload of ['text', '[1]', 'null', '']) {
      const reply = await inject(hooks, signedRequest('push', { payload }))
      expect([reply.status, await reply.json()]).toMatchObject([400, { code: 'invalid_payload' }])
    }
    expect((await inject(hooks, { ...signedRequest('push', { form: true }), body: 'a=b' })).status).toBe(400)
    expect(await all(inbox)).toEqual([])
    expect((await inject(hooks, signedRequest('push'))).status).toBe(202)
    expect(await detailIn(inbox, 1)).toMatchObject({ algorithm: undefined, secretIndex: undefined })
  })
})

describe('an inbox that cannot store', () => {
  test('causes 503 inbox_unavailable, with Retry-After and without the reason', async () => {
    const store = () => Promise.reject(new Error('The disk /dev/secret is full'))
    const logger = new Recorder()
    const { hooks } = receiving({ inbox: withMembers(openInbox(), { store }), logger })
    const reply = await send(hooks)
    expect(reply.headers.get('retry-after')).toMatch(/^\d+$/)
    const text = await reply.text()
    expect([reply.status, JSON.parse(text)]).toMatchObject([503, { code: 'inbox_unavailable' }])
    expect(text).not.toContain('disk')
    await eventually(() => expect(JSON.stringify(logger.lines)).toContain('inbox_unavailable'))
  })

  test('in time causes 503 inbox_unavailable', async () => {
    const { hooks } = receiving({
      inbox: withMembers(openInbox(), { store: () => new Promise(() => {}) }),
      replyTimeout: '50ms',
    })
    const reply = await send(hooks)
    expect([reply.status, await reply.json()]).toMatchObject([503, { code: 'inbox_unavailable' }])
    expect(reply.headers.get('retry-after')).toMatch(/^\d+$/)
  })

  test('in time keeps the memory of the bodies until it has settled', async () => {
    const { promise, resolve } = Promise.withResolvers<StoreResult>()
    const inbox = openInbox()
    const store = vi.fn((delivery) => inbox.store(delivery)).mockReturnValueOnce(promise)
    const { hooks } = receiving({ inbox: withMembers(inbox, { store }), bodyMemory: 1_000_000 })
    const payload = JSON.stringify({ text: 'x'.repeat(400_000) }) // small bodies have half of the memory
    const sendBriefly = () => inject(hooks, signedRequest('push', { secret, payload }), { replyTimeout: '50ms' })
    expect(await (await sendBriefly()).json()).toMatchObject({ code: 'inbox_unavailable' })
    expect(await (await sendBriefly()).json()).toMatchObject({ code: 'overloaded' })
    resolve({ id: 1, outcome: 'stored', conflict: false })
    await promise
    expect((await send(hooks, { payload })).status).toBe(202)
  })

  test('does not prevent the next delivery from being stored', async () => {
    const inbox = openInbox()
    const store = vi.fn((delivery) => inbox.store(delivery)).mockRejectedValueOnce(new Error('once'))
    const { hooks } = receiving({ inbox: withMembers(inbox, { store }) })
    const request = signedRequest('push', { secret })
    expect([(await inject(hooks, request)).status, (await inject(hooks, request)).status]).toEqual([503, 202])
  })
})

describe('on a real server', () => {
  const express5 = (hooks: Hooks) => createServer(express().use(inExpress(hooks)))
  const node = (hooks: Hooks) => createServer(inNode(hooks))

  test.each([
    ['node:http', node],
    ['Express', express5],
  ])('of %s a delivery is answered with 202, 200, 400 or 503', async (_name, serve) => {
    const inbox = openInbox()
    const store = vi.fn((delivery) => inbox.store(delivery))
    const { hooks } = receiving({ inbox: withMembers(inbox, { store }) })
    const [request, other] = [signedRequest('push', { secret }), signedRequest('push', { secret: 'wrong' })]
    await serving(serve(hooks), async (origin) => {
      const post = (init: RequestInit) => fetch(`${origin}/hooks`, init)
      expect(await answerOf(await post(request))).toEqual([202, 'Accepted'])
      expect(await answerOf(await post(request))).toEqual([200, 'Duplicate'])
      expect((await post(other)).status).toBe(400)
      store.mockRejectedValueOnce(new Error('down'))
      const unavailable = await post(signedRequest('push', { secret }))
      expect([unavailable.status, unavailable.headers.get('retry-after')]).toEqual([
        503,
        expect.stringMatching(/^\d+$/),
      ])
    })
    expect(await all(inbox)).toHaveLength(1)
    expect((await detailIn(inbox, 1)).address).toMatch(/127\.0\.0\.1/)
  })

  test('a body that arrives in chunks is stored byte for byte', async () => {
    const { hooks, inbox } = receiving()
    const request = signedRequest('push', { secret, payload: JSON.stringify({ text: '🚀é'.repeat(50_000) }) })
    const { body } = request
    await serving(node(hooks), async (origin) => {
      const bytes = Buffer.from(body)
      const pieces = new ReadableStream({
        async start(controller) {
          for (let at = 0; at < bytes.length; at += 10_001) {
            controller.enqueue(bytes.subarray(at, at + 10_001))
            await new Promise((resolve) => setImmediate(resolve))
          }
          controller.close()
        },
      })
      const reply = await fetch(`${origin}/hooks`, { ...request, body: pieces, duplex: 'half' } as RequestInit)
      expect(reply.status).toBe(202)
    })
    expect(Buffer.from((await inbox.body(1)) as Uint8Array).toString()).toBe(body)
  })
})
