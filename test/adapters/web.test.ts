import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { describe, expect, test } from 'vitest'
import { hookserver } from '../../src/adapters/web.ts'
import { type Delivery, Hooks } from '../../src/index.ts'
import { signedRequest } from '../../src/testing/index.ts'
import { application } from '../runtimes/application.ts'
import { holdsAdapterContract } from './host.ts'

holdsAdapterContract('web', (mounts) => createAdaptorServer({ fetch: application(hookserver, mounts) }) as Server, {
  clientAddress: () => '127.0.0.1',
})

describe('a body whose stream fails', () => {
  const limit = Object.assign(new Error('Content-length of 600000 exceeds limit of 524288 bytes.'), { status: 413 })

  test.each([
    ['because the platform limits its size', 413, 'payload_too_large', limit],
    ['for another reason', 400, 'body_aborted', new Error('socket hang up')],
    ['without an error', 400, 'body_aborted', undefined],
  ])('%s is answered %i %s', async (_, status, code, error) => {
    const handle = hookserver(new Hooks({ secret: 's', validateIp: false, logger: false }))
    const { headers } = signedRequest('ping', { secret: 's' })
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{'))
      },
      pull: (controller) => controller.error(error),
    })
    const request = new Request('http://localhost/hooks', {
      method: 'POST',
      headers,
      body,
      duplex: 'half',
    } as RequestInit)
    const reply = await handle(request)
    expect([reply.status, await reply.json()]).toMatchObject([status, { code }])
  })
})

describe('the headers that a handler gets', () => {
  const sent = { ...signedRequest('ping', { secret: 's' }).headers, 'X-Custom': 'one' }

  async function headersOfDelivery(): Promise<Delivery['headers']> {
    const hooks = new Hooks({ secret: 's', validateIp: false, logger: false })
    const { promise, resolve } = Promise.withResolvers<Delivery['headers']>()
    hooks.hook('ping', (_data, _guid, delivery) => resolve(delivery.headers))
    const headers = new Headers(sent)
    headers.append('x-custom', 'two')
    const { body } = signedRequest('ping', { secret: 's' })
    await hookserver(hooks)(new Request('http://localhost/hooks', { method: 'POST', headers, body }))
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
