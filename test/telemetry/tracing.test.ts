/** The tracing channels, without OpenTelemetry. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Hooks, type HooksOptions, type TracingMessages } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { inject, signedRequest } from '../../src/testing/index.ts'

type Name = keyof TracingMessages
const names: readonly Name[] = ['receive', 'store', 'attempt']
const events = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const

const secret = 's'
const guid = 'b4d5a1f0-0000-4000-8000-000000000001'
let folder: string
let published: [event: string, message: TracingMessages[Name]][]
const cleanups: (() => unknown)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hookserver-tracing-'))
  published = []
})

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
  rmSync(folder, { recursive: true })
})

function subscribeTo(...channels: readonly Name[]): void {
  for (const name of channels) {
    const channel = tracingChannel<unknown, TracingMessages[Name]>(`hookserver:${name}`)
    const handlers = Object.fromEntries(
      events.map((event) => [
        event,
        (message: TracingMessages[Name]) => void published.push([`${name}:${event}`, message]),
      ]),
    ) as unknown as Parameters<typeof channel.subscribe>[0]
    channel.subscribe(handlers)
    cleanups.push(() => channel.unsubscribe(handlers))
  }
}

function hooksWith(options: HooksOptions = {}): Hooks {
  const hooks = new Hooks({ secret, logger: false, ...options })
  cleanups.push(() => hooks.close({ grace: 0 }))
  return hooks
}

const deliver = (hooks: Hooks) => inject(hooks, signedRequest('issues.opened', { secret, guid }))
const order = () => published.map(([event]) => event)
const messageOf = <Of extends Name>(name: Of) =>
  published.find(([event]) => event === `${name}:start`)?.[1] as TracingMessages[Of]

describe('without an inbox', () => {
  test('the operations of a delivery are published in order, and each has one message', async () => {
    subscribeTo(...names)
    const hooks = hooksWith()
    hooks.hook('issues.opened', async () => 'Thanks')
    expect(await (await deliver(hooks)).text()).toBe('Thanks')
    expect(order()).toEqual([
      'receive:start',
      'receive:end',
      'attempt:start',
      'attempt:end',
      'attempt:asyncStart',
      'attempt:asyncEnd',
      'receive:asyncStart',
      'receive:asyncEnd',
    ])
    expect(new Set(published.map(([, message]) => message)).size).toBe(2)
    expect(messageOf('receive')).toMatchObject({ guid, event: 'issues', status: 200 })
    expect(messageOf('attempt')).toEqual({
      ...{ guid, event: 'issues', source: '/hooks', handler: 'hook:issues.opened', attempt: 1, outcome: 'succeeded' },
      ...{ id: undefined, traceparent: undefined, parent: messageOf('receive') },
    })
  })

  test('an operation that fails has its error', async () => {
    subscribeTo(...names)
    const hooks = hooksWith()
    const failure = new RangeError('no room')
    hooks.hook('issues.opened', () => Promise.reject(failure))
    expect((await deliver(hooks)).status).toBe(500)
    expect(messageOf('attempt')).toMatchObject({ outcome: 'failed', error: failure })
    expect(messageOf('receive')).toMatchObject({ status: 500, error: { code: 'handler_failed' } })
    expect(order().filter((event) => event.endsWith(':error'))).toEqual(['attempt:error', 'receive:error'])
  })

  test('attempts can be traced alone', async () => {
    subscribeTo('attempt')
    const hooks = hooksWith()
    hooks.hook('issues.opened', () => 'Thanks')
    await deliver(hooks)
    expect(messageOf('attempt')).toMatchObject({ outcome: 'succeeded', parent: undefined })
  })

  test('`run` of a message runs the operation', async () => {
    const storage = new AsyncLocalStorage<string>()
    const channel = tracingChannel<unknown, TracingMessages['attempt']>('hookserver:attempt')
    const start = (message: TracingMessages['attempt']) => {
      message.run = (work) => storage.run(message.handler, work)
    }
    const handlers = { start } as Parameters<typeof channel.subscribe>[0]
    channel.subscribe(handlers)
    cleanups.push(() => channel.unsubscribe(handlers))
    const hooks = hooksWith()
    hooks.hook('issues.opened', async () => storage.getStore())
    expect(await (await deliver(hooks)).text()).toBe('hook:issues.opened')
  })

  test('an AsyncLocalStorage that is bound to `start` is active in the handler', async () => {
    const storage = new AsyncLocalStorage<string>()
    const { start } = tracingChannel<string, TracingMessages['attempt']>('hookserver:attempt')
    start.bindStore(storage, (message) => (message as TracingMessages['attempt']).handler)
    cleanups.push(() => start.unbindStore(storage))
    const hooks = hooksWith()
    hooks.hook('issues.opened', async () => storage.getStore())
    expect(await (await deliver(hooks)).text()).toBe('hook:issues.opened')
  })
})

describe('with an inbox', () => {
  test('storing is a part of receiving, and the attempt has the traceparent of the request', async () => {
    subscribeTo(...names)
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    const channel = tracingChannel<unknown, TracingMessages['receive']>('hookserver:receive')
    const start = (message: TracingMessages['receive']) => {
      message.traceparent = traceparent
    }
    const handlers = { start } as Parameters<typeof channel.subscribe>[0]
    channel.subscribe(handlers)
    cleanups.push(() => channel.unsubscribe(handlers))
    const hooks = hooksWith({ inbox: sqlite(join(folder, 'inbox.db')) })
    hooks.hook('issues.opened', () => 'Thanks')
    expect((await deliver(hooks)).status).toBe(202)
    await vi.waitFor(() => expect(order()).toContain('attempt:asyncEnd'))
    expect(messageOf('store')).toMatchObject({ guid, source: '/hooks', outcome: 'stored' })
    expect(messageOf('store').parent).toBe(messageOf('receive'))
    expect(messageOf('attempt')).toMatchObject({ id: 1, parent: undefined, traceparent, outcome: 'succeeded' })
  })
})
