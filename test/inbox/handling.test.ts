/** `Hooks` with an inbox: which process handles a delivery, and what its handlers get. */

import { setImmediate } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { hookserver } from '../../src/adapters/web.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import { type Delivery, Hooks, type HooksOptions } from '../../src/index.ts'
import { overrideOptions } from '../../src/internals.ts'
import { inject, signedRequest } from '../../src/testing/index.ts'
import { Recorder } from '../recorder.ts'
import { detailIn, eventually, inboxFile, openInbox, stateIn, taskIn, withMembers, withoutPolling } from './stores.ts'

const secret = 'a secret of the tests'

function hooksWith(options: HooksOptions): Hooks {
  const hooks = new Hooks({ secret, validateIp: false, logger: false, ...options })
  onTestFinished(() => hooks.close({ grace: 0 }))
  return hooks
}

const send = (hooks: Hooks, name = 'push', options: HooksOptions = {}) =>
  inject(hooks, signedRequest(name, { secret }), options)
const reaches = (inbox: Store, id: number, state: string) =>
  eventually(async () => expect(await stateIn(inbox, id)).toBe(state))

describe('handlers of an inbox', () => {
  test('run immediately after the reply, in the same process', async () => {
    const inbox = withoutPolling(openInbox())
    const hooks = hooksWith({ inbox })
    const ran: string[] = []
    hooks.on('*', { name: 'audit' }, () => void ran.push('audit'))
    hooks.hook('push', () => void ran.push('push'))
    for (const id of [1, 2]) {
      expect((await send(hooks)).status).toBe(202)
      await reaches(inbox, id, 'done')
    }
    expect(ran.toSorted()).toEqual(['audit', 'audit', 'push', 'push'])
  })

  test('have their return value stored with the attempt', async () => {
    const inbox = openInbox()
    const hooks = hooksWith({ inbox })
    hooks.hook('push', ({ ref }) => ({ ref }))
    await send(hooks)
    await reaches(inbox, 1, 'done')
    const { attempts } = await taskIn(inbox, 1, 'hook:push')
    expect(attempts).toMatchObject([{ outcome: 'succeeded', result: expect.stringContaining('"ref":') }])
  })

  test('get the delivery as it was sent', async () => {
    const logger = new Recorder()
    const seen = Promise.withResolvers<Delivery>()
    const inbox = openInbox()
    const hooks = hooksWith({ inbox, secret: () => ({ secret: ['new', secret], id: 'one' }), logger })
    hooks.hook('issues.opened', (data, guid, delivery) => {
      expect([delivery.payload, delivery.guid]).toEqual([data, guid])
      delivery.log.info({ of: 'mine' }, 'seen')
      seen.resolve(delivery as Delivery)
    })
    const request = signedRequest('issues.opened', { secret, guid: 'g' })
    await inject(hooks, request, { source: 'my app' })
    const delivery = await seen.promise
    expect(delivery).toMatchObject({
      guid: 'g',
      event: 'issues',
      action: 'opened',
      source: 'my app',
      hookId: '292430182',
    })
    expect(delivery).toMatchObject({
      secretId: 'one',
      secretIndex: 1,
      attempt: 1,
      redelivered: false,
      pulled: false,
    })
    expect(delivery.headers['user-agent']).toBe(request.headers['user-agent'])
    expect(delivery.headers['x-hub-signature-256']).toBe('[not kept]')
    expect(delivery.receivedAt).toEqual(new Date((await detailIn(inbox, 1)).receivedAt))
    expect(delivery.repository).toBe('Codertocat/Hello-World')
    await reaches(inbox, 1, 'done')
    expect((await taskIn(inbox, 1, 'hook:issues.opened')).attempts[0]?.log).toMatch(/ info seen {"of":"mine"}\n$/)
    expect(logger.lines).toContainEqual({
      level: 'info',
      message: 'seen',
      fields: { id: 1, guid: 'g', event: 'issues', action: 'opened', of: 'mine' },
    })
  })

  test('log in the call forms of pino, and the inbox stores texts and errors', async () => {
    const logger = new Recorder()
    const inbox = openInbox()
    const hooks = hooksWith({ inbox, logger })
    const broken = new TypeError('broken')
    hooks.hook('push', (_data, _guid, { log }) => {
      log.warn('plain text')
      log.info('%s has %d', 'one', 1)
      log.error(broken)
      log.error(broken, 'no label')
    })
    await send(hooks)
    await reaches(inbox, 1, 'done')
    const stored = (await taskIn(inbox, 1, 'hook:push')).attempts[0]?.log?.trim().split('\n') ?? []
    const stack = JSON.stringify(broken.stack)
    expect(stored.map((line) => line.slice(line.indexOf(' ') + 1))).toEqual([
      'warn plain text',
      'info one has 1',
      `error broken {"err":${stack}}`,
      `error no label {"err":${stack}}`,
    ])
    expect(logger.lines).toMatchObject([
      { message: 'plain text' },
      { message: 'one has 1' },
      { message: 'broken', fields: { err: broken } },
      { message: 'no label', fields: { err: broken } },
    ])
  })

  test('get the id of the delivery, and its body for as long as the inbox has it', async () => {
    const inbox = openInbox()
    let isDeleted = false
    const load: Store['load'] = async (ids) => (isDeleted ? [] : inbox.load(ids))
    const hooks = hooksWith({ inbox: withMembers(inbox, { load }) })
    const seen = Promise.withResolvers<Delivery>()
    hooks.hook('push', (_data, _guid, delivery) => seen.resolve(delivery as Delivery))
    const request = signedRequest('push', { secret })
    await inject(hooks, request)
    const delivery = await seen.promise
    await reaches(inbox, 1, 'done')
    expect(delivery.id).toBe(1)
    expect(Buffer.from(await delivery.body()).toString()).toBe(Buffer.from(request.body).toString())
    isDeleted = true
    await expect(delivery.body()).rejects.toThrow('The inbox has deleted delivery 1')
  })

  test('see the number of the attempt, and that a copy was received meanwhile', async () => {
    const inbox = openInbox()
    const hooks = hooksWith({ inbox })
    const seen: unknown[] = []
    const started = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    hooks.hook('push', { backoff: '1ms' }, async (_data, _guid, { attempt, redelivered }) => {
      seen.push([attempt, redelivered])
      started.resolve()
      await go.promise
      if (seen.length === 1) throw new Error('once')
    })
    const request = signedRequest('push', { secret })
    await inject(hooks, request)
    await started.promise
    expect(await (await inject(hooks, request)).text()).toBe('Duplicate')
    go.resolve()
    await reaches(inbox, 1, 'done')
    expect(seen).toEqual([
      [1, false],
      [2, true],
    ])
  })

  test('that are registered after the mount handle later deliveries', async () => {
    const inbox = openInbox()
    const hooks = hooksWith({ inbox })
    hooks.hook('push', () => 'pong')
    await send(hooks)
    await reaches(inbox, 1, 'done')
    hooks.on('*', { name: 'late' }, () => 'late')
    await send(hooks)
    await reaches(inbox, 2, 'done')
    const handlers = await Promise.all(
      [1, 2].map(async (id) => (await detailIn(inbox, id)).tasks.map((one) => one.handler)),
    )
    expect(handlers).toEqual([['hook:push'], ['hook:push', 'late']])
  })

  test('disappear from the policies of the worker when they are removed', async () => {
    const inbox = openInbox()
    const updateWorker = vi.fn((...given: Parameters<Store['updateWorker']>) => inbox.updateWorker(...given))
    const hooks = hooksWith({ inbox: withMembers(inbox, { updateWorker }) })
    const handler = hooks.hook('push', () => Promise.reject(new Error('down')))
    hooks.hook('fork', () => {})
    await send(hooks)
    await reaches(inbox, 1, 'retrying')
    expect(hooks.off('push', handler)).toBe(true)
    await eventually(() =>
      expect(updateWorker).toHaveBeenLastCalledWith(expect.any(Number), [
        { name: 'hook:fork', backoff: 5000, timeout: 900_000, attempts: 12 },
      ]),
    )
    updateWorker.mockClear()
    expect(hooks.off('push', handler)).toBe(false)
    await setImmediate()
    expect(updateWorker).not.toHaveBeenCalled()
  })

  test('are needed: nothing is matched before one is registered', async () => {
    const inbox = openInbox()
    const query = vi.fn()
    const hooks = hooksWith({ inbox: withMembers(inbox, { match: query, claim: query }) })
    await send(hooks)
    const other = hooksWith({ inbox })
    await send(other)
    await eventually(async () => expect((await inbox.overview()).states.pending).toBe(2))
    expect(query).not.toHaveBeenCalled()
    other.hook('push', () => 'pong')
    await reaches(inbox, 1, 'done')
  })

  test('do not see a replay if replays is discard', async () => {
    const inbox = openInbox()
    const hooks = hooksWith({ inbox, replays: 'discard' })
    const handler = vi.fn()
    hooks.hook('push', handler)
    await send(hooks)
    await send(hooks)
    await reaches(inbox, 2, 'discarded')
    await reaches(inbox, 1, 'done')
    expect(handler).toHaveBeenCalledTimes(1)
  })
})

describe('the worker', () => {
  test('does not run if work is false, and another process may handle the deliveries', async () => {
    const path = inboxFile()
    const [front, back] = [openInbox(path), openInbox(path)]
    const receiver = hooksWith({ inbox: front, work: false })
    const never = vi.fn()
    receiver.hook('push', never)
    await send(receiver)
    expect(await stateIn(front, 1)).toBe('pending')
    const worker = hooksWith({ inbox: back })
    const handler = vi.fn()
    worker.hook('push', handler)
    worker.work()
    await reaches(front, 1, 'done')
    expect([handler.mock.calls.length, never.mock.calls.length]).toEqual([1, 0])
  })

  test('is shared by several mounts', async () => {
    const inbox = openInbox()
    const registerWorker = vi.fn((...given: Parameters<Store['registerWorker']>) => inbox.registerWorker(...given))
    const hooks = hooksWith({ inbox: withMembers(inbox, { registerWorker }) })
    hooks.hook('push', () => 'pong')
    hooks.mount({ path: '/one' })
    hooks.mount({ path: '/two' })
    hooks.work()
    await send(hooks, 'push', { path: '/one' })
    await send(hooks, 'push', { path: '/two' })
    for (const id of [1, 2]) await reaches(inbox, id, 'done')
    expect(registerWorker).toHaveBeenCalledTimes(1)
    expect((await inbox.list({})).deliveries.map(({ source }) => source)).toEqual(['/two', '/one'])
  })

  test('is not shared by several inboxes', async () => {
    const inboxes = [openInbox(), openInbox()]
    const hooks = hooksWith({})
    hooks.hook('push', () => 'pong')
    for (const inbox of inboxes) await send(hooks, 'push', { inbox })
    for (const inbox of inboxes) await reaches(inbox, 1, 'done')
  })

  test('cannot be started without an inbox', () => {
    expect(() => hooksWith({}).work()).toThrow(TypeError)
    expect(() => hooksWith({}).work()).toThrow(/"inbox".*sqlite\('hookserver\.db'\)/)
  })

  test('are not started by a call with options, which work() does not have', () => {
    const hooks = hooksWith({ inbox: openInbox(), work: false })
    // @ts-expect-error Programs in JavaScript have no compiler that reports the argument.
    expect(() => hooks.work({ sources: ['/hooks'] })).toThrow(/^hooks\.work\(\) takes no arguments: .*new Hooks\(\)$/)
  })
})

describe('drain()', () => {
  test('handles the deliveries in the inbox', async () => {
    const inbox = openInbox()
    const hooks = hooksWith({ inbox, work: false })
    hooks.hook('push', () => 'pong')
    await send(hooks)
    expect(await hooks.drain()).toEqual({ nextAt: undefined })
    expect(await stateIn(inbox, 1)).toBe('done')
    await send(hooks)
    await hooks.drain({ budget: 60_000 })
    expect(await stateIn(inbox, 2)).toBe('done')
  })

  test('returns the result of a call that still runs', async () => {
    const hooks = hooksWith({ inbox: openInbox(), work: false })
    const [started, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const handler = vi.fn(() => {
      started.resolve()
      return end.promise
    })
    hooks.hook('push', handler)
    await send(hooks)
    const first = hooks.drain()
    await started.promise
    const second = hooks.drain()
    expect(() => hooks.work()).toThrow('hooks.drain() still runs')
    end.resolve()
    expect(await second).toBe(await first)
    expect(handler).toHaveBeenCalledTimes(1)
  })

  test('ends when the hooks are closed', async () => {
    const hooks = hooksWith({ inbox: openInbox(), work: false })
    const started = Promise.withResolvers<void>()
    hooks.hook('push', (_data, _guid, { signal }) => {
      started.resolve()
      return new Promise((_resolve, reject) => signal.addEventListener('abort', reject))
    })
    await send(hooks)
    const draining = hooks.drain()
    await started.promise
    await hooks.close({ grace: 0 })
    expect((await draining).nextAt).toBe(0)
  })

  test.each([
    [{}, {}, /needs the option "inbox"/],
    [{ inbox: true }, {}, /needs the option "work: false"/],
    [{ inbox: true, work: false }, { budget: 0 }, /hooks\.drain\(\): option "budget" must be/],
    [{ inbox: true, work: false }, { signal: 'now' }, /option "signal" must be an AbortSignal, got "now"/],
    [{ inbox: true, work: false }, { grace: '1ms' }, /hooks\.drain\(\): unknown option "grace"/],
  ] as [{ inbox?: true; work?: boolean }, object, RegExp][])('rejects with the options %j and %j', async (...given) => {
    const [{ inbox, ...options }, limits, message] = given
    const hooks = hooksWith({ ...options, ...(inbox && { inbox: openInbox() }) })
    hooks.mount()
    const error = await hooks.drain(limits).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ message: expect.stringMatching(message) })
  })
})

describe('names of listeners', () => {
  test('come from the event, and must differ if there is an inbox', () => {
    const hooks = hooksWith({ inbox: openInbox() })
    hooks.on('push', () => {})
    expect(() => hooks.on('push', () => {})).toThrow(TypeError)
    expect(() => hooks.on('push', () => {})).toThrow(/"on:push".*the option "name"/)
    expect(() => hooks.on('push', { name: 'mine' }, () => {})).not.toThrow()
    expect(() => hooks.hook('push', () => {})).not.toThrow()
    expect(hooks.registrations.map(({ name }) => name)).toEqual(['on:push', 'mine', 'hook:push'])
  })

  test('must differ if a server sets the inbox', () => {
    const hooks = hooksWith({})
    hooks.on('push', () => {})
    hooks.on('push', () => {})
    expect(() => hooks.mount()).not.toThrow()
    overrideOptions(hooks, { inbox: openInbox() })
    expect(() => hooks.mount()).toThrow(/"on:push"/)
    const other = hooksWith({})
    overrideOptions(other, { inbox: openInbox() })
    other.mount()
    other.on('push', () => {})
    expect(() => other.on('push', () => {})).toThrow(/"on:push"/)
  })

  test('are not checked by work() while there are no listeners', () => {
    const inbox = openInbox()
    const hooks = hooksWith({ inbox })
    expect(() => hooks.work()).not.toThrow()
  })

  test('distinguish handlers', async () => {
    const hooks = hooksWith({ inbox: openInbox() })
    hooks.on('push', { name: 'mine' }, () => {})
    expect(() => hooks.on('fork', { name: 'mine' }, () => {})).toThrow('Two handlers have the name "mine"')
    expect(() => hooks.hook('fork', { name: 'mine' }, () => {})).toThrow('Two handlers have the name "mine"')
    hooks.hook('fork', () => {})
    expect(() => hooks.on('fork', { name: 'hook:fork' }, () => {})).toThrow('Two handlers have the name "hook:fork"')
    const anywhere = hooksWith({})
    for (const name of ['push', 'fork']) anywhere.on(name, { name: 'mine' }, () => {})
    overrideOptions(anywhere, { inbox: openInbox() })
    expect(() => anywhere.mount()).toThrow('Two handlers have the name "mine"')
  })

  test('are checked, like the options, before a handler is registered', async () => {
    const inbox = openInbox()
    const hooks = hooksWith({ inbox })
    const handler = vi.fn()
    hooks.hook('fork', { name: 'taken' }, () => {})
    expect(() => hooks.on(['push', 'fork'], { name: 'taken' }, handler)).toThrow('"taken"')
    expect(() => hooks.on('push', { name: 'x', attempts: 0 }, handler)).toThrow('"attempts"')
    hooks.hook('ping', () => 'pong')
    await send(hooks)
    await reaches(inbox, 1, 'ignored')
    expect(handler).not.toHaveBeenCalled()
  })
})

describe('two Hooks on one inbox', () => {
  test('each handle the deliveries of their own mounts', async () => {
    const inbox = openInbox()
    const ran: string[] = []
    for (const path of ['/a', '/b']) {
      const hooks = hooksWith({ inbox, path, sources: [path] })
      hooks.on('push', { order: () => 'one' }, ({ source }) => void ran.push(`${path} handled ${source}`))
      hooks.work()
      await send(hooks)
    }
    for (const id of [1, 2]) await reaches(inbox, id, 'done')
    expect(ran.toSorted()).toEqual(['/a handled /a', '/b handled /b'])
  })

  test.each([
    ['both handle all deliveries', undefined, undefined],
    ['one handles all deliveries', ['/a'], undefined],
    ['both name a source', ['/a', '/b'], ['/b']],
  ])('are an error if %s', async (_what, first, second) => {
    const inbox = openInbox()
    hooksWith({ inbox, sources: first }).work()
    expect(() => hooksWith({ inbox, sources: second }).work()).toThrow(TypeError)
    expect(() => hooksWith({ inbox, sources: second }).mount()).toThrow(/each would handle.*option "sources"/)
    await expect(hooksWith({ inbox, sources: second }).drain()).rejects.toThrow(/each would handle.*option "sources"/)
    expect(() => hooksWith({ inbox, sources: second, work: false }).mount()).not.toThrow()
  })

  test('are an error only while drain() of the other Hooks runs', async () => {
    const inbox = openInbox()
    const first = hooksWith({ inbox })
    const second = hooksWith({ inbox })
    const draining = first.drain()
    expect(() => second.work()).toThrow(/each would handle/)
    await draining
    second.work()
  })

  test('close the inbox when the last one closes', async () => {
    const inbox = openInbox()
    const close = vi.spyOn(inbox, 'close')
    const [first, second] = ['/a', '/b'].map((path) => hooksWith({ inbox, path, sources: [path] })) as [Hooks, Hooks]
    const started = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    const handler = vi.fn(() => {
      started.resolve()
      return finish.promise
    })
    second.on('push', handler)
    await send(second)
    await started.promise
    await first.close()
    await first.close()
    finish.resolve()
    await reaches(inbox, 1, 'done')
    expect((await send(second)).status).toBe(202)
    await reaches(inbox, 2, 'done')
    expect(handler).toHaveBeenCalledTimes(2)
    expect(close).not.toHaveBeenCalled()
    await second.close()
    expect(close).toHaveBeenCalled()
  })

  test('close the inbox when the last one closes, also if both close at once', async () => {
    const inbox = openInbox()
    const close = vi.spyOn(inbox, 'close')
    await Promise.all([hooksWith({ inbox }).close(), hooksWith({ inbox, work: false }).close()])
    expect(close).toHaveBeenCalledTimes(1)
  })

  test('may work one after the other', async () => {
    const inbox = openInbox()
    const first = hooksWith({ inbox: withMembers(inbox, { close: async () => {} }) })
    first.work()
    await first.close()
    expect(() => hooksWith({ inbox }).work()).not.toThrow()
  })
})

describe('the option "source" of a handler', () => {
  test.each([true, false])('chooses the mounts whose deliveries it gets (with an inbox: %s)', async (isStored) => {
    const inbox = openInbox()
    const hooks = hooksWith(isStored ? { inbox } : {})
    const ran: string[] = []
    hooks.on('push', { name: 'of a', source: '/a' }, ({ source }) => void ran.push(`a ${source}`))
    hooks.on('push', { name: 'of both', source: ['/a', '/b'] }, ({ source }) => void ran.push(`both ${source}`))
    for (const path of ['/a', '/b', '/c']) await send(hooks, 'push', { path })
    if (isStored) {
      for (const id of [1, 2]) await reaches(inbox, id, 'done')
      await reaches(inbox, 3, 'ignored')
    }
    expect(ran.toSorted()).toEqual(['a /a', 'both /a', 'both /b'])
  })
})

describe('sources without a mount', () => {
  const post = (receiver: ReturnType<typeof hookserver>, path: string) => {
    const { headers, body } = signedRequest('push', { secret })
    return receiver(new Request(`http://localhost${path}`, { method: 'POST', headers, body }))
  }

  test('a mount whose deliveries this process does not handle causes one warning', async () => {
    const logger = new Recorder()
    const hooks = hooksWith({ inbox: openInbox(), sources: ['/a', '/c'], logger })
    hooks.on('push', () => {})
    hookserver(hooks, { path: '/a' })
    expect(logger.lines).toEqual([])
    for (const _mount of [1, 2]) hookserver(hooks, { path: '/b' })
    const fields = { source: '/b', sources: ['/a', '/c'] }
    expect(logger.lines).toMatchObject([{ level: 'warn', fields }])
    expect(logger.messages[0]).toContain('add "/b" to the option "sources"')
    expect((await post(hookserver(hooks, { path: '/b' }), '/b')).status).toBe(202)
  })

  test('such a mount is fine in a process that handles nothing, until the process starts to work', () => {
    const logger = new Recorder()
    const hooks = hooksWith({ inbox: openInbox(), sources: ['/a'], logger, work: false })
    hookserver(hooks, { path: '/b' })
    expect(logger.lines).toEqual([])
    hooks.work()
    expect(logger.lines).toMatchObject([{ level: 'warn', fields: { source: '/b' } }])
  })

  test.each([true, false])(
    'a handler with the source of no mount causes one warning (with an inbox: %s)',
    async (isStored) => {
      const logger = new Recorder()
      const inbox = openInbox()
      const hooks = hooksWith(isStored ? { inbox, logger } : { logger })
      hooks.on('push', { name: 'mistyped', source: ['/typo', '/oops'] }, () => {})
      hooks.on('push', { name: 'right', source: ['/typo', '/b'] }, () => {})
      hooks.on('push', { name: 'of operators', source: 'dashboard' }, () => {})
      const [receiver] = [hookserver(hooks, { path: '/a' }), hookserver(hooks, { path: '/b' })]
      for (const id of [1, 2]) {
        expect((await post(receiver, '/a')).status).toBe(isStored ? 202 : 200)
        if (isStored) await reaches(inbox, id, 'ignored')
      }
      const fields = { handler: 'mistyped', sources: ['/typo', '/oops'], mounted: ['/a', '/b'] }
      expect(logger.lines.filter(({ level }) => level === 'warn')).toMatchObject([{ fields }])
      expect(logger.messages.join()).toContain(
        'The handler mistyped has the source "/typo", "/oops", but the mounts of',
      )
    },
  )

  test('a process without a mount does not know which sources exist', async () => {
    const logger = new Recorder()
    const inbox = openInbox()
    const hooks = hooksWith({ inbox, logger })
    hooks.on('push', { source: '/elsewhere' }, () => {})
    hooks.work()
    await send(hooks)
    await reaches(inbox, 1, 'ignored')
    expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([])
  })
})

describe('onError and onDead', () => {
  test('get the error and the delivery, and their own errors are logged', async () => {
    const logger = new Recorder()
    const inbox = openInbox()
    const fail = (name: string) => vi.fn(() => Promise.reject(new Error(`${name} is down`)))
    const [onError, onDead] = [fail('the tracker'), fail('the pager')]
    const hooks = hooksWith({ inbox, logger, onError, onDead })
    const error = new Error('the reason')
    hooks.hook('push', { attempts: 2, backoff: '1ms' }, () => Promise.reject(error))
    await inject(hooks, signedRequest('push', { secret, guid: 'g' }))
    await reaches(inbox, 1, 'dead')
    const said = (message: string) => logger.lines.filter((line) => line.message === message)
    await eventually(() => expect(said('onDead failed')).toHaveLength(1))
    const failure = (attempt: number, nextAttemptAt: unknown) => {
      const delivery = expect.objectContaining({ guid: 'g', event: 'push', attempt })
      return { error, delivery, handler: 'hook:push', attempt, nextAttemptAt }
    }
    expect(onError.mock.calls).toEqual([[failure(1, expect.any(Date))], [failure(2, undefined)]])
    expect(onDead.mock.calls).toEqual([[failure(2, undefined)]])
    expect(said('onError failed')).toMatchObject(
      Array(2).fill({ level: 'error', fields: { err: { message: 'the tracker is down' }, guid: 'g' } }),
    )
    expect(said('onDead failed')).toMatchObject([{ fields: { err: { message: 'the pager is down' } } }])
  })

  test('may throw synchronously', async () => {
    const logger = new Recorder()
    const inbox = openInbox()
    const fail = () => {
      throw new Error('in the callback')
    }
    const hooks = hooksWith({ inbox, logger, onError: fail, onDead: fail })
    hooks.hook('push', { attempts: 1 }, fail)
    await send(hooks)
    await reaches(inbox, 1, 'dead')
    await eventually(() => expect(logger.messages).toEqual(expect.arrayContaining(['onError failed', 'onDead failed'])))
  })

  test('are optional', async () => {
    const inbox = openInbox()
    const hooks = hooksWith({ inbox })
    hooks.hook('push', { attempts: 1 }, () => Promise.reject(null))
    await send(hooks)
    await reaches(inbox, 1, 'dead')
  })
})

describe('closing', () => {
  test('answers open requests, rejects new ones, and closes the inbox', async () => {
    const inbox = openInbox()
    const close = vi.fn(() => inbox.close())
    const gate = Promise.withResolvers<void>()
    const store: Store['store'] = async (delivery) => {
      await gate.promise
      return inbox.store(delivery)
    }
    const hooks = hooksWith({ inbox: withMembers(inbox, { close, store }) })
    const reply = send(hooks)
    await setImmediate()
    const closed = hooks.close({ grace: 0 })
    const rejected = await send(hooks)
    expect([rejected.status, await rejected.json()]).toMatchObject([503, { code: 'shutting_down' }])
    expect(close).not.toHaveBeenCalled()
    gate.resolve()
    expect((await reply).status).toBe(202)
    await closed
    expect(close).toHaveBeenCalledTimes(1)
    await expect(inbox.overview()).rejects.toThrow(/closed/)
  })

  test('releases attempts that do not end, without counting them, and may be called twice', async () => {
    const path = inboxFile()
    const inbox = openInbox(path)
    const hooks = hooksWith({ inbox })
    const started = Promise.withResolvers<AbortSignal>()
    hooks.hook('push', (_data, _guid, { signal }) => {
      started.resolve(signal)
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    await send(hooks)
    const signal = await started.promise
    await Promise.all([hooks.close({ grace: 0 }), hooks.close({ grace: 0 })])
    await hooks.close()
    expect(signal.aborted).toBe(true)
    const next = openInbox(path)
    const again = hooksWith({ inbox: next })
    const attempts = vi.fn()
    again.hook('push', (_data, _guid, { attempt }) => void attempts(attempt))
    again.work()
    await reaches(next, 1, 'done')
    expect(attempts.mock.calls).toEqual([[1]])
  })

  test('does not wait for a handler that ignores the abort', async () => {
    const path = inboxFile()
    const hooks = hooksWith({ inbox: openInbox(path) })
    const started = Promise.withResolvers<void>()
    hooks.hook('push', () => {
      started.resolve()
      return new Promise(() => {})
    })
    await send(hooks)
    await started.promise
    await hooks.close({ grace: '1ms' })
    expect(await stateIn(openInbox(path), 1)).toBe('pending')
  })

  const answers = { registerWorker: 1, claim: [], heartbeat: undefined, unregister: undefined }

  test.each([
    ['no call', {}, 1],
    ['all calls but releaseWorker', { ...answers, close: undefined }, 0],
    ['all calls but close', { ...answers, releaseWorker: undefined }, 1],
  ])('does not wait longer than supervisors do for an inbox that answers %s', async (_what, answers, warnings) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const inbox = new Proxy({} as Store, {
      get: (_target, name) => () => {
        return name in answers ? Promise.resolve(Reflect.get(answers, name)) : new Promise(() => {})
      },
    })
    const recorder = new Recorder()
    const hooks = new Hooks({ secret, validateIp: false, logger: recorder, inbox })
    hooks.hook('push', () => 'pong')
    hooks.mount()
    await vi.advanceTimersByTimeAsync(10)
    let isClosed = false
    const closed = hooks.close({ grace: 1000 }).then(() => (isClosed = true))
    await vi.advanceTimersByTimeAsync(1000 + 7000) // the grace, 3 s after the abort, and 2 s each for release and close
    expect(isClosed).toBe(true)
    await closed
    const messages = recorder.messages.filter((message) => message.startsWith('The inbox did not close in time'))
    expect(messages).toHaveLength(warnings)
  })

  test('closes an inbox without a mount, or without a worker', async () => {
    for (const use of [() => {}, (hooks: Hooks) => hooks.mount()]) {
      const inbox = openInbox()
      const hooks = hooksWith({ inbox, work: false })
      use(hooks)
      await inbox.overview()
      await hooks.close()
      await expect(inbox.overview()).rejects.toThrow(/closed/)
    }
  })

  test.each([true, false])('starts no worker afterwards, if the worker ran: %s', async (work) => {
    const error = vi.fn()
    const hooks = hooksWith({ inbox: openInbox(), work, logger: { ...console, error } })
    hooks.mount()
    await hooks.close()
    expect(() => hooks.work()).toThrow('hooks.work() is not possible after hooks.close()')
    await expect(hooks.drain()).rejects.toThrow('hooks.drain() is not possible after hooks.close()')
    expect((await send(hooks)).status).toBe(503)
    expect(error).not.toHaveBeenCalled()
  })
})

describe('requests', () => {
  test('delay handlers only for a limited time', async () => {
    const inbox = openInbox()
    const hang = Promise.withResolvers<never>()
    const store: Store['store'] = (delivery) => (delivery.event === 'fork' ? hang.promise : inbox.store(delivery))
    const hooks = hooksWith({ inbox: withMembers(inbox, { store }), replyTimeout: 60_000 })
    hooks.hook('push', () => 'pong')
    const hanging = send(hooks, 'fork')
    await setImmediate()
    for (const id of [1, 2, 3]) {
      await send(hooks)
      await reaches(inbox, id, 'done')
    }
    hang.reject(new Error('down'))
    expect((await hanging).status).toBe(503)
  })
})
