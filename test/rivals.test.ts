/** Faults of other webhook receivers. Each test is named after a fault, and shows that hookserver does not have it. */
import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import express from 'express'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { hookserver as inExpress } from '../src/adapters/express.ts'
import { hookserver as inNode } from '../src/adapters/node.ts'
import { hookserver as onWeb } from '../src/adapters/web.ts'
import type { Store } from '../src/inbox/inbox.ts'
import { type HookError, Hooks, type HooksOptions } from '../src/index.ts'
import { equalDigests } from '../src/receiver/signature.ts'
import { parseCidr } from '../src/runtime/cidr.ts'
import { inject, LocalGitHub, type SignedRequestOptions, signedRequest } from '../src/testing/index.ts'
import { serving } from './adapters/host.ts'
import { detailIn, eventually, inboxFile, openInbox, stateIn, taskIn, withMembers } from './inbox/stores.ts'
import { Recorder } from './recorder.ts'

const secret = 'a secret of the tests'
const hooksWith = (options: HooksOptions = {}): Hooks =>
  new Hooks({ secret, validateIp: false, logger: false, ...options })
/** `Hooks` that are closed after the test. */
function hooksAt(inbox: Store, options: HooksOptions = {}): Hooks {
  const hooks = hooksWith({ inbox, ...options })
  onTestFinished(() => hooks.close({ grace: 0 }))
  return hooks
}
const deliver = (hooks: Hooks, name: string, options: SignedRequestOptions = {}) =>
  inject(hooks, signedRequest(name, { secret, ...options }))

afterEach(() => vi.unstubAllEnvs())

describe('@octokit/webhooks', () => {
  test('waits for a body that express.json() has read, and answers 202 unverified', async () => {
    const ran = vi.fn()
    const hooks = hooksWith()
    hooks.on('*', ran)
    const app = express()
    app.use(express.json(), inExpress(hooks))
    app.use((error: HookError, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
      response.status(error.status).json(error.problem())
    })
    await serving(createServer(app), async (origin) => {
      const answer = await fetch(`${origin}/hooks`, signedRequest('push', { secret }))
      expect(answer.status).toBe(500)
      expect(await answer.json()).toMatchObject({
        code: 'body_already_parsed',
        detail: expect.stringContaining('express.json()'),
      })
    })
    expect(ran).not.toHaveBeenCalled()
  })

  test('does not log a handler that fails after the 202', async () => {
    const logger = new Recorder()
    const { promise, reject } = Promise.withResolvers<void>()
    const logged = Promise.withResolvers<void>()
    const hooks = hooksWith({ replyTimeout: '10ms', logger, onError: () => logged.resolve() })
    hooks.on('ping', () => promise)
    expect((await deliver(hooks, 'ping')).status).toBe(503)
    reject(new Error('too late'))
    await logged.promise
    expect(logger.lines.at(-1)?.fields.err).toMatchObject({ message: 'too late' })
  })

  test('loses a handler that fails after the 202', async () => {
    const inbox = openInbox()
    const hooks = hooksAt(inbox)
    hooks.hook('ping', { attempts: 1 }, () => Promise.reject(new Error('after the answer')))
    expect((await deliver(hooks, 'ping')).status).toBe(202)
    await eventually(async () => expect(await stateIn(inbox, 1)).toBe('dead'))
    const { attempts } = await taskIn(inbox, 1, 'hook:ping')
    expect(attempts).toMatchObject([{ outcome: 'dead', error: expect.stringContaining('after the answer') }])
  })

  test('verifies a decoded string instead of the bytes', async () => {
    const bytes = Buffer.from([...Buffer.from('{"a":"'), 0xff, ...Buffer.from('"}')])
    const signatureOf = (body: Buffer | string) => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
    const send = async (signature: string) => {
      const { headers } = signedRequest('push')
      const answer = await inject(hooksWith(), {
        headers: { ...headers, 'x-hub-signature-256': signature },
        body: bytes,
      })
      return ((await answer.json()) as { code: string }).code
    }
    expect(await send(signatureOf(bytes.toString()))).toBe('wrong_signature')
    expect(await send(signatureOf(bytes))).toBe('invalid_payload')
  })

  test('has no limit for bodies', async () => {
    const answer = await deliver(hooksWith({ bodyLimit: 1000 }), 'push', { payload: { text: 'x'.repeat(1000) } })
    expect(answer.status).toBe(413)
  })

  test('answers forms with 415', async () => {
    expect((await deliver(hooksWith(), 'push', { form: true })).status).toBe(200)
  })

  test('shows the sender the text of a handler’s error', async () => {
    const hooks = hooksWith()
    hooks.on('push', () => Promise.reject(new Error('postgres://user:password@db')))
    expect(await (await deliver(hooks, 'push')).text()).not.toContain('password')
  })

  test('lets a handler that rejects with null, or a signed scalar, end the process', async () => {
    const hooks = hooksWith()
    hooks.on('push', () => Promise.reject(null))
    expect((await deliver(hooks, 'push')).status).toBe(500)
    for (const payload of ['null', '1', '"x"', 'true'])
      expect((await deliver(hooks, 'push', { payload })).status).toBe(400)
  })

  test('counts the UTF-16 units of a reply for its Content-Length', async () => {
    const hooks = hooksWith()
    hooks.hook('ping', () => '🚀é')
    await serving(inNode(hooks), async (origin) => {
      const answer = await fetch(`${origin}/hooks`, signedRequest('ping', { secret }))
      expect(answer.headers.get('content-length')).toBe('6')
      expect(await answer.text()).toBe('🚀é')
    })
  })

  test('answers every other path with 200 in its web middleware', async () => {
    const handle = onWeb(hooksWith())
    expect((await handle(new Request('http://localhost/other', signedRequest('ping', { secret })))).status).toBe(404)
  })

  test('dispatches by an unchecked x-github-event header', async () => {
    const hooks = hooksWith()
    const ran = vi.fn()
    for (const name of ['issues.opened', 'error.opened', 'push']) hooks.on(name, ran)
    for (const event of ['error', '*', 'constructor', '__proto__', 'issues.opened']) {
      const answer = await deliver(hooks, 'ping', { headers: { 'x-github-event': event } })
      expect(await answer.text()).toBe('Hook not used')
    }
    expect(ran).not.toHaveBeenCalled()
  })

  test('checks no address and gives its errors no code', async () => {
    const hooks = hooksWith({ validateIp: true, ranges: ['192.0.2.0/24'], clientAddress: () => '203.0.113.1' })
    const answer = await inject(hooks, signedRequest('ping', { secret }), { validateIp: true })
    expect(answer.status).toBe(403)
    expect(await answer.json()).toMatchObject({ code: 'forbidden_origin' })
  })
})

describe('Probot', () => {
  test('has a public default secret', () => {
    expect(() => new Hooks().mount()).toThrow(TypeError)
  })

  test('cannot rotate a secret', async () => {
    const hooks = hooksWith({ secret: ['new', 'old'] })
    for (const one of ['new', 'old']) expect((await deliver(hooks, 'ping', { secret: one })).status).toBe(200)
  })

  test('detects a wrong secret by an error text that is never thrown', async () => {
    const logger = new Recorder()
    await deliver(hooksWith({ logger }), 'ping', { secret: 'another' })
    await vi.waitFor(() => expect(logger.lines).toHaveLength(1))
    expect(logger.lines[0]?.fields.code).toBe('wrong_signature')
    expect(logger.messages[0]).toContain('the signature matches none of the configured secrets')
  })
})

describe('github-webhook-handler', () => {
  test('supports SHA-1 only', async () => {
    expect((await deliver(hooksWith(), 'ping', { algorithms: ['sha256'] })).status).toBe(200)
  })

  test('lets several secrets race between requests', async () => {
    const hooks = hooksWith()
    const mounts = ['one', 'two'].map((name) => ({ name, handle: onWeb(hooks, { secret: name, path: `/${name}` }) }))
    const answers = Array.from({ length: 50 }, async (_, i) => {
      const { name, handle } = mounts[i % 2] as (typeof mounts)[0]
      const signer = i % 4 < 2 ? name : 'wrong'
      const { status } = await handle(
        new Request(`http://localhost/${name}`, signedRequest('ping', { secret: signer })),
      )
      return status === (signer === name ? 200 : 400)
    })
    expect((await Promise.all(answers)).every(Boolean)).toBe(true)
  })

  test('ends the process on a bad request without an error listener', async () => {
    await serving(inNode(hooksWith()), async (origin) => {
      expect((await fetch(`${origin}/hooks`, { method: 'POST', body: 'x' })).status).toBe(400)
      expect((await fetch(`${origin}/hooks`, signedRequest('ping', { secret }))).status).toBe(200)
    })
  })
})

describe('better-webhook', () => {
  test('rejects the redelivery of a delivery whose handler failed', async () => {
    const hooks = hooksWith()
    const attempts = vi.fn().mockRejectedValueOnce(new Error('once')).mockResolvedValueOnce('done')
    hooks.hook('ping', attempts)
    const delivery = signedRequest('ping', { secret })
    expect((await inject(hooks, delivery)).status).toBe(500)
    expect(await (await inject(hooks, delivery)).text()).toBe('done')
  })
})

describe('better-webhook, with an inbox', () => {
  test('stores a GUID before the handler has run, and rejects the redelivery of a failed delivery', async () => {
    const inbox = openInbox()
    const hooks = hooksAt(inbox)
    const handler = vi.fn().mockRejectedValueOnce(new Error('once'))
    hooks.hook('ping', { attempts: 1 }, handler)
    const delivery = signedRequest('ping', { secret })
    expect((await inject(hooks, delivery)).status).toBe(202)
    await eventually(async () => expect(await stateIn(inbox, 1)).toBe('dead'))
    expect((await inject(hooks, delivery)).status).toBe(202)
    await eventually(async () => expect(await stateIn(inbox, 1)).toBe('done'))
    expect(await (await inject(hooks, delivery)).text()).toBe('Duplicate')
    expect(handler).toHaveBeenCalledTimes(2)
  })
})

describe('Convoy', () => {
  test('looks for duplicates before it verifies', async () => {
    const inbox = openInbox()
    const hooks = hooksAt(inbox, { work: false })
    await deliver(hooks, 'push', { guid: 'known' })
    expect((await deliver(hooks, 'push', { guid: 'known', secret: 'a forger’s' })).status).toBe(400)
    expect(await detailIn(inbox, 1)).toMatchObject({ duplicates: 0 })
  })

  test('accepts a forged copy in place of the real delivery', async () => {
    const hooks = hooksAt(openInbox(), { work: false })
    expect((await deliver(hooks, 'push', { guid: 'g', secret: 'a forger’s' })).status).toBe(400)
    expect((await deliver(hooks, 'push', { guid: 'g' })).status).toBe(202)
  })

  test('answers 4xx or 2xx when its queue fails', async () => {
    const hooks = hooksAt(withMembers(openInbox(), { store: () => Promise.reject(new Error('down')) }), { work: false })
    const answer = await deliver(hooks, 'push')
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'inbox_unavailable' }])
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
  })

  test('stores forms as JSON, so their signatures can no longer be verified', async () => {
    const inbox = openInbox()
    const { body, headers } = signedRequest('push', { secret, form: true, payload: JSON.stringify({ text: '🚀 & =' }) })
    await inject(hooksAt(inbox, { work: false }), { body, headers })
    const kept = (await inbox.body(1)) as Uint8Array
    expect(Buffer.from(kept).toString()).toBe(body)
    expect(`sha256=${createHmac('sha256', secret).update(kept).digest('hex')}`).toBe(headers['x-hub-signature-256'])
  })
})

describe('go-githubapp and Prow', () => {
  test('queue in memory, and lose deliveries when the process ends', async () => {
    const path = inboxFile()
    const before = hooksAt(openInbox(path), { work: false })
    expect((await deliver(before, 'push')).status).toBe(202)
    await before.close()
    const inbox = openInbox(path)
    const after = hooksAt(inbox)
    after.hook('push', () => 'done')
    after.work()
    await eventually(async () => expect(await stateIn(inbox, 1)).toBe('done'))
  })
})

describe('Inngest', () => {
  test('answers before another connection can read the delivery', async () => {
    const path = inboxFile()
    const [hooks, other] = [hooksAt(openInbox(path), { work: false }), openInbox(path)]
    for (let n = 1; n <= 20; n++) {
      expect((await deliver(hooks, 'push')).status).toBe(202)
      expect(await stateIn(other, n)).toBe('pending')
    }
  })
})

describe('graphile-worker', () => {
  test('leaves the jobs of a killed worker waiting for four hours', async () => {
    const path = inboxFile()
    const inbox = openInbox(path)
    const source = (file: string) => JSON.stringify(new URL(`../src/${file}`, import.meta.url).href)
    const program = `
      import { Hooks } from ${source('index.ts')}
      import { sqlite } from ${source('sqlite/index.ts')}
      const hooks = new Hooks({ secret: 's', inbox: sqlite(${JSON.stringify(path)}) })
      hooks.hook('push', { backoff: '1ms' }, () => (console.log('begun'), new Promise(() => {})))
      hooks.work()
      setInterval(() => {}, 1e6)`
    await deliver(hooksAt(inbox, { work: false }), 'push')
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    expect(await stateIn(inbox, 1)).toBe('running')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const hooks = hooksAt(openInbox(path))
    hooks.hook('push', { backoff: '1ms' }, () => 'done')
    hooks.work()
    await eventually(async () => expect(await stateIn(inbox, 1)).toBe('done'))
    const { attempts } = await taskIn(inbox, 1, 'hook:push')
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['cut off', 'succeeded'])
  })
})

describe('github_webhook (Ruby)', () => {
  test('logs the expected signature', async () => {
    const logger = new Recorder()
    const { body } = signedRequest('ping')
    const expected = createHmac('sha256', secret).update(body).digest('hex')
    await deliver(hooksWith({ logger }), 'ping', { payload: body, secret: 'another' })
    await vi.waitFor(() => expect(logger.lines).toHaveLength(1))
    expect(JSON.stringify(logger.lines)).not.toContain(expected)
    expect(JSON.stringify(logger.lines)).not.toContain(secret)
  })
})

describe('github-for-jira', () => {
  test('compares signatures with ===, which stops at the first difference', () => {
    const right = Uint8Array.from({ length: 32 }, (_, i) => i)
    for (const position of [0, 15, 31]) {
      const wrong = right.slice()
      wrong[position] = 255
      let reads = 0
      const counted = new Proxy(wrong, {
        get(target, name) {
          if (typeof name === 'string' && /^\d+$/.test(name)) reads++
          return Reflect.get(target, name, target)
        },
      })
      expect(equalDigests(counted, right)).toBe(false)
      expect(reads).toBe(32)
    }
  })
})

describe('adnanh/webhook', () => {
  test('appends /32 to bare IPv6 addresses', () => {
    expect(parseCidr('2001:db8::1')?.[1]).toBe(128)
    expect(parseCidr('192.0.2.1')?.[1]).toBe(32)
  })

  test('checks the address of the proxy instead of the client', async () => {
    const hooks = hooksWith({ validateIp: true, ranges: ['192.0.2.0/24'], trustProxy: 'loopback' })
    await serving(inNode(hooks), async (origin) => {
      const { headers, ...rest } = signedRequest('ping', { secret })
      const from = (address: string) =>
        fetch(`${origin}/hooks`, { ...rest, headers: { ...headers, 'x-forwarded-for': address } })
      expect((await from('192.0.2.1')).status).toBe(200)
      expect((await from('192.0.2.1, 203.0.113.1')).status).toBe(403)
    })
  })
})

describe('Jenkins’ plugin', () => {
  test('verifies a form after encoding it again', async () => {
    const hooks = hooksWith()
    hooks.hook('push', ({ ref }) => ref)
    const form = 'payload=%7b%22ref%22%3a"refs%2Fheads/a%20b+c"}'
    const { headers } = signedRequest('push', { form: true })
    const signature = `sha256=${createHmac('sha256', secret).update(form).digest('hex')}`
    const answer = await inject(hooks, { headers: { ...headers, 'x-hub-signature-256': signature }, body: form })
    expect(await answer.text()).toBe('refs/heads/a b c')
  })
})

describe('terraform-aws-github-runner', () => {
  test('drops events above 256 KB', async () => {
    const hooks = hooksWith()
    hooks.hook('push', ({ ref }) => ref.length)
    for (const size of [300_000, 24_000_000]) {
      expect(await (await deliver(hooks, 'push', { payload: { ref: 'x'.repeat(size) } })).json()).toBe(size)
    }
  })
})

describe('Flask-Hookserver', () => {
  test('uses up the anonymous rate limit of /meta, and rejects every delivery if it fails', async () => {
    const github = await LocalGitHub.start({ hooks: ['192.0.2.0/24'] })
    const clock = vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const hooks = hooksWith({ validateIp: true, apiUrl: github.url, clientAddress: () => '192.0.2.1' })
      const ping = async () => (await inject(hooks, signedRequest('ping', { secret }), { validateIp: true })).status
      for (let minute = 0; minute < 59; minute++, clock.setSystemTime(Date.now() + 60_000))
        expect(await ping()).toBe(200)
      expect(github.requests).toHaveLength(1)
      github.fail({ status: 500 })
      clock.setSystemTime(Date.now() + 3_600_000)
      expect(await ping()).toBe(200)
      await vi.waitFor(() => expect(github.requests).toHaveLength(2))
      expect(await ping()).toBe(200)
    } finally {
      vi.useRealTimers()
      await github.close()
    }
  })

  test('uses the address of the socket only', async () => {
    const hooks = hooksWith({ validateIp: true, ranges: ['192.0.2.0/24'], trustProxy: ['127.0.0.1', '::1'] })
    await serving(inNode(hooks), async (origin) => {
      const { headers, ...rest } = signedRequest('ping', { secret })
      const answer = await fetch(`${origin}/hooks`, {
        ...rest,
        headers: { ...headers, 'x-forwarded-for': '192.0.2.1' },
      })
      expect(answer.status).toBe(200)
    })
  })
})

describe('frequent requests of users', () => {
  test('the reason of a rejection: the body was re-serialized on its way', async () => {
    const logger = new Recorder()
    const { headers, body } = signedRequest('ping', { secret })
    await inject(hooksWith({ logger }), { headers, body: JSON.stringify(JSON.parse(body), null, 2) })
    await vi.waitFor(() => expect(logger.messages[0]).toContain('re-serialized the body'))
  })

  test('emoji and other non-ASCII text: the inbox has the signed bytes', async () => {
    const inbox = openInbox()
    const hooks = hooksAt(inbox)
    const seen = Promise.withResolvers<unknown>()
    hooks.hook('push', ({ text }: Record<string, unknown>) => seen.resolve(text))
    const payload = '{"text":"🚀 naïve 日本 \\ud83d\\ude80 \u2028"}'
    await deliver(hooks, 'push', { payload })
    expect(Buffer.from((await inbox.body(1)) as Uint8Array).toString()).toBe(payload)
    expect(await seen.promise).toBe('🚀 naïve 日本 🚀 \u2028')
  })

  test('duplicates: a copy is recognized, and the handler runs once', async () => {
    const inbox = openInbox()
    const hooks = hooksAt(inbox)
    const handler = vi.fn()
    hooks.hook('push', handler)
    const delivery = signedRequest('push', { secret })
    const texts = []
    for (let i = 0; i < 3; i++) texts.push(await (await inject(hooks, delivery)).text())
    expect(texts).toEqual(['Accepted', 'Duplicate', 'Duplicate'])
    await eventually(async () => expect(await stateIn(inbox, 1)).toBe('done'))
    expect(handler).toHaveBeenCalledTimes(1)
  })

  test('the 10 s limit: a handler may take longer after the reply', async () => {
    const inbox = openInbox()
    const hooks = hooksAt(inbox, { replyTimeout: 1000 })
    const { promise, resolve } = Promise.withResolvers<string>()
    hooks.hook('push', () => promise)
    expect((await deliver(hooks, 'push')).status).toBe(202)
    await eventually(async () => expect(await stateIn(inbox, 1)).toBe('running'))
    resolve('at last')
    await eventually(async () => expect(await stateIn(inbox, 1)).toBe('done'))
  })

  test('order for each repository', async () => {
    const inbox = openInbox()
    const hooks = hooksAt(inbox)
    const seen: unknown[] = []
    const handler = async ({ n }: Record<string, unknown>) => {
      await new Promise((resolve) => setImmediate(resolve))
      seen.push(n)
    }
    hooks.hook('push', { order: 'repository' }, handler as never)
    for (let n = 1; n <= 10; n++)
      await deliver(hooks, 'push', { payload: { n, repository: { full_name: 'acme/site' } } })
    for (let n = 1; n <= 10; n++) await eventually(async () => expect(await stateIn(inbox, n)).toBe('done'))
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  test('new events: an event without a TypeScript type is handled', async () => {
    const hooks = hooksWith()
    hooks.hook('brand_new_event.happened' as string, (data) => ({ seen: data.thing }))
    const answer = await deliver(hooks, 'brand_new_event', { payload: { action: 'happened', thing: 1 } })
    expect(await answer.json()).toEqual({ seen: 1 })
  })

  test('has fixtures and a sender for all events', async () => {
    const { samples } = await import('../src/testing/index.ts')
    expect(samples()).toHaveLength(329)
    expect(new Set(samples().map(({ event }) => event)).size).toBe(58)
  })
})
