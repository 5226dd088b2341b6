/** `hookserver serve` with Probot apps. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { handlersOf } from '../../src/cli/module-handlers.ts'
import { LocalGitHub } from '../../src/testing/index.ts'
import { ServedHere, startError } from '../server/serve-here.ts'
import { anyOrigin, project, type Served, ServedProcess, secret } from '../server/service.ts'
import { privateKey, send } from './scene.ts'

const env = { APP_ID: '1', PRIVATE_KEY: privateKey.replaceAll('\n', '\\n'), WEBHOOK_SECRET: secret }
const appending = (file: string) => `
  const { appendFileSync } = require('node:fs')
  module.exports = (app, { addHandler }) => {
    app.on('push', ({ id }) => appendFileSync('${file}', id + '\\n'))
    addHandler((request, response) => request.url === '/own' && response.end('own'))
  }`

const textOf = (folder: string, file: string) => {
  try {
    return readFileSync(join(folder, file), 'utf8')
  } catch {
    return ''
  }
}

async function statesOf(served: Served, folder: string): Promise<unknown> {
  const token = readFileSync(join(folder, 'hookserver.token'), 'utf8').trim()
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${await served.adminUrl()}/api/v1/deliveries/1`, { headers })
  return ((await response.json()) as { tasks: { handler: string; state: string }[] }).tasks
}

describe('hookserver serve', () => {
  test('stores the deliveries of an app with the variables of Probot, and serves its paths', async () => {
    const folder = project({ 'index.cjs': appending('handled.txt') })
    const served = new ServedHere(folder, ['index.cjs', ...anyOrigin], env)
    const url = await served.url()
    expect(url).toMatch(/\/api\/github\/webhooks$/)
    expect(await send(url, 'push', 'one', secret)).toEqual({ status: 202, text: 'Accepted' })
    await expect.poll(() => textOf(folder, 'handled.txt')).toBe('one\n')
    await expect.poll(() => statesOf(served, folder)).toMatchObject([{ handler: 'push@index.cjs', state: 'done' }])
    expect(await (await fetch(new URL('/own', url))).text()).toBe('own')
    expect((await fetch(new URL('/nothing', url))).status).toBe(404)
    expect(served.output).not.toContain(secret)
    expect(await served.line('Receiving')).toMatchObject({ secretFrom: 'the environment variable WEBHOOK_SECRET' })
    const variables = ['APP_ID', 'PRIVATE_KEY']
    expect(await served.line('Environment variables of Probot read')).toMatchObject({ level: 30, variables })
  })

  test('warns about variables that have no effect', async () => {
    const folder = project({
      'index.mjs': "export default (app) => app.on('push', () => {}) ?? app.log.warn('loaded')",
    })
    const own = { WEBHOOK_PROXY_URL: 'https://smee.io/h', LOG_LEVEL: 'error', HOST: '0.0.0.0' }
    const served = new ServedHere(folder, ['index.mjs', ...anyOrigin], { ...env, ...own })
    await served.url()
    const warnings = served.lines.flatMap(({ level, msg }) => (level === 40 ? [msg] : []))
    expect(warnings).toEqual([
      'The option "webhookProxy" (WEBHOOK_PROXY_URL) has no effect: "hookserver serve --pull app" reads the deliveries from GitHub',
      'loaded',
      'LOG_LEVEL has no effect: use --log-level or HOOKSERVER_LOG_LEVEL',
      'HOST has no effect: use --host or HOOKSERVER_HOST',
    ])
  })

  test.each([
    {
      name: 'an app, also while it is loaded',
      module: `
        import { register } from './app.mjs'
        export default async (app) => {
          await (await app.auth()).rest.apps.getAuthenticated()
          register(app)
        }`,
    },
    {
      name: 'an app on a Hooks of the module',
      module: `
        import { Hooks } from 'hookserver'
        import { probot } from 'hookserver/probot'
        import { register } from './app.mjs'
        const hooks = new Hooks()
        await probot(hooks, register)
        export default hooks`,
    },
  ])('calls the GitHub that the settings name for $name', async ({ module }) => {
    const github = await LocalGitHub.start()
    onTestFinished(() => github.close())
    const { id, privateKey } = github.addApp({ id: 7, installations: [{ id: 9, repositories: ['acme/shop'] }] })
    const register = `
      export const register = (app) => {
        app.on('push', ({ octokit }) => octokit.rest.issues.create({ owner: 'acme', repo: 'shop', title: 'Pushed' }))
      }`
    const folder = project({ 'index.mjs': module, 'app.mjs': register })
    const served = new ServedHere(folder, ['index.mjs', ...anyOrigin, '--github', github.webUrl], {
      ...{ GITHUB_APP_ID: String(id), GITHUB_APP_PRIVATE_KEY: privateKey, GITHUB_WEBHOOKS_KEY: secret },
      GHE_HOST: 'github.invalid', // the flag comes before it
    })
    github.addHook({ app: id, url: await served.url(), secret, events: ['push'] })
    await github.deliver('push', { installation: { id: 9 }, repository: { full_name: 'acme/shop' } })
    await expect
      .poll(() => github.requests.map(({ method, path, status }) => `${method} ${path} ${status}`))
      .toContain('POST /api/v3/repos/acme/shop/issues 201')
  })

  test('loads the apps that package.json lists, also those of packages', async () => {
    const manifest = { probot: { apps: ['./first.cjs', 'second'] } }
    const folder = project({ 'package.json': JSON.stringify(manifest), 'first.cjs': appending('first.txt') })
    const installed = join(folder, 'node_modules/second')
    mkdirSync(installed, { recursive: true })
    writeFileSync(join(installed, 'index.js'), appending('second.txt'))
    // In its own process: a process warns only once of the path of older versions.
    const served = new ServedProcess(folder, anyOrigin, { ...env, WEBHOOK_PATH: '/own-path' })
    const url = await served.url()
    expect(url).toMatch(/\/own-path$/)
    expect((await send(new URL('/', url).href, 'push', 'zero', secret)).status).toBe(404)
    await expect.poll(() => served.output).toContain('the app receives deliveries at /own-path: set WEBHOOK_PATH=/')
    await send(url, 'push', 'one', secret)
    for (const file of ['first.txt', 'second.txt']) await expect.poll(() => textOf(folder, file)).toBe('one\n')
  })

  test('loads a named app and those that package.json lists, each once', async () => {
    const manifest = { probot: { apps: ['./listed.cjs', './index.cjs'] } }
    const folder = project({
      ...{ 'package.json': JSON.stringify(manifest), 'listed.cjs': appending('listed.txt') },
      'index.cjs': appending('named.txt'),
    })
    const served = new ServedHere(folder, ['./index.cjs', ...anyOrigin], env)
    await send(await served.url(), 'push', 'one', secret)
    await expect.poll(() => textOf(folder, 'listed.txt')).toBe('one\n')
    await expect
      .poll(() => statesOf(served, folder))
      .toMatchObject([
        { handler: 'push@index.cjs', state: 'done' },
        { handler: 'push@listed.cjs', state: 'done' },
      ])
    expect(textOf(folder, 'named.txt')).toBe('one\n')
  })

  test('resolves probot to hookserver/probot if the project has not installed it', async () => {
    const module = `
      import { ProbotOctokit } from 'probot'
      import { writeFileSync } from 'node:fs'
      export default (app) => writeFileSync('found.txt', typeof ProbotOctokit.defaults)`
    const folder = project({ 'index.mjs': module })
    const served = new ServedHere(folder, ['index.mjs', ...anyOrigin], env)
    await served.url()
    expect(textOf(folder, 'found.txt')).toBe('function')
  })

  test('resolves require() of probot and hookserver if the project has not installed them', async () => {
    const module = `
      const { ProbotOctokit } = require('probot')
      const { Retry } = require('hookserver')
      const { writeFileSync } = require('node:fs')
      module.exports = () => writeFileSync('found.txt', typeof ProbotOctokit.defaults + ' ' + typeof Retry)`
    const folder = project({ 'index.cjs': module })
    const served = new ServedHere(folder, ['index.cjs', ...anyOrigin], env)
    await served.url()
    expect(textOf(folder, 'found.txt')).toBe('function function')
  })

  test('delivers again after kill -9 what an app had not handled', async () => {
    const blocking = `
      import { appendFileSync } from 'node:fs'
      export default (app) => app.on('push', ({ id }) => {
        appendFileSync('started.txt', id + '\\n')
        return process.env.BLOCK ? new Promise(() => {}) : undefined
      })`
    const folder = project({ 'index.mjs': blocking })
    const killed = new ServedProcess(folder, ['index.mjs', ...anyOrigin], { ...env, BLOCK: '1' })
    expect((await send(await killed.url(), 'push', 'one', secret)).status).toBe(202)
    await expect.poll(() => textOf(folder, 'started.txt')).toBe('one\n')
    killed.child.kill('SIGKILL')
    await killed.ended
    const restarted = new ServedProcess(folder, ['index.mjs', ...anyOrigin], env)
    await expect.poll(() => textOf(folder, 'started.txt')).toBe('one\none\n')
    await expect.poll(() => statesOf(restarted, folder)).toMatchObject([{ state: 'done' }])
  })

  test('says why it cannot serve an app without credentials', async () => {
    const folder = project({ 'index.mjs': 'export default () => {}' })
    const own = { WEBHOOK_SECRET: secret, GH_ORG: 'acme' }
    // In its own process: the message would name the line of a caller that is not a part of hookserver.
    const served = new ServedProcess(folder, ['index.mjs', ...anyOrigin], own)
    expect(await served.ended).toBe(1)
    expect(served.output).toContain(
      'Cannot load the Probot app index.mjs: The App ID is missing: set APP_ID, or create an App with "npx hookserver app create --org acme". A module that is not a Probot app must export a Hooks, not a function',
    )
  })

  test('says that a function is a Probot app if its package is missing', async () => {
    const folder = project({ 'hooks.mjs': "export default (hooks) => hooks.on('push', () => {})" })
    const hook = `registerHooks({ resolve(specifier, context, next) {
      if (specifier !== 'octokit') return next(specifier, context)
      const message = "Cannot find package 'octokit' imported from " + context.parentURL
      throw Object.assign(new Error(message), { code: 'ERR_MODULE_NOT_FOUND' })
    } })`
    const preload = `data:text/javascript,${encodeURIComponent(`import { registerHooks } from 'node:module'\n${hook}`)}`
    const served = new ServedProcess(folder, ['hooks.mjs', ...anyOrigin], { NODE_OPTIONS: `--import=${preload}` })
    expect(await served.ended).toBe(1)
    expect(served.output).toContain(
      'Cannot load the Probot app hooks.mjs: it needs the package "octokit": npm install octokit. A module that is not a Probot app must export a Hooks, not a function',
    )
  })

  test.each([
    [
      'without a private key',
      {},
      { APP_ID: '1', WEBHOOK_SECRET: secret },
      'Cannot load the Probot app index.mjs: privateKey option is required: set PRIVATE_KEY',
    ],
    ['without a secret', {}, { ...env, WEBHOOK_SECRET: '' }, 'No secret'],
    [
      'whose function fails',
      { 'index.mjs': 'export default (app) => {\n  app.onn()\n}' },
      env,
      'Cannot load the Probot app index.mjs: index.mjs:2:7: app.onn is not a function',
    ],
    [
      'whose function throws no error',
      { 'index.mjs': 'export default () => { throw "broken" }' },
      env,
      'Cannot load the Probot app index.mjs: broken',
    ],
  ])('says why it cannot serve an app %s', async (_, files, own, message) => {
    const folder = project({ 'index.mjs': 'export default () => {}', ...files })
    const said = await startError(folder, ['index.mjs', ...anyOrigin], own)
    expect(said).toMatch(/^1: /)
    expect(said).toContain(message)
  })

  test('shows the line of an app that fails, and the stack without frames of hookserver', async () => {
    const folder = project({ 'index.mjs': 'export default (app) => {\n  app.onn()\n}' })
    const said = await startError(folder, ['index.mjs', ...anyOrigin], env)
    expect(said.split('\n').slice(0, 7)).toEqual([
      '1: index.mjs:2:7',
      '  app.onn()',
      '      ^',
      '',
      'TypeError: app.onn is not a function',
      expect.stringMatching(/^ {4}at .*index\.mjs:2:7\)?$/),
      '',
    ])
  })
})

test('commands read the events of an app before it has credentials', async () => {
  const folder = project({ 'index.mjs': "export default (app) => app.on(['issues.opened', 'push'], () => {})" })
  const { names } = await handlersOf(join(folder, 'index.mjs'))
  expect(names).toEqual(['issues.opened', 'push'])
})
