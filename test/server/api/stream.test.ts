import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { promisify } from 'node:util'
import { getRequestListener } from '@hono/node-server'
import { EventSource } from 'eventsource'
import { Hono } from 'hono'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Store } from '../../../src/inbox/inbox.ts'
import type { Changes } from '../../../src/inbox/records.ts'
import { ChangeFeed } from '../../../src/server/api/change-feed.ts'
import { appOf } from '../../../src/server/api/index.ts'
import { eventStream, stream } from '../../../src/server/api/stream.ts'
import { Guard } from '../../../src/server/auth/guard.ts'
import { childLogger } from '../../../src/telemetry/logger.ts'
import { eventually, openInbox, storeIn, withMembers } from '../../inbox/stores.ts'
import { Recorder } from '../../recorder.ts'
import { type Admin, fromPage, openAdmin, readOnlyToken, token, withCookie } from '../administered.ts'

interface StreamMessage {
  name: string
  id: string
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
  data: any
}

/** A client that reads the stream as a browser's EventSource does, and keeps its messages. */
class Page {
  readonly told: StreamMessage[] = []
  readonly source: EventSource

  constructor({ host }: Admin, headers: Record<string, string> = {}) {
    this.source = new EventSource(`http://${host}/api/v1/stream`, {
      fetch: (url, init) =>
        fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}`, ...headers } }),
    })
    onTestFinished(() => this.source.close())
    for (const name of ['ready', 'delivery', 'reset']) {
      this.source.addEventListener(name, ({ data, lastEventId }: MessageEvent) => {
        this.told.push({ name, id: lastEventId, data: JSON.parse(data) })
      })
    }
  }

  /** Opens a stream, and waits until it is ready. */
  static async open(admin: Admin, headers: Record<string, string> = {}): Promise<Page> {
    const page = new Page(admin, headers)
    await eventually(() => expect(page.named('ready')).toHaveLength(1))
    return page
  }

  named(name: string): StreamMessage[] {
    return this.told.filter((one) => one.name === name)
  }

  /** The id and the state in each message about a delivery. */
  get states(): [id: number, state: string][] {
    return this.named('delivery').map(({ data }) => [data.id, data.state])
  }
}

describe('a client of the stream', () => {
  test('receives new and changed deliveries, as the list shows them', async () => {
    const admin = await openAdmin()
    await storeIn(admin.inbox)
    const page = await Page.open(admin)
    const id = await storeIn(admin.inbox, {}, { event: 'issues' })
    await eventually(() => expect(page.states).toEqual([[id, 'pending']]))
    await admin.inbox.discard({ ids: [id] }, 'no use')
    await eventually(() =>
      expect(page.states).toEqual([
        [id, 'pending'],
        [id, 'discarded'],
      ]),
    )
    const { json } = await admin.get('/api/v1/deliveries?limit=1')
    expect(page.told.at(-1)?.data).toEqual(json.deliveries[0])
  })

  test('continues where it stopped, after a reconnect', async () => {
    const admin = await openAdmin()
    const page = await Page.open(admin)
    const before = await storeIn(admin.inbox)
    await eventually(() => expect(page.states).toEqual([[before, 'pending']]))
    admin.cut()
    const missed = await storeIn(admin.inbox)
    await eventually(() =>
      expect(page.states).toEqual([
        [before, 'pending'],
        [missed, 'pending'],
      ]),
    )
    expect(page.named('reset')).toEqual([])
  })

  test.each(['99999-0', '0-99999', '-5', 'nonsense', '9'.repeat(30)])(
    'is told to reload if its last event id is %s',
    async (id) => {
      const admin = await openAdmin()
      await storeIn(admin.inbox)
      const { position } = await admin.inbox.changes()
      const page = await Page.open(admin, { 'last-event-id': id })
      await eventually(() => expect(page.named('reset')).toMatchObject([{ id: position }]))
      expect(page.states).toEqual([])
    },
  )

  test('receives untrusted names and titles as JSON', async () => {
    const admin = await openAdmin()
    const page = await Page.open(admin)
    const guid = 'a\n\ndata: {}\r\nevent: reset'
    await storeIn(admin.inbox, {}, { guid })
    await eventually(() => expect(page.named('delivery')).toMatchObject([{ data: { guid } }]))
    expect(page.named('reset')).toEqual([])
  })

  test('may open five streams, and another after it closed one', async () => {
    const admin = await openAdmin()
    const pages = await Promise.all([1, 2, 3, 4, 5].map(() => Page.open(admin)))
    const rejected = await admin.get('/api/v1/stream')
    expect([rejected.status, rejected.json.code]).toEqual([429, 'too_many_streams'])
    pages[0]?.source.close()
    await eventually(async () => expect((await admin.ask('/api/v1/stream', { method: 'HEAD' })).status).toBe(200))
    await Page.open(admin)
  })

  test('cannot open more streams with a token and forged cookies', async () => {
    const admin = await openAdmin()
    const named = (name: number) => ({ cookie: `hookserver-${admin.port}=${name}` })
    await Promise.all([1, 2, 3, 4, 5].map((name) => Page.open(admin, named(name))))
    const rejected = await admin.ask('/api/v1/stream', { headers: named(6) })
    expect([rejected.status, rejected.json.code]).toEqual([429, 'too_many_streams'])
  })

  test('needs a token, and must be a page of this server', async () => {
    const admin = await openAdmin()
    const ask = (headers: Record<string, string | undefined>) => admin.ask('/api/v1/stream', { headers })
    expect((await ask({ authorization: undefined })).status).toBe(401)
    expect((await ask(fromPage(admin.host, 'http://evil.example', 'cross-site'))).status).toBe(403)
    expect((await ask({ host: 'evil.example' })).status).toBe(403)
  })

  test('receives nothing after its session was logged out', async () => {
    const admin = await openAdmin()
    const cookie = await withCookie(admin)
    const headers = { ...fromPage(admin.host, `http://${admin.host}`), cookie, authorization: '' }
    const page = await Page.open(admin, headers)
    const other = await Page.open(admin)
    const ended = once(page.source as unknown as EventTarget, 'error')
    expect((await admin.ask('/api/v1/session', { method: 'DELETE', headers })).status).toBe(204)
    await ended
    await storeIn(admin.inbox)
    await eventually(() => expect(other.states).toHaveLength(1))
    expect(page.states).toEqual([])
  })

  test('is disconnected if the inbox fails', async () => {
    const inbox = openInbox()
    let broken = false
    const changes = (after?: string) => (broken ? Promise.reject(new Error('The disk is gone')) : inbox.changes(after))
    const admin = await openAdmin({ inbox: withMembers(inbox, { changes }) })
    const page = await Page.open(admin)
    const ended = once(page.source as unknown as EventTarget, 'error')
    broken = true
    await ended
    expect(admin.recorder.lines).toMatchObject([
      { level: 'warn', message: expect.stringContaining('Stream of changes ended') },
    ])
  })
})

/** Streams of one feed, and the results of its reads of the inbox. */
function streamsOf(inbox: Store) {
  const reads: Changes[] = []
  const changes = async (after?: string) => {
    const read = await inbox.changes(after)
    reads.push(read)
    return read
  }
  const [feed, stop] = [new ChangeFeed({ changes }), new AbortController()]
  onTestFinished(() => stop.abort())
  const open = (after?: string) => {
    const events = eventStream(feed, after, stop.signal)
    return async () => new TextDecoder().decode((await events.next()).value)
  }
  return { reads, open }
}

describe('the streams of a process', () => {
  test('share one poll of the inbox', async () => {
    const inbox = openInbox()
    const { reads, open } = streamsOf(inbox)
    const streams = Array.from({ length: 20 }, () => open())
    await Promise.all(streams.map((next) => next()))
    for (let round = 0; round < 3; round++) {
      const messages = streams.map((next) => next())
      reads.length = 0
      await storeIn(inbox)
      for (const message of await Promise.all(messages)) expect(message.match(/event: delivery/g)).toHaveLength(1)
      expect(reads.filter(({ deliveries }) => deliveries.length > 0)).toHaveLength(1)
    }
  })

  test('receive every change, also after one of them has read nothing for a while', async () => {
    const inbox = openInbox()
    const { open } = streamsOf(inbox)
    const { position } = await inbox.changes()
    const [fast, slow] = [open(), open(position)]
    await Promise.all([fast(), slow()])
    const ids: number[] = []
    for (let round = 0; round < 3; round++) {
      ids.push(await storeIn(inbox))
      expect(await fast()).toContain(`"id":${ids.at(-1)},`)
    }
    const message = await slow()
    for (const id of ids) expect(message).toContain(`"id":${id},`)
    const messages = [fast(), slow()]
    const last = await storeIn(inbox)
    for (const text of await Promise.all(messages)) expect(text).toContain(`"id":${last},`)
  })
})

describe('a stream that is far behind', () => {
  test('moves no other stream back', async () => {
    const inbox = openInbox()
    const { open } = streamsOf(inbox)
    const { position } = await inbox.changes()
    for (let count = 0; count < 1200; count += 100) {
      await Promise.all(Array.from({ length: 100 }, () => storeIn(inbox)))
    }
    const [behind, current] = [open(position), open()]
    await Promise.all([behind(), current()])
    const message = current()
    let read = 0
    while (read < 1200) read += (await behind()).match(/event: delivery/g)?.length ?? 0
    const id = await storeIn(inbox)
    expect((await message).match(/"id":\d+,/g)).toEqual([`"id":${id},`])
    expect(await behind()).toContain(`"id":${id},`)
  })
})

describe('a slow client', () => {
  test('causes no buffering: when it reads again, it receives each delivery once, in its current state', async () => {
    const inbox = openInbox()
    const stop = new AbortController()
    const events = eventStream(new ChangeFeed(inbox), undefined, stop.signal)
    const next = async () => new TextDecoder().decode((await events.next()).value)
    expect(await next()).toContain('event: ready')
    const id = await storeIn(inbox)
    await inbox.discard({ ids: [id] }, 'no use')
    await inbox.retry({ ids: [id] })
    await inbox.discard({ ids: [id] }, 'no use')
    const text = await next()
    expect(text.match(/event: /g)).toHaveLength(1)
    expect(text).toContain('"state":"discarded"')
    stop.abort()
    expect((await events.next()).done).toBe(true)
  })

  test('is disconnected if it does not read', async () => {
    const inbox = openInbox()
    const { connections, open } = await listen(inbox, { idleTimeout: 300 })
    await open(token)
    // More bytes than the buffers of both sockets can hold.
    for (let index = 0; index < 400; index++) await storeIn(inbox, {}, { guid: `${'g'.repeat(60_000)}${index}` })
    await eventually(async () => expect(await connections()).toBe(0))
  })
})

test('read-only visitors leave some streams to operators', async () => {
  const { open } = await listen(openInbox(), { maxOfReaders: 1, maxOfAll: 2 })
  expect(await open(readOnlyToken)).toContain('200 OK')
  expect(await open(readOnlyToken)).toContain('Too many streams are open')
  expect(await open(token)).toContain('200 OK')
  expect(await open(token)).toContain('Too many streams are open')
})

/** Serves only the stream, on its own port. */
async function listen(inbox: Store, limits: Parameters<typeof stream>[2]) {
  const logger = childLogger(new Recorder())
  const guard = new Guard({ tokens: { token, readOnlyToken }, inbox, host: '127.0.0.1', logger })
  const operated = { inbox, logger }
  const route = stream(operated, guard, limits)
  const app = new Hono().use(guard.authorized).route('/', appOf([route]))
  app.onError((error, context) => context.text(error.message, 429))
  const server = createServer(getRequestListener(app.fetch))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  return {
    connections: promisify(server.getConnections.bind(server)),
    /** Opens a stream, and does not read it. */
    async open(given: string): Promise<string> {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
      onTestFinished(() => void socket.destroy())
      socket.write(`GET /stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${given}\r\n\r\n`)
      await once(socket, 'readable')
      return String(socket.read())
    },
  }
}
