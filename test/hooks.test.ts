import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { mounted } from '../src/adapters/mount.ts'
import { hookserver } from '../src/adapters/web.ts'
import { recover } from '../src/github/index.ts'
import {
  type Delivery,
  Discard,
  type HandlerFailure,
  Hooks,
  type HooksOptions,
  type Middleware,
  Retry,
  Unrecoverable,
} from '../src/index.ts'
import { inject, LocalGitHub, run, signedRequest } from '../src/testing/index.ts'
import { Recorder } from './recorder.ts'

const secret = 'a secret'

function quiet(options: HooksOptions = {}): Hooks {
  return new Hooks({ secret, logger: false, ...options })
}

const deliver = (hooks: Hooks, name: string, options?: HooksOptions) =>
  inject(hooks, signedRequest(name, { secret }), options)

afterEach(() => vi.unstubAllEnvs())

function thrownBy(work: () => unknown): Error {
  try {
    work()
  } catch (error) {
    return error as Error
  }
  throw new Error('It threw nothing')
}

describe('the secret', () => {
  test('is the option, else GITHUB_WEBHOOKS_KEY, else SECRET_KEY, as they are at construction', async () => {
    vi.stubEnv('SECRET_KEY', 'third')
    const third = new Hooks({ logger: false })
    vi.stubEnv('GITHUB_WEBHOOKS_KEY', 'second')
    const second = new Hooks({ logger: false })
    const first = new Hooks({ secret: 'first', logger: false })
    vi.unstubAllEnvs()
    for (const [hooks, right] of [
      [first, 'first'],
      [second, 'second'],
      [third, 'third'],
    ] as const) {
      expect((await inject(hooks, signedRequest('ping', { secret: right }))).status).toBe(200)
      expect((await inject(hooks, signedRequest('ping', { secret: 'fourth' }))).status).toBe(400)
    }
  })

  test('is logged as that of SECRET_KEY only if nothing else gives one', () => {
    const linesWith = (options: HooksOptions) => {
      const logger = new Recorder()
      new Hooks({ logger, ...options })
      return logger.lines
    }
    expect(linesWith({})).toEqual([])
    vi.stubEnv('SECRET_KEY', 'of another program')
    const fields = { secretFrom: 'the environment variable SECRET_KEY' }
    expect(linesWith({})).toEqual([{ level: 'info', fields, message: expect.stringMatching(/^(?!.*of another)/) }])
    expect(linesWith({ secret: 'own' })).toEqual([])
    vi.stubEnv('GITHUB_WEBHOOKS_KEY', 'own')
    expect(linesWith({})).toEqual([])
  })

  test('has no default, and the error without one names option and variables', () => {
    const hooks = new Hooks({ secret: undefined })
    expect(() => hooks.mount()).toThrow(TypeError)
    expect(() => hooks.mount()).toThrow(/"secret".*GITHUB_WEBHOOKS_KEY.*SECRET_KEY/)
    expect(() => hooks.mount({ secret: 'of the mount' })).not.toThrow()
  })

  test('is not required if signatures are not checked', async () => {
    const hooks = new Hooks({ validateSignature: false })
    expect((await inject(hooks, signedRequest('ping'))).status).toBe(200)
  })

  test('is never shown in the error about it', () => {
    expect(() => new Hooks({ secret: ['hidden-one', ''] })).toThrow(/^(?!.*hidden-one).*"secret"/)
    expect(() => new Hooks({ secret, token: 'hidden one' })).toThrow(/^(?!.*hidden one).*"token"/)
  })

  test.each(['', [], [''], new Uint8Array(), 1, {}, null])('cannot be %j', (value) => {
    expect(() => new Hooks({ secret: value as never })).toThrow(/Option "secret" must be/)
  })

  test('may be non-ASCII text, or bytes', async () => {
    for (const one of ['ключ 🔑', new TextEncoder().encode('ключ 🔑')]) {
      const hooks = new Hooks({ secret: one, logger: false })
      expect((await inject(hooks, signedRequest('ping', { secret: 'ключ 🔑' }))).status).toBe(200)
    }
  })

  test('from a resolver sets the secretId of the delivery', async () => {
    const hooks = quiet({
      secret: (headers) => ({ secret: ['old', 'new'], id: `hook ${headers['x-github-hook-id']}` }),
    })
    hooks.hook('ping', (_data, _guid, { secretId, secretIndex }) => ({ secretId, secretIndex }))
    const reply = await inject(hooks, signedRequest('ping', { secret: 'new' }))
    expect(await reply.json()).toEqual({ secretId: 'hook 292430182', secretIndex: 1 })
  })
})

describe('registering', () => {
  test('returns the handler', () => {
    const handler = () => 'pong'
    expect(quiet().hook('ping', handler)).toBe(handler)
    expect(quiet().hook('ping')(handler)).toBe(handler)
    expect(quiet().on('ping', handler)).toBe(handler)
  })

  test('accepts one hook for a name, with the error text of Flask-Hookserver', () => {
    const hooks = quiet()
    hooks.hook('issues.opened', () => {})
    expect(() => hooks.hook('issues.opened', () => {})).toThrow('issues.opened hook already registered')
    hooks.hook('issues', () => {})
    expect(() => hooks.hook('issues')(() => {})).toThrow('issues hook already registered')
    hooks.hook('*', () => {})
    expect(() => hooks.hook('*', () => {})).toThrow('* hook already registered')
  })

  test('rejects an invalid name or handler', () => {
    const hooks = quiet()
    for (const name of ['', '.', 'a.', '.a', '*.opened', 'issues.*', 'two words' as string, 'a\0b', 'a\ud83d']) {
      expect(() => hooks.on(name, () => {})).toThrow(/An event name must be/)
    }
    expect(() => hooks.hook('ping', 'pong' as never)).toThrow(/must be a function/)
    expect(() => hooks.hook('ping', undefined as never)).toThrow(/must be a function/)
    expect(() => hooks.on([], () => {})).toThrow(/at least one name/)
  })

  test('errors begin with the line that registers the handler', () => {
    const hooks = quiet()
    const faults: (() => unknown)[] = [
      () => hooks.on('push', undefined as never),
      () => hooks.hook('push', { name: '' }, () => {}),
      () => hooks.on('push', (() => {}) as never, {} as never),
      () => hooks.schedule('stale', '0 3 * * *', undefined as never),
    ]
    for (const register of faults) expect(thrownBy(register).stack).toMatch(/^TypeError: .*\n +at .*hooks\.test\.ts:/)
  })

  test('rejects names that PostgreSQL cannot store', () => {
    const hooks = quiet()
    for (const odd of ['a\0b', 'a\ud83d']) {
      expect(() => hooks.on('push', { name: odd }, () => {})).toThrow('Option "name" of a handler must be a string')
      expect(() => hooks.on('push', { source: odd }, () => {})).toThrow('Option "source" of a handler must be a string')
      expect(() => hooks.mount({ source: odd })).toThrow('Option "source" must be a string without NUL')
      expect(() => new Hooks({ sources: [odd] })).toThrow('Option "sources" must be a list of strings without NUL')
    }
  })

  test('names the argument that has the wrong type', () => {
    const hooks = quiet()
    const circular: Record<string, unknown> = {}
    circular.self = circular
    const faults: [register: () => unknown, message: string][] = [
      [() => hooks.hook(true as never, () => {}), 'hooks.hook(): "name" must be a string, got true'],
      [() => hooks.hook(undefined as never), 'hooks.hook(): "name" must be a string, got undefined'],
      [() => hooks.hook({} as never, () => {}), 'hooks.hook(): "name" must be a string, got {}'],
      [() => hooks.on(undefined as never, () => {}), '"names" must be a string or a list of strings, got undefined'],
      [() => hooks.on(['push', 1] as never, () => {}), 'must be a string or a list of strings, got ["push",1]'],
      [() => hooks.on(circular as never, () => {}), 'must be a string or a list of strings, got an object'],
      [() => hooks.off(null as never, () => {}), 'hooks.off(): "name" must be a string, got null'],
      [() => hooks.hook('push', null as never), 'The handler of push must be a function, got null'],
      [() => hooks.on(['push', 'fork'], 1 as never), 'The handler of push, fork must be a function, got 1'],
      [() => hooks.on('push', 'x' as never, () => {}), 'options of the handler of push must be an object, got "x"'],
    ]
    for (const [register, message] of faults) {
      expect(register).toThrow(TypeError)
      expect(register).toThrow(message)
    }
    expect(hooks.registrations).toEqual([])
  })

  test('takes the options before the handler, and a handler that takes only the delivery', () => {
    const hooks = quiet()
    const [options, old] = [{ name: 'deploy' }, (_payload: unknown, _guid: string) => {}]
    const faults: [register: () => unknown, message: string][] = [
      [() => hooks.on('push', (() => {}) as never, options as never), "write hooks.on('push', { … }, handler)"],
      [() => hooks.hook('push', (() => {}) as never, options as never), "write hooks.hook('push', { … }, handler)"],
      [
        () => hooks.on(['push', 'fork'], old as never),
        'The handler of push, fork declares 2 parameters, but gets one argument, the delivery: write ({ payload',
      ],
      [
        () => hooks.schedule('nightly', '0 3 * * *', old as never),
        'The handler of schedule.nightly declares 2 parameters',
      ],
      [() => hooks.command('/deploy', old as never), 'declares 2 parameters, but gets one argument'],
    ]
    for (const [register, message] of faults) {
      expect(register).toThrow(TypeError)
      expect(register).toThrow(message)
    }
    expect(hooks.registrations).toEqual([])
    hooks.hook('push', { name: 'curried' })(() => 'reply')
    expect(hooks.registrations.map(({ name, replies }) => [name, replies])).toEqual([['curried', true]])
  })

  test('of a hook takes one name, and proposes a listener for several', () => {
    const hooks = quiet()
    const names = ['push', 'create'] as never
    for (const register of [() => hooks.hook(names, () => {}), () => hooks.hook(names)]) {
      expect(register).toThrow(TypeError)
      expect(register).toThrow('hooks.hook() takes one name: use hooks.on(["push","create"], …)')
    }
    expect(hooks.registrations).toEqual([])
  })

  test.each<[string, (delivery: never) => unknown]>([
    ['({ payload }) =>', ({ payload }: { payload: { ref: string } }) => payload.ref],
    ['async ({ guid, payload: push }) =>', async ({ payload: push }: { payload: { ref: string } }) => push.ref],
    ['delivery =>', (delivery: { payload: { ref: string } }) => delivery.payload.ref],
    [
      'function (delivery)',
      function named(delivery: { payload: { ref: string } }) {
        return delivery.payload.ref
      },
    ],
  ])(
    'of a hook that takes the delivery as its first argument: its TypeError names the arguments: %s',
    async (_, hook) => {
      const hooks = quiet()
      hooks.hook('push', hook as never)
      const message =
        'hooks.hook() calls its function with (payload, guid, delivery), but this function reads "payload" of the payload: ' +
        'write (payload) => …, or use hooks.on()'
      const cause = { name: 'TypeError', message: expect.stringContaining('Cannot read properties') }
      expect(await run(hooks, 'push')).toMatchObject([{ error: { name: 'TypeError', message, cause } }])
    },
  )

  test.each<[string, (payload: never, guid: string, delivery: never) => unknown]>([
    ['reads another member', ({ head }: { head: { ref: string } }) => head.ref],
    [
      'gives another member this name',
      ({ action, head: payload }: { action: string; head: { ref: string } }) => action + payload.ref,
    ],
    [
      'reads it from another member',
      ({ repository: { payload } }: { repository: { payload: { ref: string } } }) => payload.ref,
    ],
    [
      'takes all arguments',
      (_payload, _guid, delivery: { payload: { head: { ref: string } } }) => delivery.payload.head.ref,
    ],
  ])('of a hook with another defect: its TypeError stays: %s', async (_, hook) => {
    const hooks = quiet()
    hooks.hook('push', hook as never)
    expect(await run(hooks, 'push')).toMatchObject([{ error: { message: expect.stringMatching(/^Cannot read/) } }])
  })

  test('of a hook may read a member "payload" if the payload has one', async () => {
    const hooks = quiet()
    hooks.hook('deployed' as string, ({ payload }) => (payload as { missing: { ref: string } }).missing.ref)
    const payload = { payload: {} }
    expect(await run(hooks, 'deployed' as string, { payload })).toMatchObject([
      { error: { message: expect.stringMatching(/^Cannot read/) } },
    ])
  })

  test('of several names registers all or none', async () => {
    const hooks = quiet()
    expect(() => hooks.on(['push', 'two words' as string], () => {})).toThrow(/An event name must be/)
    expect(await (await deliver(hooks, 'push')).text()).toBe('Hook not used')
  })

  test('warns about each unknown name once in the process, at the first mount or later', () => {
    const logger = new Recorder()
    const hooks = quiet({ logger })
    for (const name of ['isues', 'isues', 'issues.open', 'issues.opened', 'repository_dispatch.mine', '*'])
      hooks.on(name, () => {})
    hooks.mount()
    expect(logger.messages).toEqual([
      expect.stringMatching(
        /^Unknown event "isues"\. Did you mean "issues"\? .*ignore this warning: the handler runs$/,
      ),
      expect.stringContaining('"issues.open"'),
    ])
    for (const name of ['isues', 'zzzzzzzz']) hooks.on(name, () => {})
    hooks.mount()
    quiet({ logger }).on('isues' as string, () => {})
    expect(logger.messages.slice(2)).toEqual([
      expect.stringContaining('Unknown event "zzzzzzzz". Check the spelling. If GitHub added this event'),
    ])
    expect(logger.lines[2]).toMatchObject({ level: 'warn', fields: { name: 'zzzzzzzz' } })
  })

  test('can be undone', async () => {
    const hooks = quiet()
    const handler = () => 'pong'
    hooks.hook('ping', handler)
    expect(hooks.off('ping', handler)).toBe(true)
    expect(hooks.off('ping', handler)).toBe(false)
    expect(await (await deliver(hooks, 'ping')).text()).toBe('Hook not used')
    hooks.hook('ping', () => 'again')
    expect(await (await deliver(hooks, 'ping')).text()).toBe('again')
  })
})

describe('dispatch', () => {
  test('runs every match once, the most specific first, in order of registration', async () => {
    const hooks = quiet()
    const ran: string[] = []
    hooks.on('*', () => void ran.push('* 1'))
    hooks.on('issues', () => void ran.push('issues 1'))
    hooks.hook('issues.opened', () => void ran.push('issues.opened hook'))
    hooks.on(['issues.opened', 'issues', '*'], () => void ran.push('several'))
    hooks.hook('issues', async () => void ran.push('issues hook'))
    hooks.on('issues.closed', () => void ran.push('never'))
    hooks.on('push', () => void ran.push('never'))
    expect((await deliver(hooks, 'issues.opened')).status).toBe(204)
    expect(ran).toEqual(['issues.opened hook', 'several', 'issues 1', 'issues hook', '* 1'])
  })

  test('replies with the return value of the most specific hook that returned something', async () => {
    const hooks = quiet()
    hooks.on('issues.opened', () => 'a listener')
    hooks.hook('*', () => 'any')
    expect(await (await deliver(hooks, 'issues.opened')).text()).toBe('any')
    hooks.hook('issues', () => 'issues')
    expect(await (await deliver(hooks, 'issues.opened')).text()).toBe('issues')
    hooks.hook('issues.opened', () => undefined)
    expect(await (await deliver(hooks, 'issues.opened')).text()).toBe('issues')
    expect(await (await deliver(hooks, 'push')).text()).toBe('any')
  })

  test('replies 204 if only listeners handled a delivery', async () => {
    const hooks = quiet()
    hooks.on('ping', () => 'ignored')
    expect((await deliver(hooks, 'ping')).status).toBe(204)
  })

  test('takes a Discard for a handler that returned nothing, and answers a Retry with 503', async () => {
    const onError = vi.fn()
    const hooks = quiet({ onError })
    hooks.hook('ping', () => Promise.reject(new Discard('not ours')))
    expect((await deliver(hooks, 'ping')).status).toBe(204)
    hooks.hook('*', () => 'of another hook')
    expect(await (await deliver(hooks, 'ping')).text()).toBe('of another hook')
    expect(onError).not.toHaveBeenCalled()
    for (const after of [1500, 61_000]) hooks.on('ping', () => Promise.reject(new Retry({ after })))
    const reply = await deliver(hooks, 'ping')
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '61'])
    expect(await reply.json()).toMatchObject({ code: 'handler_retry' })
    expect(onError).toHaveBeenCalledTimes(2)
    hooks.on('ping', () => Promise.reject(new Unrecoverable('gone')))
    expect(await (await deliver(hooks, 'ping')).json()).toMatchObject({ code: 'handler_failed' })
  })

  test('tells a handler its own name, and that no other attempt follows', async () => {
    const hooks = quiet()
    const seen: unknown[] = []
    hooks.on('ping', { name: 'first' }, ({ handler, isLastAttempt }) => void seen.push(handler, isLastAttempt))
    hooks.hook('ping', (_payload, _guid, { handler }) => void seen.push(handler))
    await deliver(hooks, 'ping')
    expect(seen).toEqual(['first', true, 'hook:ping'])
  })

  test('continues after a failure, and reports each one to onError', async () => {
    const failures: unknown[] = []
    const hooks = quiet({ onError: ({ error, delivery }) => failures.push([error, delivery.guid]) })
    const [first, second] = [new Error('first'), null]
    let last = false
    hooks.hook('ping', () => {
      throw first
    })
    hooks.on('ping', () => Promise.reject(second))
    hooks.on('*', () => {
      last = true
    })
    const reply = await inject(hooks, signedRequest('ping', { secret, guid: 'g' }))
    expect(reply.status).toBe(500)
    expect(await reply.json()).toEqual({
      status: 500,
      title: 'Internal Server Error',
      detail: 'A handler failed',
      code: 'handler_failed',
    })
    expect(last).toBe(true)
    expect(failures).toEqual([
      [first, 'g'],
      [second, 'g'],
    ])
  })

  test('survives an onError that throws', async () => {
    const logger = new Recorder()
    const onError = () => {
      throw new Error('in onError')
    }
    const hooks = quiet({ onError, logger })
    hooks.hook('ping', () => Promise.reject(new Error('in the handler')))
    expect((await deliver(hooks, 'ping')).status).toBe(500)
    expect(logger.messages).toEqual(['Handler hook:ping failed', 'onError failed'])
  })

  test('treats a HookError from a handler as a failure of the handler', async () => {
    const { HookError } = await import('../src/index.ts')
    const hooks = quiet()
    hooks.hook('ping', () => Promise.reject(new HookError('handler_timeout', { detail: 'a detail of the handler' })))
    const reply = await deliver(hooks, 'ping')
    expect(await reply.json()).toMatchObject({ status: 500, code: 'handler_failed', detail: 'A handler failed' })
  })

  test('reports a handler that exceeds the timeout, and again if it fails afterwards', async () => {
    const logger = new Recorder()
    const reports: unknown[] = []
    const late = Promise.withResolvers<void>()
    const reported = Promise.withResolvers<void>()
    const onError = ({ error }: HandlerFailure) => {
      if (reports.push(error) === 2) reported.resolve()
    }
    const hooks = quiet({ replyTimeout: '20ms', logger, onError })
    hooks.hook('ping', () => late.promise)
    hooks.on('*', { name: 'audit' }, () => {})
    expect((await deliver(hooks, 'ping')).status).toBe(503)
    expect(reports).toMatchObject([
      { name: 'TimeoutError', message: 'hook:ping did not finish in time; not started: audit' },
    ])
    late.reject(new Error('late'))
    await reported.promise
    expect(reports[1]).toMatchObject({ message: 'late' })
    expect(logger.messages).toEqual(['Handler hook:ping failed', 'Handler hook:ping failed'])
  })

  test('does not report twice a handler that rejects when its signal aborts', async () => {
    const onError = vi.fn()
    const hooks = quiet({ replyTimeout: '20ms', onError })
    const rejected = Promise.withResolvers<void>()
    hooks.hook('ping', (_data, _guid, { signal }) => {
      const aborted = new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      aborted.catch(() => rejected.resolve())
      return aborted
    })
    expect((await deliver(hooks, 'ping')).status).toBe(503)
    await rejected.promise
    expect(onError).toHaveBeenCalledTimes(1)
  })

  test('counts a reply that cannot be sent as a failure of its hook', async () => {
    const circular: Record<string, unknown> = {}
    circular.self = circular
    const used = new Response('text')
    await used.text()
    for (const returned of [circular, used, () => {}, Symbol('x'), 1n]) {
      const onError = vi.fn()
      const hooks = quiet({ onError })
      hooks.hook('ping', () => returned)
      expect((await deliver(hooks, 'ping')).status).toBe(500)
      const delivery = expect.objectContaining({ event: 'ping' })
      const failure = { error: expect.any(TypeError), delivery, handler: 'hook:ping', attempt: 1 }
      expect(onError.mock.calls).toEqual([[{ ...failure, nextAttemptAt: undefined }]])
    }
  })

  test('survives an onError that rejects', async () => {
    const logger = new Recorder()
    const hooks = quiet({ logger, onError: () => Promise.reject(new Error('the tracker is down')) })
    hooks.hook('ping', () => Promise.reject(new Error('in the handler')))
    expect((await deliver(hooks, 'ping')).status).toBe(500)
    expect(logger.lines.at(-1)).toMatchObject({
      message: 'onError failed',
      fields: { err: { message: 'the tracker is down' } },
    })
  })

  test('calls then() of a lazy promise once, even if it exceeds the timeout', async () => {
    const then = vi.fn() // as in a query builder, which starts its work when it is awaited
    const hooks = quiet({ replyTimeout: '20ms' })
    hooks.hook('ping', () => ({ then }))
    expect((await deliver(hooks, 'ping')).status).toBe(503)
    expect(then).toHaveBeenCalledTimes(1)
  })

  test('survives a logger that throws', async () => {
    const fail = () => {
      throw new Error('in the logger')
    }
    const hooks = quiet({ logger: { warn: fail, error: fail } })
    hooks.hook('ping', (_data, _guid, { log }) => log.info({}, 'nothing') ?? 'pong')
    hooks.hook('fork', () => Promise.reject(new Error('failed')))
    expect(await (await deliver(hooks, 'ping')).text()).toBe('pong')
    expect((await deliver(hooks, 'fork')).status).toBe(500)
    expect((await inject(hooks, signedRequest('ping', { secret: 'wrong' }))).status).toBe(400)
  })

  test('survives an internal error, and logs it', async () => {
    const logger = new Recorder()
    const receiver = quiet({ logger, validateIp: false }).mount()
    const headers = signedRequest('ping', { secret }).headers
    const body = () => {
      throw new Error('a bug in an adapter')
    }
    const delivery = receiver.receive({
      method: 'POST',
      path: '/hooks',
      headers,
      address: '::1',
      native: [undefined],
      body,
    })
    await expect(delivery).rejects.toMatchObject({ code: 'handler_failed', message: 'A handler failed' })
    expect(logger.lines.at(-1)?.fields.err).toMatchObject({ message: 'a bug in an adapter' })
  })
})

describe('a delivery', () => {
  test('has the data of GitHub’s headers and payload', async () => {
    const hooks = quiet({ source: 'my app' })
    hooks.hook('installation.created', (data, guid, delivery) => {
      expect(delivery.payload).toBe(data)
      expect(delivery.headers['x-github-event']).toBe('installation')
      expect(delivery.receivedAt).toBeInstanceOf(Date)
      const { event, action, hookId, installationId, targetType, targetId, sender, repository, source, attempt } =
        delivery
      const { redelivered, pulled, replayed, conflict } = delivery
      const flags = [redelivered, pulled, replayed, conflict]
      return {
        guid,
        event,
        action,
        hookId,
        installationId,
        targetType,
        targetId,
        sender,
        repository,
        source,
        attempt,
        flags,
      }
    })
    const reply = await inject(hooks, signedRequest('installation.created', { secret, guid: 'g' }))
    expect(await reply.json()).toEqual({
      guid: 'g',
      event: 'installation',
      action: 'created',
      hookId: '292430182',
      installationId: expect.stringMatching(/^\d+$/),
      targetType: 'repository',
      targetId: '79929171',
      sender: expect.any(String),
      source: 'my app',
      attempt: 1,
      flags: [false, false, false, false],
    })
  })

  test('has no id without an inbox, and the body until the reply', async () => {
    const request = signedRequest('push', { secret, payload: '{ "a": 1 }' })
    for (const isAsync of [true, false]) {
      const hooks = quiet()
      const [bodies, seen] = [[] as Promise<Uint8Array>[], [] as Delivery[]]
      hooks.hook('push', (_data, _guid, delivery) => {
        seen.push(delivery as Delivery)
        bodies.push(delivery.body(), delivery.body())
        return isAsync ? Promise.all(bodies).then(() => undefined) : undefined
      })
      await inject(hooks, request)
      const [first, second] = await Promise.all(bodies)
      expect([first, second]).toEqual([request.body, request.body].map((body) => new Uint8Array(Buffer.from(body))))
      expect(first?.buffer).not.toBe(second?.buffer)
      expect(seen[0]?.id).toBeUndefined()
      await expect(seen[0]?.body()).rejects.toThrow(/no longer in memory.*before the reply/)
      expect(hooks.mount().status().heldBytes).toBe(0)
    }
  })

  test('does not count towards the memory limit while its handlers run', async () => {
    const hooks = quiet()
    const held: number[] = []
    const mount = hooks.mount()
    hooks.on('push', async () => {
      await Promise.resolve()
      held.push(mount.status().heldBytes)
      throw new Error('failed')
    })
    hooks.on('push', () => void held.push(mount.status().heldBytes))
    const request = signedRequest('push', { secret })
    await inject(hooks, request)
    expect([held, mount.status().heldBytes]).toEqual([[0, 0], 0])
  })

  test('logs with its GUID and event', async () => {
    const logger = new Recorder()
    const hooks = quiet({ logger })
    hooks.hook('ping', (_data, _guid, { log }) => {
      log.debug({}, 'one')
      log.info({ more: 1 }, 'two')
      log.warn({}, 'three')
      log.error({}, 'four')
    })
    await inject(hooks, signedRequest('ping', { secret, guid: 'g' }))
    expect(logger.messages).toEqual(['one', 'two', 'three', 'four'])
    expect(logger.lines[1]).toEqual({ level: 'info', fields: { guid: 'g', event: 'ping', more: 1 }, message: 'two' })
  })

  test('has a signal that aborts at the timeout, and is aborted already if the handler reads it later', async () => {
    for (const early of [true, false]) {
      const hooks = quiet({ replyTimeout: '20ms' })
      const seen = Promise.withResolvers<AbortSignal>()
      const over = Promise.withResolvers<void>()
      hooks.hook('ping', async (_data, _guid, delivery) => {
        if (early) delivery.signal.addEventListener('abort', () => seen.resolve(delivery.signal))
        await over.promise
        if (!early) seen.resolve(delivery.signal)
      })
      expect((await deliver(hooks, 'ping')).status).toBe(503)
      over.resolve()
      const signal = await seen.promise
      expect(signal.aborted).toBe(true)
      expect(signal.reason).toMatchObject({ name: 'TimeoutError' })
    }
  })
})

describe('mounting', () => {
  test('overrides the options of the Hooks for that mount, except with undefined', async () => {
    const hooks = quiet({ bodyLimit: '10 B' })
    hooks.hook('ping', (_data, _guid, { source }) => source)
    expect((await deliver(hooks, 'ping')).status).toBe(413)
    const reply = await deliver(hooks, 'ping', {
      bodyLimit: 1_000_000,
      source: 'here',
      secret: undefined,
      validateSignature: undefined,
    })
    expect(await reply.text()).toBe('here')
  })

  test('serves any number of applications with the same handlers', async () => {
    const hooks = quiet()
    const one = hookserver(hooks, { path: '/one', validateIp: false })
    const two = hookserver(hooks, { path: '/two', validateIp: false })
    hooks.hook('ping', (_data, _guid, { source }) => source)
    const to = (url: string) => new Request(`http://localhost${url}`, signedRequest('ping', { secret }))
    expect(await (await one(to('/one'))).text()).toBe('/one')
    expect(await (await two(to('/two'))).text()).toBe('/two')
    expect((await two(to('/one'))).status).toBe(404)
  })

  test('requires clientAddress if the platform provides no address', () => {
    const hooks = quiet()
    expect(() => hookserver(hooks)).toThrow(/clientAddress/)
    expect(() => hookserver(hooks, { clientAddress: 'cloudflare' })).not.toThrow()
    expect(() => hookserver(hooks, { validateIp: 'warn' })).not.toThrow()
    expect(() => hookserver(hooks, { clientAddress: 'framework' })).toThrow(
      /"clientAddress".*'cloudflare', 'deno', 'bun'/,
    )
  })

  test('accepts the Hooks of another copy of the package, and nothing else', () => {
    expect(Reflect.get(quiet(), Symbol.for('hookserver.Hooks'))).toBe(true)
    for (const other of [undefined, null, {}, 'hooks', () => {}]) {
      expect(() => hookserver(other as never, { validateIp: false })).toThrow(/expected an instance of Hooks/)
    }
  })

  test.each([
    ['inject', (hooks: never) => inject(hooks, {})],
    ['run', (hooks: never) => run(hooks, 'push')],
    ['recover', (hooks: never) => recover(hooks, { targets: 'acme/shop' })],
  ])('is required by %s too', async (_name, call) => {
    for (const other of [undefined, null, {}, { mount: () => {}, registrations: [] }]) {
      const called = call(other as never)
      await expect(called).rejects.toThrow(TypeError)
      await expect(called).rejects.toThrow(/^Expected an instance of Hooks, got \w+$/)
    }
  })

  test('names the correct call for an object with a Hooks', () => {
    expect(() => hookserver({ hooks: quiet() } as never)).toThrow('got object; use hookserver(hooks), without braces')
  })

  test.each([
    ['a Request', new Request('http://localhost/hooks')],
    ['a request of Node.js', new IncomingMessage(new Socket())],
    ['a context of Koa or Hono', { req: {} }],
  ])('says what to write if a framework calls hookserver itself with %s', (_, request) => {
    expect(() => hookserver(request as never)).toThrow(
      'got a request; pass the result of hookserver(hooks), not hookserver itself, as in app.use(hookserver(hooks))',
    )
  })

  test('logs a delivery to a wrong path, but no other request', async () => {
    const recorder = new Recorder()
    const handle = hookserver(quiet({ logger: recorder, path: '/github' }), { validateIp: false })
    await handle(new Request('http://localhost/hooks', { method: 'POST' }))
    expect(recorder.lines).toEqual([])
    const { status } = await handle(
      new Request('http://localhost/hooks', signedRequest('push', { secret, guid: 'one' })),
    )
    expect(status).toBe(404)
    expect(recorder.lines).toEqual([
      {
        level: 'warn',
        fields: { code: 'not_found', guid: 'one', event: 'push' },
        message: 'Rejected a delivery: Not found (deliveries must arrive at /github)',
      },
    ])
  })

  test('shares one list of ranges between mounts', async () => {
    const github = await LocalGitHub.start({ hooks: ['192.0.2.0/24'] })
    const hooks = quiet({ apiUrl: github.url, clientAddress: () => '192.0.2.1' })
    const mounts = ['/a', '/b'].map((url) => [url, hookserver(hooks, { path: url })] as const)
    const replies = await Promise.all(
      mounts.map(([url, handle]) => handle(new Request(`http://localhost${url}`, signedRequest('ping', { secret })))),
    )
    expect(replies.map(({ status }) => status)).toEqual([200, 200])
    expect(github.requests).toHaveLength(1)
    await github.close()
  })

  test('replies in time if the source of the ranges hangs, and logs a source that returns no list', async () => {
    const hung = quiet({ replyTimeout: '20ms', ranges: () => new Promise(() => {}), clientAddress: () => '192.0.2.1' })
    const answer = await deliver(hung, 'ping', { validateIp: true })
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'ranges_unavailable' }])
    const logger = new Recorder()
    const none = quiet({ logger, ranges: (() => undefined) as never, clientAddress: () => '192.0.2.1' })
    expect((await deliver(none, 'ping', { validateIp: true })).status).toBe(503)
    expect(logger.lines[0]?.fields.err).toMatchObject({
      cause: { message: expect.stringContaining('"ranges" must return a list') },
    })
  })

  test('returns a receiver whose status includes the state that mounts share', async () => {
    const hooks = quiet({ bodyMemory: 1_000_000, ranges: async () => ['192.0.2.0/24'] })
    const [one, two] = [hooks.mount({ path: '/one' }), hooks.mount({ path: '/two', bodyMemory: '10 B' })]
    await one.ready()
    const ranges = { count: 1, fetchedAt: expect.any(Number), failing: undefined }
    const options = { origin: true, signature: true }
    expect(one.status()).toEqual({ ranges, heldBytes: 0, heldLimit: 1_000_000, ...options })
    expect(two.status()).toEqual({ ranges, heldBytes: 0, heldLimit: 10, ...options })
  })

  test('lets an adapter serve an existing receiver', async () => {
    const hooks = quiet({ path: '/here', validateIp: false })
    const receiver = hooks.mount()
    hooks.hook('ping', () => 'pong')
    const handle = hookserver(mounted(receiver), { path: 'ignored' })
    const reply = await handle(new Request('http://localhost/here', signedRequest('ping', { secret })))
    expect(await reply.text()).toBe('pong')
  })

  test('calls the function ranges once', async () => {
    const ranges = vi.fn(async () => ['192.0.2.0/24'])
    const hooks = quiet({ ranges, clientAddress: () => '192.0.2.1' })
    for (let i = 0; i < 3; i++) expect((await deliver(hooks, 'ping', { validateIp: true })).status).toBe(200)
    expect(ranges).toHaveBeenCalledTimes(1)
  })
})

describe('close', () => {
  test('finishes running deliveries and rejects new ones', async () => {
    const hooks = quiet()
    const claimed = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<string>()
    hooks.hook('ping', () => {
      claimed.resolve()
      return finish.promise
    })
    const running = deliver(hooks, 'ping')
    await claimed.promise
    let closed = false
    const closing = hooks.close().then(() => {
      closed = true
    })
    const rejected = await deliver(hooks, 'ping')
    expect(rejected.status).toBe(503)
    expect(await rejected.json()).toMatchObject({ code: 'shutting_down' })
    expect(rejected.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(closed).toBe(false)
    finish.resolve('done')
    expect(await (await running).text()).toBe('done')
    await closing
  })

  test('aborts the signal of handlers that still run after the grace', async () => {
    const hooks = quiet()
    const claimed = Promise.withResolvers<void>()
    hooks.hook('ping', (_data, _guid, { signal }) => {
      claimed.resolve()
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason.name)))
    })
    const running = deliver(hooks, 'ping')
    await claimed.promise
    await hooks.close({ grace: '1ms' })
    expect(await (await running).text()).toBe('AbortError')
  })

  test('accepts any grace, however long', async () => {
    const hooks = quiet()
    const claimed = Promise.withResolvers<AbortSignal>()
    const finish = Promise.withResolvers<void>()
    hooks.hook('ping', (_data, _guid, { signal }) => {
      claimed.resolve(signal)
      return finish.promise
    })
    const running = deliver(hooks, 'ping')
    const signal = await claimed.promise
    const closing = hooks.close({ grace: Number.POSITIVE_INFINITY })
    await new Promise((resolve) => setTimeout(resolve, 5)) // if the delay of a timer is too large, Node.js uses 1 ms
    expect(signal.aborted).toBe(false)
    finish.resolve()
    await Promise.all([running, closing])
  })

  test('resolves immediately if nothing is running, and may be repeated', async () => {
    const hooks = quiet()
    await hooks.close()
    await hooks.close()
  })
})

describe('middleware', () => {
  test('runs around every handler, the first the outermost, and passes the reply on', async () => {
    const hooks = quiet()
    const steps: string[] = []
    hooks.hook('ping', () => void steps.push('hook'))
    for (const name of ['outer', 'inner']) {
      hooks.use(async ({ handler }, next) => {
        steps.push(`${name} ${handler}`)
        const reply = await next()
        steps.push(`end of ${name}`)
        return reply ?? name
      })
    }
    hooks.on('ping', { name: 'listener' }, () => void steps.push('listener'))
    expect(await (await deliver(hooks, 'ping')).text()).toBe('inner')
    expect(steps).toEqual([
      ...['outer hook:ping', 'inner hook:ping', 'hook', 'end of inner', 'end of outer'],
      ...['outer listener', 'inner listener', 'listener', 'end of inner', 'end of outer'],
    ])
  })

  test('may skip the handler, or fail, and cannot run it twice', async () => {
    const hooks = quiet()
    const handler = vi.fn(() => 'pong')
    hooks.hook('ping', handler)
    let middleware: Middleware = () => undefined
    hooks.use((delivery, next) => middleware(delivery, next))
    expect((await deliver(hooks, 'ping')).status).toBe(204)
    middleware = () => Promise.reject(new Error('no'))
    expect((await deliver(hooks, 'ping')).status).toBe(500)
    expect(handler).not.toHaveBeenCalled()
    middleware = (_delivery, next) => [next(), next()]
    expect((await deliver(hooks, 'ping')).status).toBe(500)
    expect(handler).toHaveBeenCalledOnce()
    expect(() => hooks.use('log' as never)).toThrow('hooks.use(): "middleware" must be a function, got "log"')
    expect(hooks.off('ping', handler)).toBe(true)
  })
})

test('options that need an inbox are named in one warning for each handler without an inbox', () => {
  const logger = new Recorder()
  const hooks = quiet({ logger })
  hooks.on('push', { name: 'deploy', attempts: 3, order: 'repository' }, () => {})
  hooks.on('push', { name: 'plain', source: '/hooks' }, () => {})
  for (const path of ['/a', '/b'] as const) hooks.mount({ path })
  expect(logger.messages).toEqual(['Without an inbox, "attempts", "order" of the handler deploy has no effect'])
  hooks.on('fork', { name: 'late', attempts: 3 }, () => {})
  expect(logger.messages.slice(1)).toEqual(['Without an inbox, "attempts" of the handler late has no effect'])
})

test('a Hooks closes at the end of its scope', async () => {
  const hooks = quiet()
  {
    await using _scope = hooks
    expect((await deliver(hooks, 'fork')).status).toBe(200)
  }
  expect(await (await deliver(hooks, 'fork')).json()).toMatchObject({ code: 'shutting_down' })
})
