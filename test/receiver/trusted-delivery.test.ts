/** `hooks.receive()`, for deliveries that do not arrive as HTTP requests. */
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Hooks, type HooksOptions, type TrustedDelivery } from '../../src/index.ts'
import { inject, signedRequest } from '../../src/testing/index.ts'
import { eventually, openInbox, stateIn } from '../inbox/stores.ts'
import { Recorder } from '../recorder.ts'

const secret = 'a secret of the tests'
const delivery = { event: 'issues', guid: 'g', payload: { action: 'opened', title: 'naïve 🚀' } }

const mustBe = '"payload" must be a plain object, JSON text, or a Uint8Array with JSON text'

/** `Hooks` that are closed when the test has ended. */
function hooksWith(options: HooksOptions = {}): Hooks {
  const hooks = new Hooks({ secret, logger: false, ...options })
  onTestFinished(() => hooks.close({ grace: 0 }))
  return hooks
}

describe('hooks.receive()', () => {
  test('runs the handlers and returns the reply, without signature or address', async () => {
    const hooks = hooksWith()
    hooks.hook('issues.opened', (data, guid, { event, action, source, secretIndex }) => {
      return { data, guid, event, action, source, secretIndex: secretIndex ?? 'none' }
    })
    const { status, headers, body } = (await hooks.receive(delivery)) as {
      status: number
      headers: object
      body: string
    }
    expect([status, headers]).toEqual([200, { 'content-type': 'application/json' }])
    const { payload, ...rest } = delivery
    expect(JSON.parse(body)).toEqual({
      ...rest,
      data: payload,
      action: 'opened',
      source: '/hooks',
      secretIndex: 'none',
    })
  })

  test('replies like a mount without a handler, and needs no secret if signatures are not checked', async () => {
    const hooks = hooksWith({ secret: undefined, validateSignature: false })
    expect(await hooks.receive(delivery)).toMatchObject({ status: 200, body: 'Hook not used' })
  })

  test('rejects if a handler fails, so that the queue delivers again', async () => {
    const hooks = hooksWith()
    const cause = new Error('failed')
    hooks.hook('issues', () => Promise.reject(cause))
    await expect(hooks.receive(delivery)).rejects.toMatchObject({ code: 'handler_failed', cause })
  })

  test('rejects text that is not the JSON of an object, and logs it', async () => {
    const logger = new Recorder()
    const hooks = hooksWith({ logger })
    for (const payload of ['', 'text', '[]', '1']) {
      await expect(hooks.receive({ ...delivery, payload })).rejects.toMatchObject({ code: 'invalid_payload' })
    }
    expect(logger.lines[0]?.fields).toMatchObject({ code: 'invalid_payload', guid: 'g', event: 'issues' })
  })

  test.each([
    ['a Buffer', (text: string) => Buffer.from(text)],
    ['a view of a larger buffer', (text: string) => new TextEncoder().encode(`x${text}`).subarray(1)],
  ])('keeps the bytes of %s as they are', async (_what, bytesOf) => {
    const inbox = openInbox()
    const text = '{ "title":  "naïve 🚀" }'
    await hooksWith({ inbox, work: false }).receive({ ...delivery, payload: bytesOf(text) })
    expect(Buffer.from((await inbox.body(1)) ?? []).toString()).toBe(text)
  })

  test('rejects bytes that are not the JSON of an object', async () => {
    const payload = new Uint8Array([0xff])
    await expect(hooksWith().receive({ ...delivery, payload })).rejects.toMatchObject({ code: 'invalid_payload' })
  })

  test('stores in the inbox before it replies, and runs handlers from there', async () => {
    const inbox = openInbox()
    const hooks = hooksWith({ inbox })
    const handler = vi.fn()
    hooks.hook('issues', handler)
    expect(await hooks.receive(delivery)).toMatchObject({ status: 202, body: 'Accepted' })
    await eventually(async () => expect(await stateIn(inbox, 1)).toBe('done'))
    expect(handler).toHaveBeenCalledWith(delivery.payload, 'g', expect.objectContaining({ event: 'issues' }))
  })

  test('stores no signatures, credentials or cookies of the original request', async () => {
    const inbox = openInbox()
    const credentials = { 'X-Hub-Signature-256': 'sha256=0', Authorization: 'Bearer 0', Cookie: 'a=0' }
    const headers = { ...credentials, 'User-Agent': 'GitHub-Hookshot/1' }
    await hooksWith({ inbox, work: false }).receive({ ...delivery, headers })
    expect((await inbox.get(1))?.headers).toEqual({
      ...{ 'user-agent': 'GitHub-Hookshot/1', 'content-type': 'application/json' },
      ...{ 'x-github-event': 'issues', 'x-github-delivery': 'g' },
    })
  })

  test('recognizes a copy of a delivery that arrived as a request', async () => {
    const inbox = openInbox()
    const hooks = hooksWith({ inbox, work: false })
    const payload = '{ "a":  1 }'
    const request = signedRequest('push', { secret, guid: 'g', payload })
    expect((await inject(hooks, request)).status).toBe(202)
    const headers = { 'X-GitHub-Hook-ID': request.headers['x-github-hook-id'], 'Content-Length': '1' }
    const copy = { event: 'push', guid: 'g', payload, headers }
    expect(await hooks.receive(copy)).toMatchObject({ status: 200, body: 'Duplicate' })
    expect(await hooks.receive({ ...copy, headers: {} })).toMatchObject({ status: 202 })
    expect((await inbox.list({})).deliveries).toMatchObject([{ conflict: false }, { duplicates: 1, conflict: false }])
  })

  test('rejects during a shutdown', async () => {
    const hooks = hooksWith()
    await hooks.close()
    await expect(hooks.receive(delivery)).rejects.toMatchObject({ code: 'shutting_down' })
  })

  test.each<[string, unknown]>([
    ['hooks.receive(): the delivery must be an object { event, guid, payload }, got undefined', undefined],
    ['"event" must be the name of an event without its action, such as "issues", got undefined', { guid: 'g' }],
    ['"event" must be the name of an event without its action', { ...delivery, event: 'issues.opened' }],
    ['"guid" must be a string that is not empty, got ""', { ...delivery, guid: '' }],
    ['"guid" must be a string that is not empty, got 7', { ...delivery, guid: 7 }],
    [`${mustBe}, got null`, { ...delivery, payload: null }],
    [`${mustBe}, got []`, { ...delivery, payload: [] }],
    [`${mustBe}, got an instance of Promise`, { ...delivery, payload: Promise.resolve({}) }],
    [`${mustBe}, got an instance of Map`, { ...delivery, payload: new Map() }],
    [`${mustBe}, got an instance of ArrayBuffer`, { ...delivery, payload: new ArrayBuffer(2) }],
    [`${mustBe}, got an instance of Uint16Array`, { ...delivery, payload: new Uint16Array(2) }],
    ['"payload" cannot be written as JSON', { ...delivery, payload: { a: 1n } }],
    ['"headers" must be an object, got "x"', { ...delivery, headers: 'x' }],
  ])('rejects with a TypeError that names the argument: %s', async (message, given) => {
    const received = hooksWith().receive(given as TrustedDelivery)
    await expect(received).rejects.toThrow(TypeError)
    await expect(received).rejects.toThrow(message)
  })
})
