/** `createNodeMiddleware()` and `createLambdaFunction()`. */
import { once } from 'node:events'
import express from 'express'
import { describe, expect, test, vi } from 'vitest'
import { sign } from '../../src/index.ts'
import { type ApplicationFunction, createLambdaFunction, createNodeMiddleware, Probot } from '../../src/probot/index.ts'
import { createApp, secret, send, serve } from './scene.ts'

const path = '/api/github/webhooks'

function createHandler() {
  const handler = vi.fn()
  const app: ApplicationFunction = (probot) => probot.on('push', handler)
  return { app, handler }
}

describe('createNodeMiddleware()', () => {
  test('serves deliveries, with and without await', async () => {
    const { app, handler } = createHandler()
    const middleware = createNodeMiddleware(app, { probot: createApp().app })
    expect(await send(`${await serve(middleware)}${path}`)).toEqual({ status: 200, text: 'ok\n' })
    expect(await send(`${await serve(await middleware)}${path}`)).toEqual({ status: 200, text: 'ok\n' })
    expect(handler.mock.calls[1]?.[0]).toMatchObject({ id: 'guid-1', name: 'push' })
  })

  test('uses the path of the Probot, or its own', async () => {
    const { app, handler } = createHandler()
    const [probot, other] = [createApp({ webhookPath: '/own' }).app, createApp().app]
    expect((await send(`${await serve(createNodeMiddleware(app, { probot }))}/own`)).status).toBe(200)
    const middleware = createNodeMiddleware(app, { probot: other, webhooksPath: '/' })
    expect((await send(await serve(middleware))).status).toBe(200)
    expect(handler).toHaveBeenCalledTimes(2)
  })

  test('rejects a wrong signature, and does not show the error of a handler', async () => {
    const { app, recorder } = createApp()
    const failing: ApplicationFunction = (probot) => probot.on('push', () => Promise.reject(new Error('private')))
    const url = `${await serve(createNodeMiddleware(failing, { probot: app }))}${path}`
    const headers = {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': 'guid',
      'x-hub-signature-256': `sha256=${'0'.repeat(64)}`,
    }
    const forged = await fetch(url, { method: 'POST', body: '{}', headers })
    expect(forged.status).toBe(400)
    const failed = await send(url)
    expect(failed.status).toBe(500)
    expect(failed.text).not.toContain('private')
    expect(recorder.lines.find(({ level }) => level === 'error')?.fields.err).toMatchObject({ message: 'private' })
  })

  test('calls next() for other paths, and without next replies 404', async () => {
    const { app } = createHandler()
    const middleware = createNodeMiddleware(app, { probot: createApp().app })
    const server = express().use(middleware)
    server.get('/own', (_request, response) => void response.send('own'))
    expect(await (await fetch(`${await serve(server)}/own`)).text()).toBe('own')
    expect((await fetch(`${await serve(middleware)}/nothing`)).status).toBe(404)
  })

  test('settles if the client has disconnected before a handler that takes next()', async () => {
    const abort = new AbortController()
    const app: ApplicationFunction = (_probot, { addHandler }) => {
      addHandler(async (_request, response) => {
        const closed = once(response, 'close')
        abort.abort()
        await closed
      })
      addHandler((_request, _response, _next) => undefined)
    }
    const middleware = await createNodeMiddleware(app, { probot: createApp().app })
    const settled = Promise.withResolvers<boolean>()
    const url = await serve((request, response) => void settled.resolve(middleware(request, response)))
    await expect(fetch(url, { signal: abort.signal })).rejects.toThrow('aborted')
    expect(await settled.promise).toBe(true)
  })

  test('serves the paths that the app adds', async () => {
    const app: ApplicationFunction = (_probot, { addHandler }) => {
      addHandler((request, response) => {
        if (request.url !== '/plain') return false
        response.end('plain')
        return true
      })
      addHandler(express().get('/express', async (_request, response) => void response.send('express')))
    }
    const url = await serve(createNodeMiddleware(app, { probot: createApp().app }))
    for (const name of ['plain', 'express']) expect(await (await fetch(`${url}/${name}`)).text()).toBe(name)
    expect((await fetch(`${url}/nothing`)).status).toBe(404)
  })

  test('replies 404 if no handler of a path has begun a response or says that it will', async () => {
    const app: ApplicationFunction = (_probot, { addHandler }) => {
      addHandler(async (request, response) => {
        if (request.url === '/stream') response.write('be')
        if (request.url === '/stream' || request.url === '/later') setImmediate(() => response.end('gun'))
        return request.url === '/later' ? true : undefined
      })
      addHandler((_request, _response) => undefined)
    }
    const url = await serve(createNodeMiddleware(app, { probot: createApp().app }))
    expect(await (await fetch(`${url}/stream`)).text()).toBe('begun')
    expect(await (await fetch(`${url}/later`)).text()).toBe('gun')
    expect((await fetch(`${url}/nothing`)).status).toBe(404)
  })

  test('replies 500 if a handler of a path fails, and logs the error', async () => {
    const { app: probot, recorder } = createApp()
    const app: ApplicationFunction = (_probot, { addHandler }) => addHandler(() => Promise.reject(new Error('broken')))
    expect((await fetch(await serve(createNodeMiddleware(app, { probot })))).status).toBe(500)
    expect(recorder.messages).toEqual(['A request handler of the app failed'])
  })

  test('without a secret, says what to set', async () => {
    const probot = new Probot({ githubToken: 'token', log: createApp().app.log })
    const awaited = async () => createNodeMiddleware(() => {}, { probot })
    await expect(awaited()).rejects.toThrow('set GITHUB_WEBHOOKS_KEY or WEBHOOK_SECRET')
  })

  test('rejects if the app fails. Without await, it logs the error, and each request gets 500', async () => {
    const { app: probot, recorder } = createApp()
    const middleware = createNodeMiddleware(() => Promise.reject(new Error('broken')), { probot })
    expect((await fetch(await serve(middleware))).status).toBe(500)
    expect(recorder.messages).toEqual(['The app cannot be loaded'])
    await expect(Promise.resolve(middleware)).rejects.toThrow('broken')
  })
})

test('app.getNodeMiddleware() serves the deliveries of a loaded app', async () => {
  const { app, handler } = createHandler()
  const { app: probot } = createApp()
  void probot.load(app)
  const url = await serve(await probot.getNodeMiddleware({ path: '/own' }))
  expect((await send(`${url}/own`)).status).toBe(200)
  expect(handler).toHaveBeenCalledOnce()
})

test('createLambdaFunction() receives deliveries at each path', async () => {
  const { app, handler } = createHandler()
  const lambda = createLambdaFunction(app, { probot: createApp().app })
  const body = '{"ref":"refs/heads/main"}'
  const headers = {
    'Content-Type': 'application/json',
    'X-GitHub-Event': 'push',
    'X-GitHub-Delivery': 'guid-1',
    'X-Hub-Signature-256': await sign(secret, body),
  }
  const reply = await lambda({ httpMethod: 'POST', path: '/any', headers, body })
  expect(reply).toMatchObject({ statusCode: 200, body: 'ok\n' })
  expect(handler).toHaveBeenCalledOnce()
})
