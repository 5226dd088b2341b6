/** The spans that an SDK of OpenTelemetry receives. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request as sendRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { context, DiagLogLevel, diag, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { hookserver } from '../../src/adapters/node.ts'
import { Discard, Hooks, type HooksOptions } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { traceHooks } from '../../src/telemetry/opentelemetry/index.ts'
import { inject, signedRequest } from '../../src/testing/index.ts'
import { openInbox, withMembers } from '../inbox/stores.ts'

const secret = 'the secret of the tests'
const guid = 'b4d5a1f0-0000-4000-8000-000000000001'

let exporter: InMemorySpanExporter
let folder: string
/** Warnings and errors of the SDK, for example about a span that ends twice. */
const complaints: unknown[] = []
const made: Hooks[] = []

/** Registers the SDK. */
function register(): void {
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }))
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
}

function unregister(): void {
  trace.disable()
  context.disable()
  propagation.disable()
}

beforeEach(() => {
  const complain = (...said: unknown[]) => void complaints.push(said)
  diag.setLogger({ error: complain, warn: complain, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN)
  exporter = new InMemorySpanExporter()
  folder = mkdtempSync(join(tmpdir(), 'hookserver-tracing-'))
  traceHooks()
})

afterEach(async () => {
  await Promise.all(made.splice(0).map((hooks) => hooks.close({ grace: 0 })))
  traceHooks()()
  unregister()
  diag.disable()
  rmSync(folder, { recursive: true })
  expect(complaints.splice(0)).toEqual([])
})

function hooksWith(options: HooksOptions = {}): Hooks {
  const hooks = new Hooks({ secret, logger: false, ...options })
  made.push(hooks)
  return hooks
}

const file = () => join(folder, 'inbox.db')
const deliver = (hooks: Hooks, headers: Record<string, string> = {}) =>
  inject(hooks, signedRequest('issues.opened', { secret, guid, headers }))

function spans(name: string): ReadableSpan[] {
  return exporter.getFinishedSpans().filter((span) => span.name === name)
}

/** The only span of this name. */
function spanOf(name: string): ReadableSpan {
  const found = spans(name)
  expect(
    found,
    exporter
      .getFinishedSpans()
      .map((span) => span.name)
      .join(),
  ).toHaveLength(1)
  return found[0] as ReadableSpan
}

async function soon(name: string, count = 1): Promise<void> {
  await vi.waitFor(() => expect(spans(name)).toHaveLength(count), 10_000)
}

const about = { 'hookserver.event': 'issues', 'hookserver.guid': guid }
/** The attributes of a request that is sent with `inject`. */
const sent = {
  'http.request.method': 'POST',
  'http.route': '/hooks',
  'url.path': '/hooks',
  'user_agent.original': 'GitHub-Hookshot/2a4c3f1',
}
const idOf = (span: ReadableSpan) => span.spanContext().spanId
const parentOf = (span: ReadableSpan) => span.parentSpanContext?.spanId
const exceptionsOf = (span: ReadableSpan) => span.events.map(({ attributes }) => attributes?.['exception.message'])

describe('without an inbox', () => {
  beforeEach(register)

  test('attempts are children of the receive span', async () => {
    const hooks = hooksWith()
    hooks.hook('issues.opened', async () => 'Thanks')
    hooks.on('issues', { name: 'audit' }, () => 'not awaited')
    expect(await (await deliver(hooks)).text()).toBe('Thanks')

    const receive = spanOf('hookserver receive')
    expect(receive.kind).toBe(SpanKind.SERVER)
    expect(receive.parentSpanContext).toBeUndefined()
    expect(receive.attributes).toEqual({ ...about, ...sent, 'http.response.status_code': 200 })
    expect(receive.status.code).toBe(SpanStatusCode.UNSET)
    expect(receive.instrumentationScope.name).toBe('hookserver')
    for (const handler of ['hook:issues.opened', 'audit']) {
      const attempt = spanOf(`hookserver attempt ${handler}`)
      expect(attempt.kind).toBe(SpanKind.INTERNAL)
      expect(parentOf(attempt)).toBe(idOf(receive))
      expect(attempt.attributes).toEqual({
        ...about,
        'hookserver.handler': handler,
        'hookserver.attempt': 1,
        'hookserver.outcome': 'succeeded',
      })
    }
    expect(exporter.getFinishedSpans()).toHaveLength(3)
  })

  test('a handler that fails has the status ERROR and its exception, and the receive span has the status ERROR', async () => {
    const hooks = hooksWith()
    hooks.hook('issues.opened', async () => {
      throw new RangeError('no room')
    })
    hooks.on('issues', () => {
      throw null
    })
    expect((await deliver(hooks)).status).toBe(500)

    const attempt = spanOf('hookserver attempt hook:issues.opened')
    expect(attempt.status).toEqual({ code: SpanStatusCode.ERROR, message: 'no room' })
    expect(attempt.attributes).toMatchObject({ 'hookserver.outcome': 'failed', 'error.type': 'RangeError' })
    expect(exceptionsOf(attempt)).toEqual(['no room'])
    const other = spanOf('hookserver attempt on:issues')
    expect(other.status).toEqual({ code: SpanStatusCode.ERROR })
    expect(other.attributes).toMatchObject({ 'hookserver.outcome': 'failed', 'error.type': '_OTHER' })
    const receive = spanOf('hookserver receive')
    expect(receive.status).toEqual({ code: SpanStatusCode.ERROR })
    expect(receive.attributes).toMatchObject({
      'http.response.status_code': 500,
      'hookserver.code': 'handler_failed',
      'error.type': 'handler_failed',
    })
    expect(receive.events).toEqual([])
  })

  test('a handler that takes too long fails at the timeout, and only once', async () => {
    const hooks = hooksWith({ replyTimeout: '50ms' })
    const { promise, resolve } = Promise.withResolvers<void>()
    hooks.hook('issues.opened', () => promise)
    expect((await deliver(hooks)).status).toBe(503)
    const attempt = spanOf('hookserver attempt hook:issues.opened')
    expect(attempt.attributes).toMatchObject({ 'hookserver.outcome': 'failed', 'error.type': 'TimeoutError' })
    resolve()
    await promise
    expect(spanOf('hookserver attempt hook:issues.opened').attributes['hookserver.outcome']).toBe('failed')
  })

  test('the return value of a handler is awaited once: some thenables start work with each `then`', async () => {
    const hooks = hooksWith()
    const begin = vi.fn((resolve: (value: string) => void) => resolve('done'))
    // biome-ignore lint/suspicious/noThenProperty: query builders are made like this
    hooks.hook('issues.opened', () => ({ then: begin }))
    expect(await (await deliver(hooks)).text()).toBe('done')
    expect(begin).toHaveBeenCalledTimes(1)
    expect(spanOf('hookserver attempt hook:issues.opened').attributes['hookserver.outcome']).toBe('succeeded')
  })

  test('an error whose members throw fails the handler and nothing else', async () => {
    const hooks = hooksWith()
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    hooks.hook('issues.opened', () => Promise.reject(proxy))
    const answer = await deliver(hooks)
    expect(answer.status).toBe(500)
    expect(spanOf('hookserver attempt hook:issues.opened').attributes['error.type']).toBe('_OTHER')
  })

  test.each(['sync', 'async'])('spans that a handler starts are children of its attempt: %s', async (kind) => {
    const hooks = hooksWith()
    const make = () => trace.getTracer('test').startSpan('fetch').end()
    hooks.hook(
      'issues.opened',
      kind === 'sync' ? make : () => new Promise((resolve) => setTimeout(resolve, 5)).then(make),
    )
    await deliver(hooks)
    expect(parentOf(spanOf('fetch'))).toBe(idOf(spanOf('hookserver attempt hook:issues.opened')))
  })
})

describe('the receive span', () => {
  beforeEach(register)

  test('is a child of the active span', async () => {
    const hooks = hooksWith()
    await trace.getTracer('test').startActiveSpan('POST /hooks', async (span) => {
      await deliver(hooks, { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` })
      span.end()
    })
    const receive = spanOf('hookserver receive')
    expect(parentOf(receive)).toBe(idOf(spanOf('POST /hooks')))
    expect(receive.kind).toBe(SpanKind.INTERNAL)
  })

  test('continues the trace of a proxy', async () => {
    await deliver(hooksWith(), { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` })
    const receive = spanOf('hookserver receive')
    expect(receive.spanContext().traceId).toBe('a'.repeat(32))
    expect(parentOf(receive)).toBe('b'.repeat(16))
    expect(receive.kind).toBe(SpanKind.SERVER)
  })

  test('of a rejected request has the code, and the status UNSET', async () => {
    const request = signedRequest('issues.opened', { secret: 'another', guid })
    expect((await inject(hooksWith(), request)).status).toBe(400)
    const receive = spanOf('hookserver receive')
    expect(receive.attributes).toEqual({
      ...about,
      ...sent,
      'http.response.status_code': 400,
      'hookserver.code': 'wrong_signature',
    })
    expect(receive.status).toEqual({ code: SpanStatusCode.UNSET })
    expect(receive.events).toEqual([])
  })

  test('has the status ERROR for a reply of 500 and above', async () => {
    const hooks = hooksWith()
    await hooks.close()
    expect((await deliver(hooks)).status).toBe(503)
    const receive = spanOf('hookserver receive')
    expect(receive.attributes).toMatchObject({ 'hookserver.code': 'shutting_down', 'error.type': 'shutting_down' })
    expect(receive.status).toEqual({ code: SpanStatusCode.ERROR })
    expect(receive.events).toEqual([])
  })

  test('records an internal error', async () => {
    const hooks = hooksWith()
    const receiver = hooks.mount({ validateIp: false })
    const { headers } = signedRequest('issues.opened', { secret, guid })
    const body = () => {
      throw new Error('a broken adapter')
    }
    const request = { method: 'POST', path: '/hooks', headers, address: undefined, native: [undefined], body } as const
    await expect(receiver.receive(request)).rejects.toMatchObject({ code: 'handler_failed' })
    expect(exceptionsOf(spanOf('hookserver receive'))).toEqual(['a broken adapter'])
  })

  test('has children even without a context manager', async () => {
    context.disable()
    const hooks = hooksWith()
    hooks.hook('issues.opened', () => 'Thanks')
    await deliver(hooks)
    expect(parentOf(spanOf('hookserver attempt hook:issues.opened'))).toBe(idOf(spanOf('hookserver receive')))
  })
})

describe('the receive span has the HTTP attributes of the semantic conventions', () => {
  beforeEach(register)

  /** The attributes of a request to a server. */
  async function attributesOf(request: { method?: string; path?: string; headers?: Record<string, string> }) {
    const server = createServer(hookserver(hooksWith({ validateIp: false }))).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const signed = signedRequest('issues.opened', { secret, guid })
    const headers = { ...signed.headers, ...request.headers }
    const body = request.method === undefined ? signed.body : undefined
    const { path = '/hooks', method = 'POST' } = request
    const outgoing = sendRequest({ host: '127.0.0.1', port, path, method, headers }).end(body)
    const [answer] = await once(outgoing, 'response')
    answer.resume()
    await once(answer, 'end')
    server.close()
    const { 'hookserver.event': _, 'hookserver.guid': __, ...attributes } = spanOf('hookserver receive').attributes
    return { port, attributes }
  }

  test('of a delivery', async () => {
    const host = 'hooks.example.com:8443'
    const { attributes } = await attributesOf({
      path: '/hooks?token=abc',
      headers: { host, 'x-forwarded-proto': 'https' },
    })
    expect(attributes).toEqual({
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'http.route': '/hooks',
      'network.peer.address': '127.0.0.1',
      'server.address': 'hooks.example.com',
      'server.port': 8443,
      'url.path': '/hooks',
      'url.scheme': 'https',
      'user_agent.original': 'GitHub-Hookshot/2a4c3f1',
    })
  })

  test('of a request with another path and method, and without a proxy', async () => {
    const { port, attributes } = await attributesOf({ path: '/other', method: 'PURGE' })
    expect(attributes).toMatchObject({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'PURGE',
      'http.response.status_code': 404,
      'server.address': '127.0.0.1',
      'server.port': port,
      'url.path': '/other',
    })
    expect(attributes).not.toHaveProperty('http.route')
    expect(attributes).not.toHaveProperty('url.scheme')
  })
})

describe('with an inbox', () => {
  beforeEach(register)

  /** Checks that the attempt has a trace of its own, and a link to the span in which its delivery was received. */
  function expectLinked(attempt: ReadableSpan, receive: ReadableSpan): void {
    const { traceId, spanId, traceFlags } = receive.spanContext()
    expect(attempt.parentSpanContext).toBeUndefined()
    expect(attempt.spanContext().traceId).not.toBe(traceId)
    expect(attempt.links.map((link) => link.context)).toEqual([{ traceId, spanId, traceFlags, isRemote: true }])
  }

  test('the store span is a child of the receive span, and the attempt is linked to it', async () => {
    const hooks = hooksWith({ inbox: sqlite(file()), source: 'the app' })
    hooks.hook('issues.opened', () => 'Thanks')
    // The first delivery mounts the hooks while a span is active, so that the worker starts in the context of the span.
    await trace.getTracer('test').startActiveSpan('start', async (span) => {
      expect((await deliver(hooks)).status).toBe(202)
      span.end()
    })
    await soon('hookserver attempt hook:issues.opened')

    const [receive, store] = [spanOf('hookserver receive'), spanOf('hookserver store')]
    expect(receive.attributes).toEqual({ ...about, ...sent, 'http.response.status_code': 202 })
    expect(parentOf(store)).toBe(idOf(receive))
    expect(store.kind).toBe(SpanKind.INTERNAL)
    expect(store.attributes).toEqual({ ...about, 'hookserver.outcome': 'stored' })
    const attempt = spanOf('hookserver attempt hook:issues.opened')
    expectLinked(attempt, receive)
    expect(attempt.kind).toBe(SpanKind.CONSUMER)
    expect(attempt.attributes).toEqual({
      ...about,
      'hookserver.handler': 'hook:issues.opened',
      'hookserver.attempt': 1,
      'hookserver.outcome': 'succeeded',
      'messaging.system': 'hookserver',
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'attempt',
      'messaging.destination.name': 'the app',
      'messaging.message.id': guid,
    })
    await deliver(hooks)
    expect(spans('hookserver store').at(-1)?.attributes['hookserver.outcome']).toBe('duplicate')
  })

  test('spans that a handler starts are children of its attempt', async () => {
    const hooks = hooksWith({ inbox: sqlite(file()) })
    hooks.hook('issues.opened', async () => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      trace.getTracer('test').startSpan('fetch').end()
    })
    await deliver(hooks)
    await soon('hookserver attempt hook:issues.opened')
    expect(parentOf(spanOf('fetch'))).toBe(idOf(spanOf('hookserver attempt hook:issues.opened')))
  })

  test('each attempt has a span with the same link', async () => {
    const hooks = hooksWith({ inbox: sqlite(file()) })
    let fails = true
    const flaky = () => {
      const failing = fails
      fails = false
      if (failing) throw new RangeError('not yet')
    }
    hooks.hook('issues.opened', { backoff: '1ms' }, flaky)
    await deliver(hooks)
    await soon('hookserver attempt hook:issues.opened', 2)
    const [first, second] = spans('hookserver attempt hook:issues.opened') as [ReadableSpan, ReadableSpan]
    for (const attempt of [first, second]) expectLinked(attempt, spanOf('hookserver receive'))
    expect(first.attributes).toMatchObject({ 'hookserver.attempt': 1, 'hookserver.outcome': 'failed' })
    expect(first.status).toEqual({ code: SpanStatusCode.ERROR, message: 'not yet' })
    expect(exceptionsOf(first)).toEqual(['not yet'])
    expect(second.attributes).toMatchObject({ 'hookserver.attempt': 2, 'hookserver.outcome': 'succeeded' })
    expect(second.status.code).toBe(SpanStatusCode.UNSET)
  })

  test('an attempt that is dead has the status ERROR, unlike a discarded one', async () => {
    const hooks = hooksWith({ inbox: sqlite(file()) })
    const fail = () => {
      throw new RangeError('never')
    }
    const discard = () => {
      throw new Discard('not for us')
    }
    hooks.on('issues', { name: 'fails', attempts: 1 }, fail)
    hooks.on('issues', { name: 'discards' }, discard)
    await deliver(hooks)
    await soon('hookserver attempt fails')
    await soon('hookserver attempt discards')
    const [dead, discarded] = [spanOf('hookserver attempt fails'), spanOf('hookserver attempt discards')]
    expect(dead.attributes).toMatchObject({ 'hookserver.outcome': 'dead', 'error.type': 'RangeError' })
    expect(dead.status.code).toBe(SpanStatusCode.ERROR)
    expect(discarded.attributes['hookserver.outcome']).toBe('discarded')
    expect(discarded.status.code).toBe(SpanStatusCode.UNSET)
    expect(discarded.events).toEqual([])
  })

  test('an attempt that a shutdown interrupts has the status UNSET', async () => {
    const hooks = hooksWith({ inbox: sqlite(file()) })
    const { promise: begun, resolve } = Promise.withResolvers<void>()
    hooks.hook('issues.opened', (_data, _guid, { signal }) => {
      resolve()
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    await deliver(hooks)
    await begun
    await hooks.close({ grace: 0 })
    const attempt = spanOf('hookserver attempt hook:issues.opened')
    expect(attempt.attributes['hookserver.outcome']).toBe('released')
    expect(attempt.status.code).toBe(SpanStatusCode.UNSET)
  })

  test('a commit that fails has the status ERROR, and its cause as exception', async () => {
    const store = () => Promise.reject(new RangeError('the disk is full'))
    const inbox = withMembers(openInbox(), { store })
    expect((await deliver(hooksWith({ inbox, work: false }))).status).toBe(503)
    const span = spanOf('hookserver store')
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'the disk is full' })
    expect(span.attributes).toEqual({
      ...about,
      'hookserver.code': 'inbox_unavailable',
      'error.type': 'inbox_unavailable',
    })
    expect(exceptionsOf(span)).toEqual(['the disk is full'])
    expect(spanOf('hookserver receive').status.code).toBe(SpanStatusCode.ERROR)
  })

  test('the link works in another process, later', async () => {
    const hooks = hooksWith({ inbox: sqlite(file()), work: false })
    await deliver(hooks)
    await hooks.close()
    const receive = spanOf('hookserver receive').spanContext()
    const [attempt] = await runProcess<{ traceId: string; parent: unknown; links: unknown }[]>(`
      import { trace } from '@opentelemetry/api'
      import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
      import { sqlite } from './src/sqlite/index.ts'
      import { Hooks } from './src/index.ts'
      import { traceHooks } from './src/telemetry/opentelemetry/index.ts'
      traceHooks()
      const exporter = new InMemorySpanExporter()
      trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }))
      const hooks = new Hooks({ secret: 's', inbox: sqlite(${JSON.stringify(file())}) })
      const handled = Promise.withResolvers()
      hooks.hook('issues.opened', () => handled.resolve())
      hooks.work()
      const alive = setTimeout(() => {}, 10_000)
      await handled.promise
      await hooks.close()
      clearTimeout(alive)
      print(exporter.getFinishedSpans().map((span) => {
        return { traceId: span.spanContext().traceId, parent: span.parentSpanContext ?? null, links: span.links }
      }))`)
    const { traceId, spanId, traceFlags } = receive
    expect(attempt).toMatchObject({ parent: null, links: [{ context: { traceId, spanId, traceFlags } }] })
    expect(attempt?.traceId).not.toBe(traceId)
  })
})

describe('secrets and payloads', () => {
  test('are in no span', async () => {
    register()
    const hooks = hooksWith({ inbox: sqlite(file()) })
    hooks.hook('issues.opened', (data) => data.issue.title)
    const request = signedRequest('issues.opened', { secret, guid, headers: { authorization: 'Bearer abc' } })
    await inject(hooks, request)
    await soon('hookserver attempt hook:issues.opened')
    const told = JSON.stringify(exporter.getFinishedSpans().map(({ attributes, events }) => ({ attributes, events })))
    const { issue, repository } = JSON.parse(request.body)
    const hidden = [
      secret,
      'Bearer',
      request.headers['x-hub-signature-256'] as string,
      issue.title,
      repository.full_name,
    ]
    for (const text of hidden) expect(told).not.toContain(text)
  })
})

describe('traceHooks', () => {
  beforeEach(register)

  test('has to be called', async () => {
    traceHooks()()
    await deliver(hooksWith())
    expect(exporter.getFinishedSpans()).toHaveLength(0)
  })

  test('traces each delivery once, even if it is called twice', async () => {
    expect(traceHooks()).toBe(traceHooks())
    await deliver(hooksWith())
    expect(exporter.getFinishedSpans()).toHaveLength(1)
  })

  test('can be stopped while a delivery is traced, and called again', async () => {
    const hooks = hooksWith()
    hooks.hook('issues.opened', () => traceHooks()())
    expect((await deliver(hooks)).status).toBe(204)
    traceHooks()
    await deliver(hooksWith())
    expect(spans('hookserver receive')).toHaveLength(1)
  })
})

describe('an SDK', () => {
  test('is used from its registration to its removal', async () => {
    const hooks = hooksWith()
    hooks.hook('issues.opened', () => 'Thanks')
    await deliver(hooks)
    expect(exporter.getFinishedSpans()).toHaveLength(0)
    register()
    await deliver(hooks)
    expect(exporter.getFinishedSpans()).toHaveLength(2)
    unregister()
    await deliver(hooks)
    expect(exporter.getFinishedSpans()).toHaveLength(2)
  })

  test('and its API are not loaded by the core', async () => {
    const { specifiers, registered, answers } = await runProcess<Record<string, unknown>>(`
      import { registerHooks } from 'node:module'
      const specifiers = []
      registerHooks({ resolve(specifier, about, next) { specifiers.push(specifier); return next(specifier, about) } })
      const { Hooks } = await import('./src/index.ts')
      const { sqlite } = await import('./src/sqlite/index.ts')
      const { inject, signedRequest } = await import('./src/testing/index.ts')
      const answers = []
      for (const inbox of [undefined, sqlite(${JSON.stringify(file())})]) {
        const hooks = new Hooks({ secret: 's', inbox })
        const handled = Promise.withResolvers()
        hooks.hook('ping', () => { handled.resolve(); return 'pong' })
        answers.push((await inject(hooks, signedRequest('ping', { secret: 's' }))).status)
        await handled.promise
        await hooks.close()
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
      print({ specifiers, registered: Symbol.for('opentelemetry.js.api.1') in globalThis, answers })`)
    expect(answers).toEqual([200, 202])
    expect(specifiers).toContain('../telemetry/tracing.ts')
    expect((specifiers as string[]).filter((specifier) => specifier.includes('opentelemetry'))).toEqual([])
    expect(registered).toBe(false)
  })
})

describe('an SDK that throws', () => {
  const broken = (): never => {
    throw new Error('a broken SDK')
  }
  const brokenSpan = new Proxy({}, { get: () => broken })
  const active = () => ({ getValue: () => undefined, setValue: active, deleteValue: active })
  const faults: Record<string, Record<string, unknown>> = {
    'has no tracer': { trace: { getTracer: broken } },
    'starts no span': { trace: { getTracer: () => ({ startSpan: broken }) } },
    'returns no span': { trace: { getTracer: () => ({ startSpan: () => undefined }) } },
    'has spans that throw': { trace: { getTracer: () => ({ startSpan: () => brokenSpan }) } },
    'has no active context': { context: { active: broken, with: broken } },
    'activates nothing': { context: { active, with: broken } },
    'activates a span, then throws': {
      context: {
        active,
        with(_context: unknown, work: () => void) {
          work()
          broken()
        },
      },
    },
    'does not call the function in with()': { context: { active, with: () => undefined } },
    'has an active span that throws': { context: { active: () => ({ getValue: () => brokenSpan }), with: broken } },
    'cannot read headers': { propagation: { extract: broken } },
  }

  test.each(Object.keys(faults))('fails no delivery: it %s', async (name) => {
    register()
    const global = globalThis as { [key: symbol]: Record<string, unknown> | undefined }
    const key = Symbol.for('opentelemetry.js.api.1')
    const sound = global[key]
    global[key] = { ...sound, ...faults[name] }
    try {
      const handler = vi.fn(async () => 'Thanks')
      const direct = hooksWith()
      direct.hook('issues.opened', handler)
      const answer = await deliver(direct)
      expect([answer.status, await answer.text()]).toEqual([200, 'Thanks'])
      expect(handler).toHaveBeenCalledTimes(1)

      const inbox = sqlite(file())
      const stored = hooksWith({ inbox })
      stored.hook('issues.opened', handler)
      expect((await deliver(stored)).status).toBe(202)
      await vi.waitFor(async () => expect((await inbox.overview()).states.done).toBe(1), 10_000)
      expect(handler).toHaveBeenCalledTimes(2)

      const failing = hooksWith()
      failing.hook('issues.opened', () => {
        throw new Error('the handler itself')
      })
      expect((await deliver(failing)).status).toBe(500)
    } finally {
      global[key] = sound
      complaints.splice(0) // the SDK has reported the error
    }
  })
})

/**
 * Runs a program in the root of the repository. The program is a module, and Node.js detects this without the option
 * `--input-type`. The option would cause an error, because Node.js would pass it on to the threads of the inbox.
 * @returns The argument of `print`.
 */
async function runProcess<Printed>(program: string): Promise<Printed> {
  const whole = `const print = (value) => console.log(JSON.stringify(value))\n${program}`
  const cwd = new URL('../..', import.meta.url)
  const { stdout } = await promisify(execFile)('node', ['-e', whole], { cwd })
  return JSON.parse(stdout)
}
