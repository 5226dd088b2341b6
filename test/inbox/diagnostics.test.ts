import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Hooks, type HooksOptions } from '../../src/index.ts'
import { type DiagnosticsMessages, diagnostics } from '../../src/telemetry/diagnostics.ts'
import { inject, signedRequest } from '../../src/testing/index.ts'
import { detailIn, eventually, openInbox, stateIn, storeIn, withMembers } from './stores.ts'

type Name = keyof DiagnosticsMessages

const secret = 'a secret of the tests'
const names = Object.keys(diagnostics) as Name[]

/** Listens on all channels. @returns the messages so far, each with the name of its channel. */
function listen(): [Name, unknown][] {
  const messages: [Name, unknown][] = []
  for (const name of names) {
    const heard = (message: unknown) => void messages.push([name, message])
    subscribe(`hookserver:${name}`, heard)
    onTestFinished(() => void unsubscribe(`hookserver:${name}`, heard))
  }
  return messages
}

function hooksWith(options: HooksOptions = {}): Hooks {
  const hooks = new Hooks({ secret, validateIp: false, logger: false, ...options })
  onTestFinished(() => hooks.close({ grace: 0 }))
  return hooks
}

const request = (guid = 'g') => signedRequest('push', { secret, guid })
const about = { guid: 'g', event: 'push', source: '/hooks' }
const received = { ...about, secretIndex: 0 }
const stored = { ...about, id: 1, rearmed: false, conflict: false }
const duration = expect.any(Number)
const receivedAt = expect.any(Number)

describe('diagnostics', () => {
  test('have a channel for each message', () => {
    const all = ['attempt', 'committed', 'dead', 'duplicate', 'rateLimit', 'received', 'rejected', 'retried', 'stored']
    expect(names.toSorted()).toEqual(all)
    for (const name of names) expect(diagnostics[name]).toBe(channel(`hookserver:${name}`))
  })

  test('publish a delivery that is handled without an inbox', async () => {
    const messages = listen()
    const hooks = hooksWith()
    hooks.hook('push', () => 'pong')
    await inject(hooks, request())
    expect(messages).toEqual([['received', received]])
  })

  test('publish a rejected request with the event and GUID of its headers', async () => {
    const messages = listen()
    const hooks = hooksWith()
    await inject(hooks, { ...request(), body: '{}' })
    await inject(hooks, { headers: {}, body: '{}' })
    hooks.hook('push', () => Promise.reject(new Error('down')))
    await inject(hooks, request())
    expect(messages).toEqual([
      ['rejected', { code: 'wrong_signature', status: 400, guid: 'g', event: 'push' }],
      ['rejected', { code: 'missing_signature', status: 400, guid: undefined, event: undefined }],
      ['received', received],
      ['rejected', { code: 'handler_failed', status: 500, guid: 'g', event: 'push' }],
    ])
  })

  test('publish each step of a delivery in an inbox once', async () => {
    const messages = listen()
    const inbox = openInbox()
    const hooks = hooksWith({ inbox })
    const error = new Error('down')
    hooks.hook('push', { attempts: 2, backoff: '1ms' }, () => Promise.reject(error))
    await inject(hooks, request())
    await inject(hooks, request())
    await eventually(async () => expect(await stateIn(inbox, 1)).toBe('dead'))
    await eventually(() => expect(messages).toContainEqual(['dead', expect.anything()]))
    const own = { ...about, id: 1, handler: 'hook:push', error }
    const inOrder = (...wanted: Name[]) => messages.filter(([name]) => wanted.includes(name))
    expect(inOrder('received', 'stored', 'duplicate')).toEqual([
      ['received', received],
      ['stored', stored],
      ['received', received],
      ['duplicate', { ...about, id: 1 }],
    ])
    expect(inOrder('attempt', 'retried', 'dead')).toEqual([
      ['attempt', { ...own, attempt: 1, outcome: 'failed', duration, receivedAt }],
      ['retried', { ...own, attempt: 1, nextAt: expect.any(Number) }],
      ['attempt', { ...own, attempt: 2, outcome: 'dead', duration, receivedAt }],
      ['dead', { ...about, id: 1, error }],
    ])
    messages.length = 0
    await inject(hooks, request())
    expect(messages).toContainEqual(['stored', { ...stored, rearmed: true }])
  })

  test('publish which secret signed, and none without signatures', async () => {
    const messages = listen()
    await inject(hooksWith({ secret: ['another', secret] }), request())
    await inject(hooksWith({ validateSignature: false }), request())
    expect(messages).toEqual([
      ['received', { ...about, secretIndex: 1 }],
      ['received', { ...about, secretIndex: undefined }],
    ])
  })

  test('publish a delivery with a known identity and other bytes as a conflict', async () => {
    const messages = listen()
    const hooks = hooksWith({ inbox: openInbox(), work: false })
    for (const payload of ['{"a":1}', '{"a":2}']) {
      await inject(hooks, signedRequest('push', { secret, guid: 'g', payload }))
    }
    expect(messages.filter(([name]) => name === 'stored')).toEqual([
      ['stored', stored],
      ['stored', { ...stored, id: 2, conflict: true }],
    ])
  })

  test('publish the number of deliveries of a commit, copies included, and no commit without deliveries', async () => {
    const messages = listen()
    const inbox = openInbox()
    const hooks = hooksWith({ inbox, work: false })
    await inject(hooks, request('first'))
    await Promise.all(['a', 'b', 'a'].map((guid) => storeIn(inbox, {}, { guid })))
    await inbox.pause('a')
    await Promise.allSettled([storeIn(inbox, {}, { guid: 'c' }), storeIn(inbox, {}, { event: null as never })])
    expect(messages.filter(([name]) => name === 'committed')).toEqual(
      [1, 3, 1].map((deliveries) => ['committed', { deliveries, duration }]),
    )
  })

  test('publish a success without an error', async () => {
    const messages = listen()
    const inbox = openInbox()
    const hooks = hooksWith({ inbox })
    hooks.hook('push', () => 'pong')
    await inject(hooks, request())
    await eventually(async () => expect(await stateIn(inbox, 1)).toBe('done'))
    const ended = { ...about, id: 1, handler: 'hook:push', attempt: 1, outcome: 'succeeded', error: undefined }
    expect(messages.slice(3)).toEqual([['attempt', { ...ended, duration, receivedAt }]])
  })

  test('publish a payload that cannot be read', async () => {
    const messages = listen()
    const inbox = openInbox()
    const hooks = hooksWith({ inbox })
    hooks.hook('push', () => 'pong')
    await inject(hooks, signedRequest('push', { secret, guid: 'g', payload: '[]' }))
    const expected = ['received', 'committed', 'stored', 'dead']
    await eventually(() => expect(messages.map(([name]) => name)).toEqual(expected))
    expect(messages[3]?.[1]).toMatchObject({
      ...about,
      id: 1,
      error: { message: expect.stringContaining('invalid_payload') },
    })
    expect((await detailIn(inbox, 1)).state).toBe('dead')
  })

  test('publish a rejected request, and nothing stored, if the store fails', async () => {
    const messages = listen()
    const hooks = hooksWith({
      inbox: withMembers(openInbox(), { store: () => Promise.reject(new Error('full')) }),
      work: false,
    })
    await inject(hooks, request())
    expect(messages).toEqual([
      ['received', received],
      ['rejected', { code: 'inbox_unavailable', status: 503, guid: 'g', event: 'push' }],
    ])
  })

  test('publish nothing without subscribers', async () => {
    const publish = names.map((name) => vi.spyOn(channel(`hookserver:${name}`), 'publish'))
    onTestFinished(() => void vi.restoreAllMocks())
    const inbox = openInbox()
    const hooks = hooksWith({ inbox })
    hooks.hook('push', { attempts: 2, backoff: '1ms' }, () => Promise.reject(new Error('down')))
    await inject(hooks, request())
    await inject(hooks, request())
    await inject(hooks, { ...request(), body: '{}' })
    await eventually(async () => expect(await stateIn(inbox, 1)).toBe('dead'))
    for (const spy of publish) expect(spy).not.toHaveBeenCalled()
  })

  test('are absent if the platform has no channels', async () => {
    vi.resetModules()
    vi.stubGlobal('process', { ...process, getBuiltinModule: undefined })
    onTestFinished(() => {
      vi.unstubAllGlobals()
      vi.resetModules()
    })
    const { diagnostics: none } = await import('../../src/telemetry/diagnostics.ts')
    expect(Object.values(none)).toEqual(Array(9).fill(undefined))
    vi.stubGlobal('process', {
      getBuiltinModule() {
        throw new Error('no such module')
      },
    })
    vi.resetModules()
    expect(Object.values((await import('../../src/telemetry/diagnostics.ts')).diagnostics)).toEqual(
      Array(9).fill(undefined),
    )
  })
})
