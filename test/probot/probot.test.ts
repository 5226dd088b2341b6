/** The class `Probot`: its options, its handlers, and `receive()`. */
import { describe, expect, test, vi } from 'vitest'
import { Context, Probot, type WebhookError } from '../../src/probot/index.ts'
import { version } from '../../src/runtime/platform.ts'
import { Discard, Retry } from '../../src/thrown.ts'
import { createApp, eventOf, privateKey } from './scene.ts'

describe('new Probot()', () => {
  test('names the missing credentials', () => {
    expect(() => new Probot()).toThrow('appId option is required: set APP_ID')
    expect(() => new Probot({ appId: 1 })).toThrow('privateKey option is required: set PRIVATE_KEY')
    expect(() => new Probot({ githubToken: 'token' })).not.toThrow()
    expect(() => new Probot({ appId: 1, privateKey: 'not checked yet' })).not.toThrow()
  })

  test('has its log, its handlers and its path at once', () => {
    const { app } = createApp({ webhookPath: '/own' })
    expect(app.webhookPath).toBe('/own')
    expect(app.version).toBe(version)
    expect(Probot.version).toBe(version)
    expect(app.webhooks.on).toBeTypeOf('function')
    expect(app.log.child({}).info).toBeTypeOf('function')
  })

  test('takes defaults, which its own options override', () => {
    const WithDefaults = Probot.defaults({ appId: 1, privateKey, webhookPath: '/default' })
    expect(new WithDefaults().webhookPath).toBe('/default')
    expect(new WithDefaults({ webhookPath: '/own' }).webhookPath).toBe('/own')
    expect(new WithDefaults()).toBeInstanceOf(Probot)
  })
})

describe('app.receive()', () => {
  test('calls the handlers of the action, of the event, and of all events', async () => {
    const { app } = createApp()
    const calls: string[] = []
    app.onAny(() => void calls.push('any'))
    app.on('issues', () => void calls.push('issues'))
    app.on('issues.opened', () => void calls.push('issues.opened'))
    app.on(['issues.closed', 'push'], () => void calls.push('other'))
    await app.receive(eventOf('issues.opened'))
    expect(calls).toEqual(['issues.opened', 'issues', 'any'])
  })

  test('calls a handler for several matching names once', async () => {
    const { app } = createApp()
    const handler = vi.fn()
    app.on(['issues', 'issues.opened'], handler)
    await app.receive(eventOf('issues.opened'))
    expect(handler).toHaveBeenCalledOnce()
  })

  test('gives each handler a context of its own, with the same payload', async () => {
    const { app } = createApp()
    const contexts: Context[] = []
    app.on('push', (context) => void contexts.push(context as Context))
    app.onAny((context) => void contexts.push(context))
    const event = eventOf('push')
    await app.receive(event)
    expect(contexts[0]).not.toBe(contexts[1])
    expect(contexts[0]?.octokit).not.toBe(contexts[1]?.octokit)
    expect(contexts[0]).toBeInstanceOf(Context)
    expect(contexts[0]?.payload).toBe(event.payload)
    expect(contexts[0]).toMatchObject({ id: 'guid-1', name: 'push' })
  })

  test('runs the handlers at the same time, and waits for all of them', async () => {
    const { app } = createApp()
    const first = Promise.withResolvers<void>()
    let finished = false
    app.on('push', () => first.promise)
    app.on('push', async () => first.resolve()) // the first one ends only if this one runs meanwhile
    app.on('push', async () => {
      await first.promise
      finished = true
    })
    await app.receive(eventOf('push'))
    expect(finished).toBe(true)
  })

  test.each([new Discard('not ours'), new Retry({ after: 1000 })])(
    'does not report %s as an error',
    async (decision) => {
      const { app } = createApp()
      const onError = vi.fn()
      app.onError(onError)
      app.on('push', () => Promise.reject(decision))
      await expect(app.receive(eventOf('push'))).rejects.toThrow()
      expect(onError).not.toHaveBeenCalled()
    },
  )

  test('rejects with the errors of all handlers, after every handler has run', async () => {
    const { app, recorder } = createApp()
    const handler = vi.fn()
    const onError = vi.fn()
    app.onError(onError)
    app.on('push', () => Promise.reject(new Error('first')))
    app.on('push', () => {
      throw new Error('second')
    })
    app.on('push', handler)
    const event = eventOf('push')
    const error: WebhookError = await app.receive(event).then(
      () => expect.unreachable(),
      (reason) => reason,
    )
    expect(error).toBeInstanceOf(AggregateError)
    expect(error.message).toBe('first\nsecond')
    expect(error.event).toBe(event)
    expect(error.errors.map((one: Error) => one.message)).toEqual(['first', 'second'])
    expect(handler).toHaveBeenCalledOnce()
    expect(onError.mock.calls).toEqual([[error]])
    expect(recorder.messages).toEqual(['A handler for push failed: first', 'A handler for push failed: second'])
  })

  test.each([
    ['error:0906D06C:PEM routines:PEM_read_bio:no start line', 'check GITHUB_APP_ID or APP_ID, and the private key'],
    ['A JSON web token could not be decoded', 'check GITHUB_APP_ID or APP_ID, and the private key'],
    ['No X-Hub-Signature-256 found on request', 'is the value of GITHUB_WEBHOOKS_KEY, else WEBHOOK_SECRET'],
  ])('explains the error "%s"', async (message, cure) => {
    const { app, recorder } = createApp()
    app.on('push', () => Promise.reject(new Error(message)))
    await expect(app.receive(eventOf('push'))).rejects.toThrow(message)
    expect(recorder.messages).toEqual([expect.stringContaining(cure)])
  })

  test('logs the error of an error handler', async () => {
    const { app, recorder } = createApp()
    app.onError(() => Promise.reject(new Error('broken')))
    app.on('push', () => Promise.reject(new Error('failed')))
    await expect(app.receive(eventOf('push'))).rejects.toThrow('failed')
    expect(recorder.messages).toContain('A function that app.onError() registered failed')
  })

  test('no longer calls a handler that was removed', async () => {
    const { app } = createApp()
    const handler = vi.fn()
    app.on('push', handler)
    app.webhooks.removeListener('push', handler)
    await app.receive(eventOf('push'))
    expect(handler).not.toHaveBeenCalled()
  })

  test('calls a handler that was removed for one of its names for the others', async () => {
    const { app } = createApp()
    const handler = vi.fn()
    app.on(['issues', 'push'], handler)
    app.webhooks.removeListener('push', handler)
    await app.receive(eventOf('push'))
    expect(handler).not.toHaveBeenCalled()
    await app.receive(eventOf('issues.opened'))
    expect(handler).toHaveBeenCalledOnce()
  })

  test('verifies a delivery that comes with its signature', async () => {
    const { app } = createApp()
    const handler = vi.fn()
    app.on('push', handler)
    const payload = JSON.stringify({ ref: 'refs/heads/main' })
    const signature = await app.webhooks.sign(payload)
    const signed = { id: 'guid-1', name: 'push', payload, signature }
    await app.webhooks.verifyAndReceive(signed)
    expect(handler).toHaveBeenCalledOnce()
    const changed = app.webhooks.verifyAndReceive({ ...signed, payload: '{}' })
    await expect(changed).rejects.toThrow('signature does not match')
    expect(handler).toHaveBeenCalledOnce()
  })
})

describe('app.on()', () => {
  test('rejects arguments that register nothing', () => {
    const { app } = createApp()
    expect(() => app.on('push', undefined as never)).toThrow('The handler of push must be a function')
    expect(() => app.on([], () => {})).toThrow('app.on(): "names" must be')
    expect(() => app.on('error', () => {})).toThrow('write app.onError(handler)')
  })

  test('warns of an event that GitHub does not have', () => {
    const { app, recorder } = createApp()
    app.on('isues.opened' as string, () => {})
    expect(recorder.messages).toEqual([expect.stringContaining('Unknown event "isues.opened"')])
    expect(recorder.lines[0]?.fields).toMatchObject({ at: expect.stringMatching(/probot\.test\.ts:\d+:\d+$/) })
  })
})

describe('app.load()', () => {
  test('calls a function at once, and the next ones in order', async () => {
    const { app } = createApp()
    const calls: string[] = []
    const loading = app.load([
      async () => {
        calls.push('first')
        await Promise.resolve()
        calls.push('first loaded')
      },
      (loaded, { cwd }) => void calls.push(`second ${loaded === app} ${cwd}`),
    ])
    expect(calls).toEqual(['first'])
    await loading
    expect(calls).toEqual(['first', 'first loaded', `second true ${process.cwd()}`])
  })

  test('lets receive() wait for handlers that an app registers later', async () => {
    const { app } = createApp()
    const handler = vi.fn()
    const started = Promise.withResolvers<void>()
    void app.load(async () => {
      await started.promise
      app.on('push', handler)
    })
    const received = app.receive(eventOf('push'))
    started.resolve()
    await received
    expect(handler).toHaveBeenCalledOnce()
  })

  test('rejects with the error of the app, and stays usable', async () => {
    const { app } = createApp()
    await expect(app.load(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    await expect(app.load('./app' as never)).rejects.toThrow('app.load() takes a function, got string')
    await expect(app.ready()).resolves.toBe(app)
  })
})
