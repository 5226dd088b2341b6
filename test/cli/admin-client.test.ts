import { writeFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test, vi } from 'vitest'
import { hookserver as toListener } from '../../src/adapters/node.ts'
import { remoteAdminClient } from '../../src/cli/admin-client.ts'
import { Hooks } from '../../src/hooks.ts'
import { type AdminContext, adminListener } from '../../src/server/admin-listener.ts'
import { openLocalReceiver } from '../../src/server/api/create-delivery.ts'
import { Guard } from '../../src/server/auth/guard.ts'
import { addressOf, listen } from '../../src/server/listener.ts'
import { Metrics } from '../../src/server/metrics/metrics.ts'
import { childLogger } from '../../src/telemetry/logger.ts'
import { TestWorker } from '../../src/testing/inbox-contract/test-worker.ts'
import { detailIn, inboxFile, openInbox, stateIn, storeIn } from '../inbox/stores.ts'
import { Recorder } from '../recorder.ts'
import { hookserver } from './command.ts'

const token = 'a-token-of-24-characters'

async function listening(listener: RequestListener): Promise<string> {
  const server = await listen(listener, { host: '127.0.0.1', port: 0, flag: 'admin-port' })
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return addressOf(server)
}

/** A server with an inbox, and a command line that connects to it. */
async function remoteServer() {
  const inbox = openInbox()
  const metrics = new Metrics(inbox)
  onTestFinished(() => metrics.close())
  const hooks = new Hooks({ secret: 'a secret that is long enough', logger: false, inbox, work: false })
  hooks.hook('push', { name: 'deploy' }, () => 'pong')
  const logger = childLogger(new Recorder())
  const guard = new Guard({ tokens: { token }, inbox, host: '127.0.0.1', logger })
  const localReceiver = openLocalReceiver(hooks)
  const parts: AdminContext = { guard, localReceiver, metrics, inbox, hooks, logger }
  const url = await listening(adminListener(parts))
  const env = { HOOKSERVER_SERVER: url, HOOKSERVER_ADMIN_TOKEN: token }
  return { inbox, url, run: (...args: string[]) => hookserver(args, env) }
}

const payload = { number: 12, head: { 'two words': 'a b' } }

test('lists and shows the deliveries of a remote server', async () => {
  const { inbox, run } = await remoteServer()
  const id = await storeIn(inbox, payload, { event: 'issues' })
  await storeIn(inbox, payload, { event: 'push' })
  const { code, stdout, stderr } = await run('deliveries', 'list', '--json', 'event:issues', 'ISS', 'head.number:12x')
  expect([code, stdout, stderr]).toEqual([0, '', ''])
  const listed = await run(
    'deliveries',
    'list',
    '--json',
    '--since',
    '1h',
    'event:issues',
    'iss',
    'head."two words":"a b"',
  )
  expect(JSON.parse(listed.stdout)).toMatchObject({ id, event: 'issues', state: 'pending' })
  const shown = await run('deliveries', 'show', String(id), '--json')
  expect(JSON.parse(shown.stdout)).toEqual(JSON.parse(JSON.stringify(await detailIn(inbox, id))))
  expect((await run('deliveries', 'show', String(id), '--body')).stdout).toBe(JSON.stringify(payload))
  expect(await run('deliveries', 'show', '99')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('There is no delivery 99'),
  })
})

test('sends all conditions of a search to a remote server', async () => {
  const { inbox, run } = await remoteServer()
  const id = await storeIn(inbox, payload, { event: 'issues' })
  await storeIn(inbox, payload, { event: 'push' })
  const search = ['state:pending,dead', 'event:iss*,star', 'push or issues', 'number:1,2 or handler:"a, b" or issues']
  const { stdout } = await run('deliveries', 'list', '--json', ...search, '.number:12')
  expect(JSON.parse(stdout)).toMatchObject({ id })
  const excluded = await run('deliveries', 'list', '--json', ...search, '--', '-event:issues')
  expect([excluded.code, excluded.stdout]).toEqual([0, ''])
})

test('discards and retries on a remote server', async () => {
  const { inbox, run } = await remoteServer()
  const [one, other] = [await storeIn(inbox, payload), await storeIn(inbox, payload, { event: 'star' })]
  const discarded = await run('deliveries', 'discard', '--query', 'star', '--yes', '--reason', 'not needed')
  expect(discarded.stdout).toBe('Discarded 1 delivery.\n')
  expect(await detailIn(inbox, other)).toMatchObject({ state: 'discarded', reason: 'not needed' })
  expect((await run('deliveries', 'retry', String(other))).stdout).toBe('1 delivery is pending, and will be retried.\n')
  expect([await stateIn(inbox, one), await stateIn(inbox, other)]).toEqual(['pending', 'pending'])
})

test('retries one handler on a remote server, and lists its figures', async () => {
  const { inbox, run } = await remoteServer()
  const id = await storeIn(inbox, payload)
  const worker = await TestWorker.register(inbox, 'a', 'b')
  await worker.handle(id, { a: 'succeeded', b: 'dead' })
  expect((await run('deliveries', 'retry', String(id), '--handler', 'a')).stdout).toBe(
    '1 delivery is pending, and will be retried.\n',
  )
  const { tasks } = await detailIn(inbox, id)
  expect(tasks).toMatchObject([{ state: 'pending' }, { state: 'dead' }])
  const listed = (await run('handlers', 'list', '--json')).stdout.trim().split('\n')
  const handlers = listed.map((line) => JSON.parse(line))
  expect(handlers).toContainEqual(
    expect.objectContaining({ name: 'a', statistics: expect.objectContaining({ waiting: 1 }) }),
  )
})

test('pauses and resumes handlers of a remote server', async () => {
  const { inbox, run } = await remoteServer()
  expect((await run('handlers', 'pause', 'deploy')).stdout).toBe('Paused deploy.\nPaused now: deploy.\n')
  expect((await inbox.overview()).paused).toEqual(['deploy'])
  expect((await run('handlers', 'resume', 'deploy')).stdout).toBe('Resumed deploy.\nNo handler is paused now.\n')
  const { code, stderr } = await run('handlers', 'pause', 'deplyo')
  expect([code, stderr]).toEqual([1, expect.stringContaining('There is no handler deplyo')])
})

test('lists the processes of a remote server', async () => {
  const { inbox, run } = await remoteServer()
  await inbox.heartbeat({ id: 'a', role: 'worker', version: '1.2.3', startedAt: 1000 })
  const { code, stdout } = await run('processes', '--json')
  expect([
    code,
    ...stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ]).toEqual([0, ...(await inbox.processes())])
})

test('accepts the address that a server prints at its start, and shows no token of it', async () => {
  const { url } = await remoteServer()
  const run = (address: string) => hookserver(['processes', '--server', address], { HOOKSERVER_ADMIN_TOKEN: token })
  expect(await run(`${url}/#token=${token}`)).toMatchObject({ code: 0, stderr: 'No process is running.\n' })
  const { code, stderr } = await run(`http://127.0.0.1:1/#token=${token}`)
  expect([code, stderr]).toEqual([1, expect.stringContaining('Cannot reach http://127.0.0.1:1: ')])
})

test('takes the token from a file, and reports a wrong token', async () => {
  const { url } = await remoteServer()
  const file = join(dirname(inboxFile()), 'token')
  writeFileSync(file, `${token}\n`, { mode: 0o600 })
  const list = ['deliveries', 'list', '--server', url]
  const wrong = { HOOKSERVER_ADMIN_TOKEN: 'another-token-altogether' }
  expect(await hookserver([...list, '--admin-token-file', file], wrong)).toMatchObject({ code: 0 })
  const { code, stderr } = await hookserver(list, wrong)
  expect([code, stderr]).toEqual([1, `hookserver: ${url} answered 401: Wrong token\n`])
  expect(stderr).not.toContain(wrong.HOOKSERVER_ADMIN_TOKEN)
  expect(await hookserver(list)).toMatchObject({ code: 2, stderr: expect.stringContaining('--admin-token-file') })
})

test('prefers a database flag to a remote server from the environment', async () => {
  const { url } = await remoteServer()
  const args = ['deliveries', 'list', '--database', '/nowhere/hookserver.db']
  const { stderr } = await hookserver(args, { HOOKSERVER_SERVER: url, HOOKSERVER_ADMIN_TOKEN: token })
  expect(stderr).toContain('There is no database /nowhere/hookserver.db')
})

test('uses a database if only the URL for browsers is set', async () => {
  const env = { HOOKSERVER_ADMIN_URL: 'https://hooks-admin.example.org', HOOKSERVER_DATABASE: '/nowhere/hookserver.db' }
  const { stderr } = await hookserver(['deliveries', 'list'], env)
  expect(stderr).toContain('There is no database /nowhere/hookserver.db')
})

test('rejects an invalid address of a remote server', async () => {
  const list = ['deliveries', 'list']
  const expected = 'expected a URL that begins with http:// or https://, got "hooks.example"'
  const fromFlag = await hookserver([...list, '--server', 'hooks.example'])
  expect(fromFlag).toMatchObject({ code: 2, stderr: expect.stringContaining(`--server: ${expected}`) })
  const fromVariable = await hookserver(list, { HOOKSERVER_SERVER: 'hooks.example' })
  const source = 'the environment variable HOOKSERVER_SERVER'
  expect(fromVariable).toMatchObject({ code: 2, stderr: expect.stringContaining(`${source}: ${expected}`) })
})

test('names the variable that the address of a remote server comes from', async () => {
  const list = ['deliveries', 'list']
  const env = { HOOKSERVER_SERVER: 'http://127.0.0.1:1' }
  const unreachable = await hookserver(list, { ...env, HOOKSERVER_ADMIN_TOKEN: token })
  expect(unreachable.stderr).toContain('Cannot reach http://127.0.0.1:1 (HOOKSERVER_SERVER): ')
  const { stderr } = await hookserver(list, env)
  expect(stderr).toContain('HOOKSERVER_SERVER needs the admin token of that server')
  expect(stderr).toContain('To use a database of this machine instead, pass --database')
})

test('reports an address where no hookserver answers', async () => {
  const url = await listening((_request, response) => response.writeHead(404).end('nothing here'))
  const args = ['deliveries', 'show', '1', '--admin-token', token, '--server']
  const cure =
    'check that this is the URL of the admin listener, which has another port than the receiver, 8001 by default'
  expect(await hookserver([...args, url])).toMatchObject({
    code: 1,
    stderr: `hookserver: ${url} answered 404: ${cure}\n`,
  })
  const receiver = await listening(toListener(new Hooks({ secret: 'a secret that is long enough', logger: false })))
  expect((await hookserver([...args, receiver])).stderr).toBe(`hookserver: ${receiver} answered 404: ${cure}\n`)
  const { code, stderr } = await hookserver([...args, 'http://127.0.0.1:1'])
  expect([code, stderr]).toEqual([1, expect.stringContaining('Cannot reach http://127.0.0.1:1: ')])
})

test.each([
  [
    'a page, such as that of a login',
    (response: ServerResponse) => response.setHeader('content-type', 'text/html; charset=utf-8').end('<html></html>'),
    'answered 200: check that this is the URL of the admin listener',
  ],
  [
    'a redirect',
    (response: ServerResponse) => {
      response.writeHead(301, { location: 'https://hooks.example/api/v1/processes?key=secret' }).end()
    },
    'answered 301, a redirect to https://hooks.example/api/v1/processes: pass a URL that leads to the',
  ],
])('reports an address that answers with %s', async (_what, answer, expected) => {
  const url = await listening((_, response) => void answer(response))
  const env = { HOOKSERVER_SERVER: url, HOOKSERVER_ADMIN_TOKEN: token }
  const { code, stderr, stdout } = await hookserver(['processes'], env)
  expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(expected)])
  expect(stderr).not.toContain('secret')
})

test('continues an operation that the server has not completed', async () => {
  const asked: { query: object; cursor?: string; operationId: string }[] = []
  const url = await listening(async (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === 'GET') return void response.end(JSON.stringify({ deliveries: [{ id: 7, receivedAt: 1 }] }))
    asked.push(JSON.parse(await text(request)))
    response.end(JSON.stringify(asked.length === 1 ? { count: 300, next: 'a cursor' } : { count: 20 }))
  })
  const args = ['deliveries', 'retry', '--state', 'dead', '--yes', '--server', url, '--admin-token', token]
  const { code, stdout } = await hookserver(args)
  expect([code, stdout]).toEqual([0, '320 deliveries are pending, and will be retried.\n'])
  const operationId = expect.stringMatching(/^[\w-]{36}$/)
  expect(asked).toEqual([
    { query: { state: 'dead', before: 8 }, operationId },
    { query: { state: 'dead', before: 8 }, operationId, cursor: 'a cursor' },
  ])
  expect(asked[0]?.operationId).toBe(asked[1]?.operationId)
})

test('reports events that arrive together as one change', async () => {
  const end = new AbortController()
  let streams = 0
  const event = 'event: delivery\ndata: {}\n\n'
  const url = await listening((_request, response) => {
    streams++
    if (streams === 1) response.end(`event: ready\ndata: {}\n\n${event.repeat(200)}`)
    else end.abort() // the client has read the first stream
  })
  let changes = 0
  for await (const _ of remoteAdminClient(url, token, url).changes(end.signal)) changes++
  expect(streams).toBe(2)
  expect(changes).toBeLessThanOrEqual(3) // the network may divide them
})

/** The messages after its stream has ended, when `answer` answers the next request. */
async function messageAfterLostStream(answer: (request: IncomingMessage, response: ServerResponse) => unknown) {
  const end = new AbortController()
  let streams = 0
  const url = await listening((request, response) => {
    if (++streams === 1) response.end('event: ready\ndata: {}\n\n')
    else answer(request, response)
  })
  const said: string[] = []
  const error = vi.spyOn(console, 'error').mockImplementation((text: string) => {
    said.push(text)
    end.abort()
  })
  onTestFinished(() => error.mockRestore())
  for await (const _ of remoteAdminClient(url, token, url).changes(end.signal));
  return { url, said }
}

test('names the reason of a lost connection once', async () => {
  const { url, said } = await messageAfterLostStream((request) => request.socket.destroy())
  expect(said).toEqual([`hookserver: Cannot reach ${url}: other side closed. Trying again every 2 s`])
})

test('replaces characters that control a terminal in the answer of another server', async () => {
  const { url, said } = await messageAfterLostStream((_request, response) => {
    response.writeHead(503, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify({ detail: 'down \u001b]0;title\u0007' }))
  })
  expect(said).toEqual([`hookserver: ${url} answered 503: down \ufffd]0;title\ufffd. Trying again every 2 s`])
})

test('does not count all deliveries of a large selection before an operation', async () => {
  let pages = 0
  const url = await listening((request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== 'GET') return void response.end(JSON.stringify({ count: 30_000 }))
    pages++
    const limit = Number(new URL(request.url ?? '', url).searchParams.get('limit'))
    const deliveries = Array.from({ length: limit }, () => ({ id: 1, receivedAt: 1 }))
    response.end(JSON.stringify({ deliveries, next: 'a cursor', scanned: limit, left: 1e6 }))
  })
  const args = ['deliveries', 'retry', '--state', 'dead', '--yes', '--json', '--server', url, '--admin-token', token]
  const { code, stdout } = await hookserver(args)
  expect([code, JSON.parse(stdout)]).toEqual([0, { action: 'retry', changed: 30_000, dryRun: false }])
  expect(pages).toBe(21) // 20 full pages, and one more delivery
})

test('continues a search after a page that ended early, and shows progress', async () => {
  const asked: string[] = []
  const pages = [
    { deliveries: [], next: 'a cursor', scanned: 60, left: 40, tooLarge: 2 },
    { deliveries: [{ id: 7, event: 'push', state: 'done', receivedAt: 0 }], next: 'another', scanned: 34, left: 6 },
    { deliveries: [], scanned: 6, left: 0 },
  ]
  const url = await listening((request: IncomingMessage, response: ServerResponse) => {
    asked.push(request.url ?? '')
    response.end(JSON.stringify(pages[asked.length - 1]))
  })
  const args = ['deliveries', 'list', '.wanted:yes', '--json', '--server', url, '--admin-token', token]
  const { code, stdout, stderr } = await hookserver(args)
  expect([code, JSON.parse(stdout).id]).toEqual([0, 7])
  expect(stderr).toMatch(/^Searched 60 of 100 deliveries, found 0\n/)
  expect(stderr).toMatch(/\n2 payloads skipped: too large to search\n$/)
  expect(asked.map((path) => new URL(path, url).searchParams.get('cursor'))).toEqual([null, 'a cursor', 'another'])
  expect(new URL(asked[0] ?? '', url).searchParams.get('q')).toBe('."wanted":"yes"')
})
