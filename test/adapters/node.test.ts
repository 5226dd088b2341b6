import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, createServer as createServer2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hookserver } from '../../src/adapters/node.ts'
import { Hooks } from '../../src/index.ts'
import { signedRequest } from '../../src/testing/index.ts'
import { holdsAdapterContract, serving } from './host.ts'

const pathOf = (request: IncomingMessage) => request.url?.split('?')[0]

holdsAdapterContract(
  {
    title: 'node:http',
    start(mounts) {
      const handlers = new Map(mounts.map(({ hooks, options }) => [options.path, hookserver(hooks, options)]))
      const plain = handlers.get('/contract/plain') as ReturnType<typeof hookserver>
      const consumed = mounts.filter((mount) => mount.consumed).map(({ options }) => options.path)
      return createServer(async (request, response) => {
        const path = pathOf(request) ?? ''
        if (consumed.includes(path)) for await (const _ of request);
        await (handlers.get(path) ?? plain)(request, response)
      })
    },
  },
  'all cases',
)

holdsAdapterContract({
  title: 'connect middleware',
  start(mounts) {
    const handlers = mounts.map(({ hooks, options }) => hookserver(hooks, options))
    const consumed = mounts.filter((mount) => mount.consumed).map(({ options }) => options.path)
    return createServer(async (request, response) => {
      if (consumed.includes(pathOf(request) ?? '')) for await (const _ of request);
      const run = (index: number): void => {
        const handle = handlers[index]
        if (handle) void handle(request, response, () => run(index + 1))
        else response.writeHead(404).end()
      }
      run(0)
    })
  },
})

describe('the promise of the handler', () => {
  const secret = 'a secret of the tests'

  function handlerFor(): ReturnType<typeof hookserver> {
    const hooks = new Hooks({ secret, validateIp: false, logger: false })
    hooks.hook('ping', () => 'pong')
    hooks.hook('fork', () => Promise.reject(new Error('failed')))
    return hookserver(hooks)
  }

  test('resolves to true for every request without next, so that the caller writes no second reply', async () => {
    const handle = handlerFor()
    const handled: boolean[] = []
    const server = createServer(async (request, response) => {
      const isHandled = await handle(request, response)
      handled.push(isHandled)
      if (isHandled) return
      response.writeHead(404).end('from the caller')
    })
    await serving(server, async (origin) => {
      const statuses: number[] = []
      for (const [path, init] of [
        ['/hooks', signedRequest('ping', { secret })],
        ['/hooks', signedRequest('ping', { secret: 'wrong' })],
        ['/hooks', signedRequest('fork', { secret })],
        ['/hooks', {}],
        ['/other', {}],
      ] as const) {
        const reply = await fetch(origin + path, init)
        expect(await reply.text()).not.toBe('from the caller')
        statuses.push(reply.status)
      }
      expect(statuses).toEqual([200, 400, 500, 405, 404])
    })
    expect(handled).toEqual([true, true, true, true, true])
  })

  test('resolves to false for other paths if next is given, and next replies', async () => {
    const handle = handlerFor()
    const handled: boolean[] = []
    const server = createServer(async (request, response) => {
      handled.push(await handle(request, response, () => response.writeHead(418).end()))
    })
    await serving(server, async (origin) => {
      expect((await fetch(`${origin}/other`)).status).toBe(418)
      expect((await fetch(`${origin}/hooks`, signedRequest('ping', { secret }))).status).toBe(200)
    })
    expect(handled).toEqual([false, true])
  })
})

test('the handler is a listener for HTTP/2, too', async () => {
  const secret = 'a secret of the tests'
  const hooks = new Hooks({ secret, validateIp: false, logger: false })
  hooks.hook('ping', () => 'pong')
  hooks.hook('fork', () => new Response('forked', { status: 201 }))
  const server = createServer2(hookserver(hooks))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(() => {
    session.destroy()
    server.close()
  })
  const send = async ({ headers, body }: ReturnType<typeof signedRequest>) => {
    const stream = session.request({ ':method': 'POST', ':path': '/hooks', ...headers })
    stream.end(body)
    const [reply] = await once(stream, 'response')
    return [reply[':status'], await text(stream)]
  }
  expect(await send(signedRequest('ping', { secret }))).toEqual([200, 'pong'])
  expect(await send(signedRequest('fork', { secret }))).toEqual([201, 'forked'])
  expect(await send(signedRequest('push', { secret: 'wrong' }))).toEqual([
    400,
    expect.stringContaining('Wrong signature'),
  ])
})
