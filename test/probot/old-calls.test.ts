/** Apps for Probot 9 to 13. */
import { describe, expect, test, vi } from 'vitest'
import {
  Application,
  type ApplicationFunction,
  createNodeMiddleware,
  createProbot,
  Probot,
} from '../../src/probot/index.ts'
import { Recorder } from '../recorder.ts'
import { createApp, eventOf, fakeGitHub, privateKey, recordedLog, serve } from './scene.ts'

/** Each warning is logged once in a process, so each test uses calls that no other test uses. */
const warningsOf = (recorder: Recorder) => recorder.messages.filter((text) => text.includes('old version of Probot'))
const warning = (old: string, modern: string) =>
  `${old} is a call of an old version of Probot. It works, but write ${modern} instead`

describe('calls of Probot 9 to 13', () => {
  test('the loggers are functions', async () => {
    const { app, recorder } = createApp()
    app.log('loaded %s')
    app.log('again')
    app.on('push', ({ log }) => log('pushed'))
    await app.receive(eventOf('push'))
    expect(recorder.lines.filter(({ level }) => level === 'info').map(({ message }) => message)).toEqual([
      'loaded %s',
      'again',
      'pushed',
    ])
    expect(warningsOf(recorder)).toEqual([
      warning('app.log(…)', 'app.log.info(…)'),
      warning('context.log(…)', 'context.log.info(…)'),
    ])
  })

  test('context.github, context.event, and octokit.issues', async () => {
    const route = 'POST /repos/Codertocat/Hello-World/issues/1/comments'
    const github = fakeGitHub({ [route]: { id: 1 } })
    const { app, recorder } = createApp({ request: { fetch: github.fetch } })
    let event: string | undefined
    app.on('issues.opened', async (context) => {
      event = context.event
      await context.github.issues.createComment(context.issue({ body: 'Hello' }))
    })
    await app.receive(eventOf('issues.opened'))
    expect(event).toBe('issues')
    expect(github.routes()).toEqual([route])
    expect(warningsOf(recorder)).toEqual([
      warning('context.event', 'context.name'),
      warning('context.github', 'context.octokit'),
      warning('octokit.issues', 'octokit.rest.issues'),
    ])
  })

  test("app.on('*')", async () => {
    const { app, recorder } = createApp()
    const handler = vi.fn()
    app.on('*', handler)
    await app.receive(eventOf('push'))
    expect(handler).toHaveBeenCalledOnce()
    expect(warningsOf(recorder)).toEqual([warning("app.on('*', …)", 'app.onAny(…)')])
  })

  test('the options id and cert', () => {
    const recorder = new Recorder()
    expect(() => new Probot({ id: 1, cert: privateKey, log: recordedLog(recorder) })).not.toThrow()
    expect(warningsOf(recorder)).toEqual([
      warning('The option "id"', '"appId"'),
      warning('The option "cert"', '"privateKey"'),
    ])
  })

  test('getRouter() and app.route() mount a router of Express', async () => {
    const { app: probot, recorder } = createApp()
    const app: ApplicationFunction = (loaded, { getRouter }) => {
      getRouter('/first').get('/page', (_request: unknown, response: { send(text: string): void }) =>
        response.send('1'),
      )
      loaded
        .route('/second')
        .get('/page', (_request: unknown, response: { send(text: string): void }) => response.send('2'))
    }
    const url = await serve(createNodeMiddleware(app, { probot }))
    expect(await (await fetch(`${url}/first/page`)).text()).toBe('1')
    expect(await (await fetch(`${url}/second/page`)).text()).toBe('2')
    expect((await fetch(`${url}/first/nothing`)).status).toBe(404)
    expect(warningsOf(recorder)).toEqual([
      warning('getRouter(path)', 'addHandler(router)'),
      warning('app.route(path)', 'addHandler(router)'),
    ])
  })

  test('an app takes app and getRouter from its first argument', async () => {
    const { app: probot, recorder } = createApp()
    const handler = vi.fn()
    const url = await serve(
      createNodeMiddleware(
        ({ app, getRouter }) => {
          app.on('push', handler)
          getRouter('/own').get('/page', (_request: unknown, response: { send(text: string): void }) =>
            response.send('own'),
          )
        },
        { probot },
      ),
    )
    await probot.receive(eventOf('push'))
    expect(handler).toHaveBeenCalledOnce()
    expect(await (await fetch(`${url}/own/page`)).text()).toBe('own')
    expect(warningsOf(recorder)).toEqual([
      warning('({ app }) => …', '(app) => …'),
      warning('({ getRouter }) => …', '(app, { addHandler }) => …'),
    ])
  })

  test('app.router, and probot.webhook', async () => {
    const { app: probot, recorder } = createApp()
    const app: ApplicationFunction = ({ router }) =>
      router.get('/page', (_request: unknown, response: { send(text: string): void }) => response.send('page'))
    const url = await serve(createNodeMiddleware(app, { probot }))
    expect(await (await fetch(`${url}/page`)).text()).toBe('page')
    expect(probot.webhook).toBe(probot.webhooks)
    expect(warningsOf(recorder)).toEqual([
      warning('app.router', 'addHandler(router)'),
      warning('probot.webhook', 'probot.webhooks'),
    ])
  })

  test('createProbot() with the options of new Probot()', async () => {
    const recorder = new Recorder()
    const probot = createProbot({ githubToken: 'token', webhookPath: '/own', log: recordedLog(recorder), env: {} })
    expect(probot.webhookPath).toBe('/own')
    expect(warningsOf(recorder)).toEqual([warning('createProbot(options)', 'createProbot({ overrides: options })')])
  })

  test('new Application(), whose method auth() a test replaces', async () => {
    const app = new Application()
    const github = { issues: { createComment: vi.fn() } }
    app.auth = vi.fn(async () => github as never)
    void app.load((loaded) => {
      loaded.on(
        'issues.opened',
        ({ octokit, issue }) => void (octokit as never as typeof github).issues.createComment(issue),
      )
    })
    await app.receive({ ...eventOf('issues.opened'), payload: { action: 'opened', installation: { id: 2 } } })
    expect(app.auth).toHaveBeenCalledWith(2)
    expect(github.issues.createComment).toHaveBeenCalledOnce()
  })
})
