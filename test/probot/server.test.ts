/** `Server` and `run()`. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Probot, run, Server } from '../../src/probot/index.ts'
import type { RequestHandler } from '../../src/probot/options.ts'
import { getWithEndlessBody } from '../endless-body.ts'
import { Recorder } from '../recorder.ts'
import { privateKey, recordedLog, secret, send } from './scene.ts'

const App = Probot.defaults({ githubToken: 'token', secret })

function createServer(options = {}) {
  const recorder = new Recorder()
  const server = new Server({ Probot: App, port: 0, host: '127.0.0.1', log: recordedLog(recorder), ...options })
  onTestFinished(() => server.stop())
  const url = (path: string) => `http://${server.host}:${server.port}${path}`
  return { server, recorder, url }
}

describe('Server', () => {
  test('serves the deliveries and the paths of an app, and logs the requests', async () => {
    const { server, recorder, url } = createServer()
    const handler = vi.fn()
    await server.load((app, { addHandler, cwd }) => {
      app.on('push', handler)
      addHandler((request, response) => request.url === '/own' && response.end(cwd))
    })
    await server.loadHandlerFactory(() => (request, response) => request.url === '/made' && response.end('made'))
    await server.start()
    expect(await send(url('/api/github/webhooks'))).toEqual({ status: 200, text: 'ok\n' })
    expect(handler).toHaveBeenCalledOnce()
    for (const [path, text] of Object.entries({ '/own': process.cwd(), '/made': 'made', '/ping': 'PONG' })) {
      expect(await (await fetch(url(path))).text()).toBe(text)
    }
    expect((await fetch(url('/nothing?secret=1'))).status).toBe(404)
    await expect.poll(() => recorder.messages.at(-1)).toMatch(/^GET \/nothing 404 - \d+ms$/)
  })

  test.each<[string, number]>([
    ['/ping', 200],
    ['/nothing', 404],
  ])('does not read a body to its end that no app reads: %s', async (path, expected) => {
    const { server, url } = createServer()
    await server.start()
    const { status, sent } = await getWithEndlessBody(url(path))
    expect(status).toBe(expected)
    expect(sent).toBeLessThan(100_000_000)
  })

  test('says once that deliveries come to the path of older versions of Probot', async () => {
    const { server, recorder, url } = createServer()
    await server.start()
    for (const guid of ['one', 'two']) expect((await send(url('/'), 'push', guid)).status).toBe(404)
    const hint = 'A delivery came to the path "/"'
    expect(recorder.messages.filter((text) => text.startsWith(hint))).toEqual([
      `${hint}, but the app receives deliveries at /api/github/webhooks: set WEBHOOK_PATH=/, or change the address of the webhook`,
    ])
  })

  test.each<[string, RequestHandler]>([
    ['fails', () => Promise.reject(new Error('private'))],
    [
      'takes next() and throws',
      (_request, _response, _next) => {
        throw new Error('private')
      },
    ],
    [
      'takes next() and rejects',
      async (_request, _response, _next) => {
        throw new Error('private')
      },
    ],
    ['passes an error to next()', (_request, _response, next) => next?.(new Error('private'))],
  ])('replies 500 if a handler of a path %s', async (_how, handler) => {
    const { server, recorder, url } = createServer()
    server.addHandler(handler)
    await server.start()
    const response = await fetch(url('/own'))
    expect([response.status, await response.text()]).toEqual([500, ''])
    expect(recorder.messages).toContain('A request handler of the app failed')
  })

  test('warns about the option webhookProxy', () => {
    const { recorder } = createServer({ webhookProxy: 'https://smee.io/h' })
    expect(recorder.messages).toEqual([expect.stringContaining('"webhookProxy" (WEBHOOK_PROXY_URL) has no effect')])
  })

  test('says that its port is taken, or that there is no secret', async () => {
    const { server } = createServer()
    await server.start()
    const { server: second } = createServer({ port: server.port })
    await expect(second.start()).rejects.toThrow(`Port ${server.port} is already in use. You can define the PORT`)
    const { server: third } = createServer({ Probot: Probot.defaults({ githubToken: 'token' }) })
    await expect(third.start()).rejects.toThrow('set GITHUB_WEBHOOKS_KEY or WEBHOOK_SECRET')
  })
})

describe('run()', () => {
  const env = { APP_ID: '1', PRIVATE_KEY: privateKey, WEBHOOK_SECRET: secret, HOST: '127.0.0.1' }
  const quiet = { log: recordedLog(new Recorder()) }

  /** `PORT=0` chooses Probot's default port, so the tests need a free one. */
  const freePort = async () => {
    const { server } = createServer()
    await server.start()
    const { port } = server
    await server.stop()
    return String(port)
  }

  test('serves a function with the options of the environment', async () => {
    const handler = vi.fn()
    const own = { ...env, WEBHOOK_PATH: '/own', PORT: await freePort() }
    const server = await run((app) => app.on('push', handler), { env: own, ...quiet })
    onTestFinished(() => server.stop())
    expect((await send(`http://127.0.0.1:${own.PORT}/own`)).status).toBe(200)
    expect(handler).toHaveBeenCalledOnce()
  })

  test('serves the modules of the command line, whose flags override the environment', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'probot-')), 'app.cjs')
    writeFileSync(path, 'exports.__esModule = true; exports.default = (app) => { globalThis.loadedApp = app }')
    const port = await freePort()
    const flags = ['--port', port, '--webhook-path', '/flag', '-W', 'https://smee.io/h', '--log-level-in-string']
    const recorder = new Recorder()
    const own = { ...env, GITHUB_WEBHOOKS_KEY: 'another' }
    const server = await run(['node', 'run', path, ...flags, '-s', secret], { env: own, log: recordedLog(recorder) })
    onTestFinished(() => server.stop())
    expect((await send(`http://127.0.0.1:${port}/flag`)).status).toBe(200)
    expect(recorder.messages[0]).toContain('The option "webhookProxy" (WEBHOOK_PROXY_URL) has no effect')
    expect((globalThis as { loadedApp?: Probot }).loadedApp?.webhookPath).toBe('/flag')
    expect(server.port).toBe(Number(port))
  })

  test('names the missing values', async () => {
    await expect(run(() => {}, { env: {} })).rejects.toThrow('The App ID is missing: set APP_ID')
    await expect(run(() => {}, { env: { APP_ID: '1' } })).rejects.toThrow('set PRIVATE_KEY or PRIVATE_KEY_PATH')
    await expect(run(['node', 'run'], { env })).rejects.toThrow('Name the module of the app')
  })
})
