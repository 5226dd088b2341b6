/** Features of each framework: prefixes, error handlers, defaults. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { createAdaptorServer } from '@hono/node-server'
import express from 'express'
import express4 from 'express4'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import mount from 'koa-mount'
import Koa2 from 'koa2'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { errorHandler as expressErrors, hookserver as inExpress } from '../../src/adapters/express.ts'
import { hookserver as inFastify } from '../../src/adapters/fastify.ts'
import { hookserver as inHono } from '../../src/adapters/hono.ts'
import { hookserver as inKoa, errorHandler as koaErrors } from '../../src/adapters/koa.ts'
import { hookserver as inNode } from '../../src/adapters/node.ts'
import { hookserver as onWeb } from '../../src/adapters/web.ts'
import { HookError, Hooks, type HooksOptions } from '../../src/index.ts'
import { signedRequest } from '../../src/testing/index.ts'
import { serving } from './host.ts'

const secret = 's'
const pong = (options: HooksOptions = {}): Hooks => {
  const hooks = new Hooks({ secret, validateIp: false, logger: false, ...options })
  hooks.hook('ping', () => 'pong')
  hooks.hook('fork', () => Promise.reject(new Error('a secret text')))
  return hooks
}
const ping = () => signedRequest('ping', { secret })
const answerOf = async (origin: string, path: string, request: RequestInit = ping()) => {
  const answer = await fetch(origin + path, request)
  return { status: answer.status, text: await answer.text(), headers: answer.headers }
}

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('%s', (_version, express) => {
  test('honors mount prefixes and routers', async () => {
    const router = express.Router().use(inExpress(pong()))
    const app = express().use('/github', inExpress(pong())).use('/api', router)
    await serving(createServer(app), async (origin) => {
      expect(await answerOf(origin, '/github/hooks')).toMatchObject({ status: 200, text: 'pong' })
      expect(await answerOf(origin, '/api/hooks')).toMatchObject({ status: 200, text: 'pong' })
      expect((await answerOf(origin, '/hooks')).status).toBe(404)
    })
  })

  test('replies through its default error handler, with our headers, without the error text of handlers', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {}) // Express logs errors there
    await serving(createServer(express().use(inExpress(pong()))), async (origin) => {
      const get = await answerOf(origin, '/hooks', { method: 'GET' })
      expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
      const failed = await answerOf(origin, '/hooks', signedRequest('fork', { secret }))
      expect(failed.status).toBe(500)
      expect(failed.text).not.toContain('a secret text')
    })
    vi.restoreAllMocks()
  })

  test('gives its error handlers the status, the code and the headers of each rejection and failed handler', async () => {
    const errors: HookError[] = []
    const report: express.ErrorRequestHandler = (error, _request, _response, next) => {
      errors.push(error)
      next(error)
    }
    await serving(createServer(express().use(inExpress(pong()), report, expressErrors)), async (origin) => {
      expect((await answerOf(origin, '/hooks', { method: 'GET' })).status).toBe(405)
      expect((await answerOf(origin, '/hooks', signedRequest('ping', { secret: 'wrong' }))).status).toBe(400)
      expect((await answerOf(origin, '/hooks', signedRequest('fork', { secret }))).status).toBe(500)
    })
    expect(errors).toMatchObject([
      { status: 405, statusCode: 405, code: 'method_not_allowed', headers: { allow: 'POST' } },
      { status: 400, statusCode: 400, code: 'wrong_signature' },
      { status: 500, statusCode: 500, code: 'handler_failed' },
    ])
    expect(errors.every((error) => error instanceof HookError)).toBe(true)
  })

  test('uses req.ip as the address if clientAddress is "framework"', async () => {
    const app = express().set('trust proxy', true)
    app.use(inExpress(pong({ validateIp: true, ranges: ['192.0.2.0/24'], clientAddress: 'framework' })))
    await serving(createServer(app), async (origin) => {
      const { headers, ...rest } = ping()
      expect(
        (await answerOf(origin, '/hooks', { ...rest, headers: { ...headers, 'x-forwarded-for': '192.0.2.1' } })).status,
      ).toBe(200)
    })
  })
})

describe('Fastify', () => {
  test('honors the prefix of register() and the options of Fastify beside ours', async () => {
    const app = fastify()
    await app.register(inFastify, { hooks: pong(), prefix: '/github', logLevel: 'silent' })
    await app.register(inFastify, { hooks: pong(), prefix: '/all', path: false })
    await app.ready()
    await serving(app.server, async (origin) => {
      expect(await answerOf(origin, '/github/hooks')).toMatchObject({ status: 200, text: 'pong' })
      expect(await answerOf(origin, '/all/anything')).toMatchObject({ status: 200, text: 'pong' })
      expect((await answerOf(origin, '/hooks')).status).toBe(404)
    })
  })

  test('replies through its default error handler, with status and code', async () => {
    const app = fastify()
    await app.register(inFastify, { hooks: pong() })
    const rejected = await app.inject({ method: 'POST', url: '/hooks', payload: {} })
    expect([rejected.statusCode, rejected.json()]).toEqual([
      400,
      { statusCode: 400, code: 'missing_signature', error: 'Bad Request', message: 'Missing signature' },
    ])
    const get = await app.inject({ method: 'GET', url: '/hooks' })
    expect([get.statusCode, get.headers.allow]).toEqual([405, 'POST'])
    await app.close()
  })

  test('does not show the sender why the body of a Response failed', async () => {
    const hooks = pong()
    hooks.hook(
      'push',
      () => new Response(new ReadableStream({ pull: (controller) => controller.error(new Error('a secret text')) })),
    )
    const app = fastify()
    await app.register(inFastify, { hooks })
    await app.ready()
    await serving(app.server, async (origin) => {
      const seen = await answerOf(origin, '/hooks', signedRequest('push', { secret })).then(
        ({ text }) => text,
        () => 'cut',
      )
      expect(seen).toBe('cut')
      expect((await answerOf(origin, '/hooks')).text).toBe('pong')
    })
  })

  test('receives injected deliveries', async () => {
    const app = fastify()
    await app.register(inFastify, { hooks: pong() })
    const { method, headers, body } = ping()
    expect((await app.inject({ method, url: '/hooks', headers, payload: body })).body).toBe('pong')
    await app.close()
  })

  test('uses request.ip as the address if clientAddress is "framework"', async () => {
    const app = fastify({ trustProxy: true })
    await app.register(inFastify, {
      hooks: pong({ validateIp: true, ranges: ['192.0.2.0/24'], clientAddress: 'framework' }),
    })
    const { method, headers, body } = ping()
    const answer = await app.inject({
      method,
      url: '/hooks',
      headers: { ...headers, 'x-forwarded-for': '192.0.2.1' },
      payload: body,
    })
    expect(answer.statusCode).toBe(200)
    await app.close()
  })
})

describe('Koa', () => {
  test.each([
    ['3', Koa],
    ['2', Koa2],
  ] as const)('%s: closes the connection if the body of a Response fails', (_, Framework) =>
    closesIfReplyFails((hooks) => {
      const app = new Framework()
      app.silent = true
      return app.use(inKoa(hooks)).callback()
    }),
  )

  test('honors koa-mount, and uses ctx.ip for "framework"', async () => {
    const app = new Koa({ proxy: true })
    app.use(mount('/github', inKoa(pong({ validateIp: true, ranges: ['192.0.2.0/24'], clientAddress: 'framework' }))))
    await serving(app.callback(), async (origin) => {
      const { headers, ...rest } = ping()
      const sent = { ...rest, headers: { ...headers, 'x-forwarded-for': '192.0.2.1' } }
      expect(await answerOf(origin, '/github/hooks', sent)).toMatchObject({ status: 200, text: 'pong' })
      expect((await answerOf(origin, '/hooks', sent)).status).toBe(404)
    })
  })

  test('replies through its default error handling, and emits the error', async () => {
    const app = new Koa()
    const seen: HookError[] = []
    app.on('error', (error) => seen.push(error))
    app.use(inKoa(pong()))
    await serving(app.callback(), async (origin) => {
      const rejected = await answerOf(origin, '/hooks', { method: 'PUT' })
      expect([rejected.status, rejected.headers.get('allow'), rejected.text]).toEqual([
        405,
        'POST',
        'Webhooks are sent with POST',
      ])
      const failed = await answerOf(origin, '/hooks', signedRequest('fork', { secret }))
      expect([failed.status, failed.text]).toEqual([500, 'A handler failed'])
    })
    expect(seen.map(({ code }) => code)).toEqual(['method_not_allowed', 'handler_failed'])
    expect(seen[1]?.cause).toMatchObject({ message: 'a secret text' })
  })
})

describe('Hono', () => {
  test('honors basePath() and route(), with parameters', async () => {
    const sub = new Hono().use(inHono(pong()))
    const app = new Hono().route('/github', sub).route('/of/:tenant', sub)
    app.basePath('/base').use(inHono(pong()))
    app.post('/exact', inHono(pong(), { path: false }))
    await serving(createAdaptorServer({ fetch: app.fetch }) as Server, async (origin) => {
      for (const path of ['/github/hooks', '/of/me/hooks', '/base/hooks', '/exact']) {
        expect(await answerOf(origin, path), path).toMatchObject({ status: 200, text: 'pong' })
      }
      for (const path of ['/hooks', '/of/hooks', '/github'])
        expect((await answerOf(origin, path)).status, path).toBe(404)
    })
  })

  test('replies through getResponse() by default, and through onError() if the application has it', async () => {
    const plain = new Hono().use(inHono(pong()))
    const rejected = await plain.request('/hooks', { method: 'PUT' })
    expect([rejected.status, rejected.headers.get('allow')]).toEqual([405, 'POST'])
    expect(await rejected.json()).toMatchObject({ code: 'method_not_allowed' })
    const own = new Hono()
      .use(inHono(pong()))
      .onError((error, context) => context.text(error instanceof HookError ? error.code : '', 418))
    const answer = await own.request('/hooks', { method: 'PUT' })
    expect([answer.status, answer.headers.get('allow'), await answer.text()]).toEqual([
      418,
      'POST',
      'method_not_allowed',
    ])
  })

  test('finds the address on @hono/node-server, even if the body was read before', async () => {
    const app = new Hono()
    app.use(async (context, next) => {
      if (context.req.header('x-read')) await context.req.text()
      await next()
    })
    app.use(inHono(pong({ validateIp: true, ranges: ['127.0.0.1'] })))
    await serving(createAdaptorServer({ fetch: app.fetch }) as Server, async (origin) => {
      const { headers, ...rest } = ping()
      expect((await answerOf(origin, '/hooks')).status).toBe(200)
      expect((await answerOf(origin, '/hooks', { ...rest, headers: { ...headers, 'x-read': '1' } })).status).toBe(200)
    })
  })

  test('keeps a Worker running through its execution context', async () => {
    const waitUntil = vi.fn()
    const hooks = pong({ validateIp: 'warn', ranges: ['192.0.2.0/24'], clientAddress: 'cloudflare' })
    const app = new Hono().use(inHono(hooks))
    const context = { waitUntil, passThroughOnException() {}, props: {} }
    expect((await app.request('/hooks', ping(), {}, context)).status).toBe(200)
    expect(waitUntil).toHaveBeenCalled()
  })
})

async function closesIfReplyFails(listenerFor: (hooks: Hooks) => RequestListener): Promise<void> {
  const hooks = pong()
  hooks.hook('push', () => {
    const broken = new ReadableStream({
      pull(controller) {
        controller.error(new Error('broken'))
      },
    })
    return new Response(broken)
  })
  await serving(listenerFor(hooks), async (origin) => {
    await expect(
      fetch(`${origin}/hooks`, signedRequest('push', { secret })).then((answer) => answer.text()),
    ).rejects.toThrow()
    expect((await answerOf(origin, '/hooks')).text).toBe('pong')
  })
}

describe('node', () => {
  test('is a connect middleware: other paths go to next()', async () => {
    const handle = inNode(pong())
    await serving(
      (request, response) => void handle(request, response, () => response.end('next')),
      async (origin) => {
        expect((await answerOf(origin, '/other')).text).toBe('next')
        expect((await answerOf(origin, '/hooks?x=1')).text).toBe('pong')
      },
    )
  })

  test('does not change a response that other software has already sent', async () => {
    const hooks = pong()
    const late = Promise.withResolvers<string>()
    hooks.hook('push', () => late.promise)
    const handled = Promise.withResolvers<boolean>()
    const handle = inNode(hooks)
    await serving(
      (request, response) => {
        handle(request, response).then(handled.resolve, handled.reject)
        request.on('end', () => response.writeHead(504).end('too slow'))
      },
      async (origin) => {
        expect((await answerOf(origin, '/hooks', signedRequest('push', { secret }))).status).toBe(504)
        late.resolve('late')
        expect(await handled.promise).toBe(true)
      },
    )
  })

  test('closes the connection if the body of a Response fails', () => closesIfReplyFails(inNode))

  test('passes on a Response of fetch() without the headers of its connection', async () => {
    const upstream = createServer((_request, response) => {
      response
        .writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'text/x-up' })
        .end(gzipSync('unpacked '.repeat(500)))
    })
    await serving(upstream, async (up) => {
      const hooks = pong()
      hooks.hook('push', () => fetch(up))
      await serving(inNode(hooks), async (origin) => {
        const answer = await answerOf(origin, '/hooks', signedRequest('push', { secret }))
        expect([answer.text, answer.headers.get('content-type')]).toEqual(['unpacked '.repeat(500), 'text/x-up'])
        expect(answer.headers.get('content-encoding')).toBeNull()
      })
    })
  })

  test('closes the connection of the second delivery that shares a Response, and keeps serving', async () => {
    const hooks = pong()
    const shared = new Response('once')
    const both = Promise.withResolvers<void>()
    let waiting = 0
    hooks.hook('push', async () => {
      if (++waiting === 2) both.resolve()
      await both.promise
      return shared
    })
    await serving(inNode(hooks), async (origin) => {
      const send = () =>
        answerOf(origin, '/hooks', signedRequest('push', { secret })).then(
          ({ text }) => text,
          () => 'cut',
        )
      const outcomes = await Promise.all([send(), send()])
      expect(outcomes).toContain('once')
      expect((await answerOf(origin, '/hooks')).text).toBe('pong')
    })
  })

  test('streams the body of a Response, if it has one', async () => {
    const hooks = pong()
    hooks.hook('push', () => new Response(null, { status: 202 }))
    hooks.hook('star', () => new Response(new Blob(['streamed']).stream()))
    await serving(inNode(hooks), async (origin) => {
      expect(await answerOf(origin, '/hooks', signedRequest('push', { secret }))).toMatchObject({
        status: 202,
        text: '',
      })
      expect((await answerOf(origin, '/hooks', signedRequest('star', { secret }))).text).toBe('streamed')
    })
  })

  test('recognizes a proxy that connects through a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hookserver-'))
    const socketPath = join(folder, 'socket')
    const server = createServer(inNode(pong({ validateIp: true, ranges: ['192.0.2.0/24'], trustProxy: 'unix' })))
    server.listen(socketPath)
    await once(server, 'listening')
    const { method, headers, body } = ping()
    const sending = request({
      socketPath,
      path: '/hooks',
      method,
      headers: { ...headers, 'x-forwarded-for': '192.0.2.1' },
    })
    sending.end(body)
    const [answer] = await once(sending, 'response')
    expect(answer.statusCode).toBe(200)
    answer.resume()
    server.close()
    server.closeAllConnections()
    rmSync(folder, { recursive: true })
  })

  test('does not mistake a TCP connection that the client has reset for a Unix socket', async () => {
    const logged = Promise.withResolvers<string>()
    const logger = { warn: (_fields: object, message: string) => logged.resolve(message), error: () => {} }
    const hooks = pong({ validateIp: true, ranges: ['192.0.2.0/24'], trustProxy: 'unix', logger })
    hooks.hook('push', () => logged.resolve('the handler ran'))
    const server = createServer(inNode(hooks)).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { headers, body } = signedRequest('push', { secret })
    const fields = { ...headers, host: 'localhost', 'x-forwarded-for': '192.0.2.1', 'content-length': body.length }
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
    const sent = ['POST /hooks HTTP/1.1', ...lines, '', Buffer.from(body).toString()].join('\r\n')
    // The client ends before this process, which waits for it, can accept the connection.
    const client = `const socket = require('node:net').connect(${(server.address() as AddressInfo).port}, '127.0.0.1')
      socket.write(require('node:fs').readFileSync(0), () => socket.resetAndDestroy())`
    spawnSync(process.execPath, ['-e', client], { input: sent })
    expect(await logged.promise).toContain('The sender disconnected')
  })
})

describe('web', () => {
  test('passes the arguments of the platform to clientAddress, and keeps the platform running', async () => {
    const hooks = pong({ validateIp: true, ranges: ['192.0.2.0/24'] })
    const handle = onWeb(hooks, { clientAddress: (_request, env: { ip: string }) => env.ip })
    const delivery = () => new Request('http://localhost/hooks', ping())
    expect((await handle(delivery(), { ip: '192.0.2.1' })).status).toBe(200)
    expect((await handle(delivery(), { ip: '203.0.113.1' })).status).toBe(403)
    const waitUntil = vi.fn()
    const warned = onWeb(hooks, { validateIp: 'warn', clientAddress: 'cloudflare' })
    expect((await warned(delivery(), {}, { waitUntil })).status).toBe(200)
    expect(waitUntil).toHaveBeenCalled()
  })

  test('serves any path if url is false', async () => {
    const handle = onWeb(pong(), { path: false })
    expect((await handle(new Request('http://localhost/api/github', ping()))).status).toBe(200)
  })

  test('accepts a request without a body, and rejects one whose stream is locked', async () => {
    const handle = onWeb(pong())
    const { headers } = signedRequest('ping', { secret, payload: '' })
    const empty = await handle(new Request('http://localhost/hooks', { method: 'POST', headers }))
    expect(await empty.json()).toMatchObject({ code: 'invalid_payload' })
    const locked = new Request('http://localhost/hooks', ping())
    locked.body?.getReader()
    expect(await (await handle(locked)).json()).toMatchObject({ code: 'body_already_parsed' })
  })
})

describe.each([
  ['Express 5', () => inDevelopment(express()).use(inExpress(pong()), fails, expressErrors)],
  ['Express 4', () => inDevelopment(express4()).use(inExpress(pong()), fails, expressErrors)],
  ['Koa', () => koaListener(new Koa())],
  ['Koa 2', () => koaListener(new Koa2())],
])('the error handler for %s', (_framework, listener) => {
  test('replies to our errors with problem+json, and prints nothing', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {})
    await serving(createServer(listener() as RequestListener), async (origin) => {
      const rejected = await answerOf(origin, '/hooks', { method: 'GET' })
      expect([rejected.status, rejected.headers.get('allow')]).toEqual([405, 'POST'])
      expect(rejected.headers.get('content-type')).toBe('application/problem+json')
      expect(JSON.parse(rejected.text)).toMatchObject({ status: 405, code: 'method_not_allowed' })
      const failed = await answerOf(origin, '/hooks', signedRequest('fork', { secret }))
      expect(JSON.parse(failed.text)).toMatchObject({ status: 500, code: 'handler_failed', detail: 'A handler failed' })
    })
    expect(print).not.toHaveBeenCalled()
    print.mockRestore()
  })

  test('leaves other errors to the framework', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {})
    await serving(createServer(listener() as RequestListener), async (origin) => {
      const answer = await answerOf(origin, '/')
      expect(answer.status).toBe(500)
      expect(answer.headers.get('content-type')).toMatch(/^text\//)
    })
    await expect.poll(() => print.mock.calls.length).toBe(1)
    print.mockRestore()
  })
})

/** Lets Express print errors, which it does not do in tests. */
const inDevelopment = (app: express.Express) => app.set('env', 'development')

function fails(): void {
  throw new Error('a failure of the application')
}

function koaListener(app: Koa | Koa2): RequestListener {
  app.use(koaErrors).use(inKoa(pong()))
  app.use(fails)
  return app.callback() as RequestListener
}
