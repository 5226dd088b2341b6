import type { Server } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { createAdaptorServer } from '@hono/node-server'
import { describe, expect, test, vi } from 'vitest'
import { hookserver } from '../../src/adapters/web.ts'
import { type Delivery, Hooks, type HooksOptions } from '../../src/index.ts'
import { signedRequest } from '../../src/testing/index.ts'
import { application } from '../runtimes/application.ts'
import { holdsAdapterContract } from './host.ts'

holdsAdapterContract(
  {
    title: 'web',
    start: (mounts) => createAdaptorServer({ fetch: application(hookserver, mounts) }) as Server,
    options: { clientAddress: () => '127.0.0.1' },
  },
  'all cases',
)

const { headers: pingHeaders, body: pingBody } = signedRequest('ping', { secret: 's' })
const pingBytes = new TextEncoder().encode(pingBody)

function ping(init: { headers?: Record<string, string>; body?: RequestInit['body'] } = {}): Request {
  const headers = { ...pingHeaders, ...init.headers }
  return new Request('http://localhost/hooks', {
    method: 'POST',
    headers,
    body: init.body ?? pingBody,
    duplex: 'half',
  } as RequestInit)
}

/** Serves a request with one hook. @returns The status, and the text or the code of the reply. */
async function reply(request: Request, options: HooksOptions = {}): Promise<[status: number, reply: string]> {
  const hooks = new Hooks({ secret: 's', validateIp: false, logger: false })
  hooks.hook('ping', () => 'pong')
  const response = await hookserver(hooks, options)(request)
  const text = await response.text()
  return [response.status, response.ok ? text : JSON.parse(text).code]
}

test('does not copy the headers of a request to verify its signature', async () => {
  const request = ping()
  const copies = vi.spyOn(Headers.prototype, Symbol.iterator)
  try {
    expect(await reply(request, { secret: ['another', 's'] })).toEqual([200, 'pong'])
    expect(copies).not.toHaveBeenCalled()
  } finally {
    copies.mockRestore()
  }
})

// Bun and Deno put the header `Host` into the URL, and Bun leaves it out if it is empty.
test.each<[url: string, status: number, text: string]>([
  ['http://[::1/hooks', 404, 'not_found'],
  ['http://localhost:99999/hooks', 404, 'not_found'],
  ['http://a b<>"/hooks', 404, 'not_found'],
  ['/hooks', 200, 'pong'],
])('answers a request whose URL is not valid: %s', async (url, status, text) => {
  const request = Object.defineProperty(ping(), 'url', { value: url })
  expect(await reply(request)).toEqual([status, text])
})

const lengths = [undefined, String(pingBytes.length)]
const announcing = (length: string | undefined) => (length === undefined ? {} : { 'content-length': length })

describe.each(lengths)('a body whose stream fails, with Content-Length %s,', (length) => {
  const limit = Object.assign(new Error('Content-length of 600000 exceeds limit of 524288 bytes.'), { status: 413 })

  test.each([
    ['because the platform limits its size', 413, 'payload_too_large', limit],
    ['for another reason', 400, 'body_aborted', new Error('socket hang up')],
    ['without an error', 400, 'body_aborted', undefined],
  ])('%s is answered %i %s', async (_, status, code, error) => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{'))
      },
      pull: (controller) => controller.error(error),
    })
    expect(await reply(ping({ body, headers: announcing(length) }))).toEqual([status, code])
  })
})

describe('a body with a small Content-Length', () => {
  const announced = announcing(String(pingBytes.length))

  test('is read with one call, without its stream', async () => {
    const request = ping({ headers: announced })
    const stream = vi.spyOn(request, 'body', 'get')
    expect(await reply(request)).toEqual([200, 'pong'])
    expect(stream).not.toHaveBeenCalled()
  })

  test.each([
    ['no Content-Length', {}],
    ['a large Content-Length', { 'content-length': '100000' }],
    ['a transfer coding', { ...announced, 'transfer-encoding': 'chunked' }],
    ['a content coding', { ...announced, 'content-encoding': 'gzip' }],
  ])('is read in chunks if it has %s', async (_, headers) => {
    const request = ping({ headers })
    const whole = vi.spyOn(request, 'arrayBuffer')
    await reply(request)
    expect(whole).not.toHaveBeenCalled()
  })

  test.each([['1'], ['60000']])('is verified as it arrives, if the Content-Length is wrong: %s', async (length) => {
    expect(await reply(ping({ headers: announcing(length) }))).toEqual([200, 'pong'])
  })

  test('is rejected if it is larger than the limit', async () => {
    expect(await reply(ping({ headers: announcing('1') }), { bodyLimit: '10 B' })).toEqual([413, 'payload_too_large'])
  })

  test.each(lengths)('is rejected if other software holds its stream, with Content-Length %s', async (length) => {
    const request = ping({ headers: announcing(length) })
    request.body?.getReader()
    expect(await reply(request)).toEqual([500, 'body_already_parsed'])
  })

  test.each([
    ['ends', (controller: ReadableStreamDefaultController) => controller.close()],
    ['fails', (controller: ReadableStreamDefaultController) => controller.error(new Error('socket hang up'))],
  ])('is answered 408 at the deadline, if it later %s', async (_, finish) => {
    const { promise, resolve } = Promise.withResolvers<ReadableStreamDefaultController>()
    const body = new ReadableStream({ start: resolve })
    expect(await reply(ping({ body, headers: announced }), { replyTimeout: '20ms' })).toEqual([408, 'body_timeout'])
    finish(await promise)
    await setImmediate() // an unhandled rejection would fail the test
  })
})

describe('the headers that a handler gets', () => {
  const sent = { ...pingHeaders, 'X-Custom': 'one' }

  async function headersOfDelivery(): Promise<Delivery['headers']> {
    const hooks = new Hooks({ secret: 's', validateIp: false, logger: false })
    const { promise, resolve } = Promise.withResolvers<Delivery['headers']>()
    hooks.hook('ping', (_data, _guid, delivery) => resolve(delivery.headers))
    const headers = new Headers(sent)
    headers.append('x-custom', 'two')
    await hookserver(hooks)(new Request('http://localhost/hooks', { method: 'POST', headers, body: pingBody }))
    return promise
  }

  test('are an object with all headers: names in lower case, values of repeated headers joined', async () => {
    const headers = await headersOfDelivery()
    const lowerCase = Object.entries(sent).map(([name, value]) => [name.toLowerCase(), value])
    const expected = { ...Object.fromEntries(lowerCase), 'x-custom': 'one, two' }
    expect(headers).toEqual(expected)
    expect([Object.keys(headers).toSorted(), { ...headers }]).toEqual([Object.keys(expected).toSorted(), expected])
    expect(structuredClone(headers)).toEqual(JSON.parse(JSON.stringify(headers)))
  })

  test('have no member for a header that was not sent', async () => {
    const headers = await headersOfDelivery()
    expect(['x-github-event' in headers, 'X-GitHub-Event' in headers, 'x-other' in headers]).toEqual([
      true,
      false,
      false,
    ])
    expect([headers['x-other'], headers.get]).toEqual([undefined, undefined])
  })
})
