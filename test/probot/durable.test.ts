/** Probot apps with an inbox. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Hooks } from '../../src/index.ts'
import { type ApplicationFunction, probot } from '../../src/probot/index.ts'
import { eventually, openInbox, taskIn } from '../inbox/stores.ts'
import { Recorder } from '../recorder.ts'
import { createApp, fakeGitHub, privateKey, secret, send, serve } from './scene.ts'

function createHooks() {
  const inbox = openInbox()
  const recorder = new Recorder()
  const hooks = new Hooks({ secret, validateIp: false, logger: recorder, inbox, app: { id: 1, privateKey } })
  onTestFinished(() => hooks.close({ grace: 0 }))
  return { hooks, inbox, recorder }
}

const namesOf = (hooks: Hooks): string[] => hooks.registrations.map(({ name }) => name).toSorted()

describe('the option inbox', () => {
  test('stores a delivery before the reply, and retries each handler on its own', async () => {
    const inbox = openInbox()
    const { app, recorder } = createApp({ inbox })
    onTestFinished(() => app.hooks.close({ grace: 0 }))
    const calls: string[] = []
    const errors: string[] = []
    app.onError((error) => void errors.push(error.message))
    app.on('push', { name: 'failing', backoff: '1ms' }, ({ id }) => {
      calls.push(id)
      if (calls.length === 1) throw new Error('first attempt')
    })
    app.on('push', { name: 'other' }, () => ({ large: 'response' }))
    const url = `${await serve(await app.getNodeMiddleware())}/api/github/webhooks`
    expect((await send(url)).status).toBe(202)
    await eventually(async () => expect((await taskIn(inbox, 1, 'failing')).state).toBe('done'))
    expect(calls).toEqual(['guid-1', 'guid-1'])
    expect(errors).toEqual(['first attempt'])
    const { attempts } = await taskIn(inbox, 1, 'other')
    expect(attempts).toMatchObject([{ outcome: 'succeeded', result: undefined }])
    expect(recorder.messages.filter((text) => text.includes('failed'))).toHaveLength(1)
  })

  test('removes a handler for one of its names', async () => {
    const { app } = createApp({ inbox: openInbox() })
    onTestFinished(() => app.hooks.close({ grace: 0 }))
    const handler = () => {}
    app.on(['issues', 'push'], { name: 'both' }, handler)
    app.hooks.mount()
    app.webhooks.removeListener('push', handler)
    expect(app.hooks.registrations).toMatchObject([{ name: 'both', events: ['issues'] }])
  })

  test('shows the lines of context.log in the attempt, also with the option log', async () => {
    const inbox = openInbox()
    const { app, recorder } = createApp({ inbox })
    onTestFinished(() => app.hooks.close({ grace: 0 }))
    app.on('push', { name: 'log' }, ({ log }) => log.warn('a line'))
    const url = `${await serve(await app.getNodeMiddleware())}/api/github/webhooks`
    await send(url)
    await eventually(async () => expect((await taskIn(inbox, 1, 'log')).state).toBe('done'))
    const { attempts } = await taskIn(inbox, 1, 'log')
    expect(attempts[0]?.log).toContain('warn a line')
    expect(recorder.messages).toContain('a line')
  })
})

describe('without an inbox', () => {
  async function startApp(register: ApplicationFunction) {
    const { app, recorder } = createApp()
    await app.load(register)
    return { recorder, url: `${await serve(await app.getNodeMiddleware())}/api/github/webhooks` }
  }

  test('the options paths and source of a handler apply', async () => {
    const calls: string[] = []
    const { url } = await startApp((bot) => {
      bot.on('push', { paths: ['docs/**'] }, () => void calls.push('docs'))
      bot.on('push', { paths: ['**'] }, () => void calls.push('all'))
      bot.on('push', { source: '/other' }, () => void calls.push('other'))
      bot.on('push', { source: ['/api/github/webhooks'] }, () => void calls.push('own'))
    })
    expect((await send(url)).status).toBe(200)
    expect(calls.toSorted()).toEqual(['all', 'own'])
  })

  test('an option that needs an inbox causes a warning', async () => {
    const { recorder } = await startApp((bot) => bot.on('push', { name: 'deploy', attempts: 5 }, () => {}))
    expect(recorder.messages).toContain('Without an inbox, "attempts" of the handler deploy has no effect')
  })
})

test.each([
  [{ attempts: 0 }, 'Option "attempts" of a handler must be a whole number'],
  [{ paths: ['docs/**'] }, 'Option "paths" of a handler needs deliveries with changed files, but issues has none'],
])('app.on() rejects the options %j', (options, message) => {
  const { app } = createApp()
  expect(() => app.on('issues', options, () => {})).toThrow(message)
})

describe('probot(hooks, app)', () => {
  test('calls GitHub as the installation of the App of the Hooks', async () => {
    const { hooks, inbox } = createHooks()
    const github = fakeGitHub({
      'POST /app/installations/2/access_tokens': { token: 't' },
      'GET /user': { login: 'x' },
    })
    const app: ApplicationFunction = (bot) =>
      bot.on('installation.created', { name: 'greet' }, async ({ octokit, log }) => {
        const { data } = await octokit.rest.users.getAuthenticated()
        log.warn(`I am ${data.login}`)
      })
    await probot(hooks, app, { request: { fetch: github.fetch } })
    hooks.mount()
    await hooks.receive({
      event: 'installation',
      guid: 'guid-1',
      payload: { action: 'created', installation: { id: 2 } },
    })
    await eventually(async () => expect((await taskIn(inbox, 1, 'greet')).state).toBe('done'))
    expect(github.routes()).toEqual(['POST /app/installations/2/access_tokens', 'GET /user'])
    expect(github.sent[1]?.headers).toMatchObject({ authorization: 'token t', 'x-github-delivery': 'guid-1' })
  })

  test('uses all digits of an installation id above 2^53', async () => {
    const { hooks, inbox } = createHooks()
    const github = fakeGitHub({
      'POST /app/installations/9007199254740993/access_tokens': { token: 't' },
      'GET /user': {},
    })
    const app: ApplicationFunction = (bot) =>
      bot.on('push', { name: 'large' }, async ({ octokit }) => void (await octokit.request('GET /user')))
    await probot(hooks, app, { request: { fetch: github.fetch } })
    hooks.mount()
    await hooks.receive({ event: 'push', guid: 'guid-1', payload: '{"installation":{"id":9007199254740993}}' })
    await eventually(async () => expect((await taskIn(inbox, 1, 'large')).state).toBe('done'))
    expect(github.routes()).toHaveLength(2)
  })

  test('ends the requests of a handler with its attempt', async () => {
    const { hooks } = createHooks()
    const failed = Promise.withResolvers<Error>()
    const app: ApplicationFunction = (bot) =>
      bot.on('push', { timeout: 100, attempts: 1 }, async ({ octokit }) => {
        await octokit.request('GET /user').catch(failed.resolve)
      })
    await probot(hooks, app, { request: { fetch: () => new Promise(() => {}) } })
    hooks.mount()
    await hooks.receive({ event: 'push', guid: 'guid-1', payload: {} })
    expect((await failed.promise).message).toContain('100 ms')
  })

  test('logs to the logger of the Hooks, unless logLevel hides the line', async () => {
    const { hooks, recorder } = createHooks()
    await probot(hooks, ({ log }) => log.info('loaded'))
    await probot(hooks, ({ log }) => log.info('hidden'), { logLevel: 'warn' })
    expect(recorder.messages).toEqual(['loaded'])
  })

  test('logs the lines of a handler with the delivery', async () => {
    const { hooks, inbox, recorder } = createHooks()
    await probot(hooks, (bot) => bot.on('push', { name: 'log' }, ({ log }) => log.warn({ more: 1 }, 'a line')))
    hooks.mount()
    await hooks.receive({ event: 'push', guid: 'guid-1', payload: {} })
    await eventually(async () => expect((await taskIn(inbox, 1, 'log')).state).toBe('done'))
    const line = recorder.lines.find(({ message }) => message === 'a line')
    expect(line).toMatchObject({ level: 'warn', fields: { guid: 'guid-1', event: 'push', more: 1 } })
  })

  test('names handlers after their events, and the file that registers them', async () => {
    const { hooks } = createHooks()
    await probot(hooks, [
      (bot) => {
        bot.on('push', () => {})
        bot.on(['issues.opened', 'issues.edited'], () => {})
        bot.on('push', () => {})
        bot.onAny(() => {})
        bot.on('push', { name: 'own' }, () => {})
      },
    ])
    const file = 'test/probot/durable.test.ts'
    const list = `issues.opened,issues.edited@${file}`
    expect(namesOf(hooks)).toEqual([`*@${file}`, list, 'own', `push@${file}`, `push@${file}#2`])
  })

  test('names handlers also after their functions, so that their order does not matter', async () => {
    async function deploy() {}
    const audit = () => {}
    const names = [[deploy], [audit, deploy]].map(async (handlers) => {
      const { hooks, recorder } = createHooks()
      await probot(hooks, (bot) => {
        for (const handler of handlers) bot.on('push', handler)
      })
      expect(recorder.lines).toEqual([])
      return namesOf(hooks)
    })
    const file = 'test/probot/durable.test.ts'
    expect(await Promise.all(names)).toEqual([[`push@${file}#deploy`], [`push@${file}#audit`, `push@${file}#deploy`]])
  })

  test('warns about a name that depends on the order of the handlers', async () => {
    const { hooks, recorder } = createHooks()
    await probot(hooks, (bot) => {
      for (const _ of [1, 2]) bot.on('push', () => {})
    })
    expect(recorder.messages).toEqual([
      'The name push@test/probot/durable.test.ts#2 depends on the order of the handlers, which a deploy may change: ' +
        `write app.on('push', { name: '…' }, handler)`,
    ])
  })

  test('tells another cure for a name of an installed package', async () => {
    const installed = join(mkdtempSync(join(tmpdir(), 'probot-')), 'node_modules/helper')
    mkdirSync(installed, { recursive: true })
    const listener = `app.on('push', () => {})\n`
    writeFileSync(join(installed, 'index.mjs'), `export default (app) => {\n${listener}${listener}}`)
    const { default: app } = await import(pathToFileURL(join(installed, 'index.mjs')).href)
    const { hooks, recorder } = createHooks()
    await probot(hooks, app)
    expect(recorder.messages).toEqual([
      'The name push@helper/index.mjs#2 depends on the order of the handlers, which an update of the package may change: ' +
        'let all its deliveries end before you update it',
    ])
  })

  test('keeps the names in a deploy that moves the project, and changes other handlers', async () => {
    const listener = (event: string) => `app.on('${event}', () => {})\n`
    const deploys = [listener('push'), `// a comment\n${listener('star')}${listener('issues')}${listener('push')}`]
    const names = await Promise.all(
      deploys.map(async (body) => {
        const folder = mkdtempSync(join(tmpdir(), 'probot-'))
        const installed = join(folder, 'node_modules/@acme/helper')
        mkdirSync(join(folder, 'lib'))
        mkdirSync(installed, { recursive: true })
        writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
        writeFileSync(join(folder, 'lib/labels.js'), `export default (app) => {\n${body}}`)
        writeFileSync(join(installed, 'index.mjs'), `export default (app) => {\n${listener('release')}}`)
        const files = [join(folder, 'lib/labels.js'), join(installed, 'index.mjs')]
        const modules = await Promise.all(files.map((file) => import(pathToFileURL(file).href)))
        const { hooks } = createHooks()
        await probot(
          hooks,
          modules.map((module) => module.default),
        )
        return namesOf(hooks)
      }),
    )
    expect(names[0]).toEqual(['push@lib/labels.js', 'release@@acme/helper/index.mjs'])
    expect(names[1]).toEqual(expect.arrayContaining(names[0] as string[]))
  })

  test('removes a handler from the Hooks, too', async () => {
    const { hooks } = createHooks()
    const handler = () => {}
    const app = await probot(hooks, (bot) => bot.on('push', handler))
    app.webhooks.removeListener('push', handler)
    expect(hooks.registrations).toEqual([])
  })

  test('takes the credentials of the environment, which the Hooks overrides', async () => {
    const hooks = new Hooks({ secret })
    await expect(probot(hooks, () => {})).rejects.toThrow('appId option is required')
    await expect(probot(hooks, () => {}, { githubToken: 'token' })).resolves.toBeDefined()
    await expect(probot(new Hooks({ secret, token: 'token' }), () => {})).resolves.toBeDefined()
  })
})
