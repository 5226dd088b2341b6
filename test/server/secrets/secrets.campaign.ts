/**
 * Runs servers and every operation that uses a secret, and then searches for secrets in everything that the servers
 * printed, answered and stored.
 */
import { join } from 'node:path'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { postgres } from '../../../src/postgres/index.ts'
import { sample } from '../../../src/samples/index.ts'
import { type SignedRequestOptions, signedRequest } from '../../../src/samples/signed-request.ts'
import { LocalGitHub } from '../../../src/testing/index.ts'
import { openInbox } from '../../inbox/stores.ts'
import { startPostgres } from '../../postgres/server.ts'
import { project, ServedProcess } from '../service.ts'
import { runCommands, runDatabaseCommands } from './commands.ts'
import { Evidence, type SentRequest } from './evidence.ts'
import { keepDeliveries, keepFiles, keepTables } from './keeping.ts'
import { careless, known } from './known.ts'
import { recoverAsApp, recoverByToken } from './recovering.ts'

const { newSecret, oldSecret, adminToken, readOnlyToken, wrongToken, githubToken, revokedToken, keyInAddress } = known

const tokens = { HOOKSERVER_ADMIN_TOKEN: adminToken, HOOKSERVER_READ_ONLY_TOKEN: readOnlyToken }

/** Headers that a proxy may add and that must not be stored. */
const ofProxies = {
  authorization: 'Basic cHJveHk6dGhlIHByb3h5J3MgcGFzc3dvcmQ=',
  cookie: 'session=the-session-of-a-proxy',
}

const delivery = (event: string, { headers, ...options }: SignedRequestOptions = {}) =>
  signedRequest(event, { secret: newSecret, ...options, headers: { ...ofProxies, ...headers } })

test('no secret, token, cookie or signature is printed, answered, counted or stored', {
  timeout: 120_000,
}, async () => {
  const evidence = new Evidence()
  for (const [name, secret] of Object.entries(known)) evidence.secret(name, secret)
  const github = await LocalGitHub.start({ hooks: ['127.0.0.0/8'], token: githubToken })
  onTestFinished(() => github.close())
  const folder = project({ secrets: `${newSecret}\n${oldSecret} \n` }) // the space is a mistake that the log explains
  const settings = [careless, '--secret-file', 'secrets', '--log-level', 'debug', '--api-url', github.url]
  const serve = (token: string) => new ServedProcess(folder, settings, { ...tokens, GITHUB_TOKEN: token })

  const first = serve(revokedToken)
  await receive(evidence, first)
  await first.line('GitHub rejected the token')
  await operate(evidence, await first.adminUrl())
  await runCommands(evidence, first, { folder, apiUrl: github.url })
  expect((await evidence.ask(await first.url(), delivery('fork', { guid: 'crash' }))).status).toBe(202)
  expect(await first.ended).toBe(1)
  keepFiles(evidence, folder, 'after the crash')

  const second = serve(githubToken)
  expect((await evidence.ask(await second.url(), delivery('push'))).status).toBe(202)
  await settled(evidence, await second.adminUrl())
  await operate(evidence, await second.adminUrl())
  second.child.kill('SIGTERM')
  expect(await second.ended).toBe(0)

  evidence.keep('the output of the first process', first.output)
  evidence.keep('the output of the second process', second.output)
  keepFiles(evidence, folder, 'at the end')
  const kept = await keepDeliveries(evidence, openInbox(join(folder, 'hookserver.db')))
  expect(kept.events).toEqual(['fork dead', 'issues dead', 'push dead', 'push done'])
  expect(kept.rejections).toBeGreaterThan(5)

  await recoverByToken(evidence, github)
  await recoverAsApp(evidence, github)
  expect(evidence.findings()).toEqual([])
})

test('the password of the database is not printed, answered or stored', async () => {
  const evidence = new Evidence()
  for (const [name, secret] of Object.entries(known)) evidence.secret(name, secret)
  const github = await LocalGitHub.start({ hooks: ['127.0.0.0/8'], token: githubToken })
  onTestFinished(() => github.close())
  const server = await startPostgres()
  onTestFinished(() => server.stop())
  const url = await withPassword(server.url, known.databasePassword)
  const folder = project({ secrets: `${newSecret}\n${oldSecret} \n`, database: `${url}\n` })
  const settings = [careless, '--secret-file', 'secrets', '--log-level', 'debug', '--api-url', github.url]
  const env = { ...tokens, GITHUB_TOKEN: githubToken }

  const first = new ServedProcess(folder, [...settings, '--database-url-file', 'database'], env)
  await receive(evidence, first)
  await operate(evidence, await first.adminUrl())
  const database = { url, file: join(folder, 'database') }
  await runDatabaseCommands(evidence, database)
  await server.crash()
  expect((await evidence.ask(await first.url(), delivery('push'))).status).toBe(503)
  for (const path of ['/readyz', '/metrics', '/api/v1/stats', '/api/v1/deliveries']) {
    await evidence.ask(`${await first.adminUrl()}${path}`, { headers: { authorization: `Bearer ${adminToken}` } })
  }
  first.child.kill('SIGTERM')
  await first.ended

  const second = new ServedProcess(folder, settings, { DATABASE_URL: url, ...env })
  await second.line('Cannot use PostgreSQL yet')
  await server.start()
  await expect.poll(async () => (await evidence.ask(await second.url(), delivery('push'))).status).toBe(202)
  await settled(evidence, await second.adminUrl())
  expect((await evidence.ask(await second.url(), delivery('fork', { guid: 'crash' }))).status).toBe(202)
  expect(await second.ended).toBe(1)

  evidence.keep('the output of the first process', first.output)
  evidence.keep('the output of the second process', second.output)
  evidence.keep('what PostgreSQL logged', server.log)
  await keepTables(evidence, url)
  const inbox = postgres(url)
  onTestFinished(() => inbox.close())
  const kept = await keepDeliveries(evidence, inbox)
  expect(kept.events).toEqual(expect.arrayContaining(['issues dead', 'push dead', 'push done']))
  expect(kept.rejections).toBeGreaterThan(5)
  expect(evidence.findings()).toEqual([])
})

/** Creates a database user that may create the tables. @returns the URL with this user. */
async function withPassword(url: string, password: string): Promise<string> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`create role keeper login password ${pg.escapeLiteral(password)}`)
  await client.query('grant create on database postgres to keeper')
  await client.end()
  return Object.assign(new URL(url), { username: 'keeper', password: encodeURIComponent(password) }).href
}

/** Sends valid and invalid deliveries of all kinds. The log explains the rejections. */
async function receive(evidence: Evidence, served: ServedProcess): Promise<void> {
  const url = await served.url()
  const status = async (asked: SentRequest, to = url) => (await evidence.ask(to, asked)).status
  expect(await status(delivery('push'), `${url}?key=${keyInAddress}`)).toBe(202)
  expect(await status(delivery('push', { form: true }))).toBe(202)
  expect(await status(delivery('push', { secret: `${oldSecret} `, algorithms: ['sha1'] }))).toBe(202)
  expect(await status(delivery('push', { payload: 'this is no JSON' }))).toBe(202)
  expect(await status(delivery('issues.opened', { guid: 'fails' }))).toBe(202)
  expect(await status(signedRequest('push', { headers: ofProxies }))).toBe(400)
  expect(await status(delivery('push', { headers: { 'content-type': 'text/plain' } }))).toBe(415)
  expect(await status(delivery('push', { headers: { 'content-length': String(30 * 2 ** 20) } }))).toBe(413)
  expect(await status(delivery('push', { headers: { 'x-hub-signature-256': newSecret } }))).toBe(400)

  const pretty = { ...delivery('push'), body: JSON.stringify(sample('push'), null, 2) }
  const wrong: Record<string, SentRequest> = {
    're-serialized the body': pretty,
    'begins or ends with white space': delivery('push', { secret: oldSecret }),
    'matches none of the configured secrets': delivery('push', { secret: 'another secret' }),
  }
  for (const [reason, asked] of Object.entries(wrong)) {
    // At most one of these rejections is logged per second, so the request is repeated until its reason is logged.
    const told = async () => [await status(asked), served.output.includes(reason)]
    await expect.poll(told, { interval: 200 }).toEqual([400, true])
  }
}

/** Logs in, calls all GET routes, and sends operations: valid and invalid ones. */
async function operate(evidence: Evidence, admin: string): Promise<void> {
  const authorized = { authorization: `Bearer ${adminToken}` }
  const json = { 'content-type': 'application/json' }
  const post = (path: string, body: object, headers = {}) =>
    evidence.ask(`${admin}${path}`, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) })

  expect((await post('/api/v1/session', { token: wrongToken })).status).toBe(401)
  const { status, cookie } = await post('/api/v1/session', { token: adminToken })
  expect([status, cookie]).toEqual([204, expect.stringMatching(/^hookserver-\d+=act\.\d+\.[\w-]{16}\.[\w-]{43}$/)])
  expect((await evidence.ask(`${admin}/api/v1/stats`, { headers: { cookie } })).status).toBe(200)
  expect((await post('/api/v1/handlers/pause', { all: true }, { cookie })).status).toBe(403)
  const reader = { authorization: `Bearer ${readOnlyToken}` }
  expect((await post('/api/v1/session', { token: readOnlyToken })).status).toBe(204)
  expect((await post('/api/v1/handlers/pause', { all: true }, reader)).status).toBe(403)
  expect((await evidence.ask(`${admin}/api/v1/session`, { headers: reader })).status).toBe(200)
  expect(
    (await evidence.ask(`${admin}/api/v1/stats`, { headers: { authorization: `Bearer ${wrongToken}` } })).status,
  ).toBe(401)

  const { paths } = JSON.parse((await evidence.ask(`${admin}/api/v1/openapi.json`, { headers: authorized })).text)
  const { deliveries } = JSON.parse((await evidence.ask(`${admin}/api/v1/deliveries`, { headers: authorized })).text)
  const { failures } = JSON.parse((await evidence.ask(`${admin}/api/v1/failures`, { headers: authorized })).text)
  const idsOf = (rows: { id: number }[]) => rows.map(({ id }) => id)
  const readable = Object.keys(paths).filter((path) => 'get' in paths[path])
  expect(readable.length).toBeGreaterThan(6)
  for (const path of [...readable, '/healthz', '/readyz', '/metrics']) {
    const ids = path.includes('{id}') ? idsOf(path.includes('/failures/') ? failures : deliveries) : ['']
    for (const id of ids) {
      const filled = path.replace('{id}', String(id)).replace('{event}', 'push').replace('{name}', 'hook:push')
      const wanted = path === '/api/v1/values' ? '?column=repository' : ''
      expect([filled, (await evidence.ask(`${admin}${filled}${wanted}`, { headers: authorized })).status]).toEqual([
        filled,
        200,
      ])
    }
  }
  for (const path of ['/api/v1/deliveries', '/api/v1/nothing', '/nothing'] as const) {
    const { status } = await evidence.ask(`${admin}${path}?token=${encodeURIComponent(adminToken)}`, {
      headers: authorized,
    })
    expect(status).toBeGreaterThanOrEqual(400)
  }
  for (const [path, body] of [
    ['/api/v1/handlers/hook:push/pause', {}],
    ['/api/v1/handlers/hook:push/resume', {}],
    ['/api/v1/deliveries/retry', { query: { event: 'issues' } }],
    ['/api/v1/deliveries/discard', { query: { event: 'star' }, reason: 'not needed' }],
  ] as const) {
    expect([path, (await post(path, body, authorized)).status]).toEqual([path, 200])
  }
  await settled(evidence, admin)
}

/** Resolves when all deliveries have ended. */
async function settled(evidence: Evidence, admin: string): Promise<void> {
  const headers = { authorization: `Bearer ${adminToken}` }
  const left = async () => {
    const { states } = JSON.parse((await evidence.ask(`${admin}/api/v1/stats`, { headers })).text)
    return states.pending + states.running + states.retrying
  }
  await expect.poll(left).toBe(0)
}
