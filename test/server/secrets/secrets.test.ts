/** One life of a server with everything that touches a secret; then all that was printed, answered and kept is searched. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { sample } from '../../../src/samples/index.ts'
import { type SignedRequestOptions, signedRequest } from '../../../src/samples/signed-request.ts'
import { LocalGitHub } from '../../../src/testing/index.ts'
import { hookserver } from '../../cli/command.ts'
import { detailIn, openInbox } from '../../inbox/stores.ts'
import { project, ServedProcess } from '../service.ts'
import { type Asked, Evidence } from './evidence.ts'

const careless = fileURLToPath(new URL('careless-hooks.ts', import.meta.url))

const secrets = {
  'the new secret': 'the new secret: ä+/&="?',
  'the old secret': 'the old secret, before the rotation',
  'the admin token': 'admin-token~that+nobody/guesses=',
  'a wrong admin token': 'admin-token~of+yesterday/perhaps=',
  'the token for GitHub': 'ghp_TheTokenThatGitHubGave0123456789',
  'a token that GitHub refuses': 'ghp_ATokenThatHasBeenRevoked9876543',
  'the key in the address': 'the-key-in-the-address-of-the-hook',
  'the password of a proxy': 'the-password-of-the-proxy',
}
const newSecret = secrets['the new secret']
const oldSecret = secrets['the old secret']
const adminToken = secrets['the admin token']
const wrongToken = secrets['a wrong admin token']

/** What a proxy in front may add, and what must not be kept of it. */
const ofProxies = {
  authorization: 'Basic cHJveHk6dGhlIHByb3h5J3MgcGFzc3dvcmQ=',
  cookie: 'session=the-session-of-a-proxy',
}

const delivery = (event: string, { headers, ...options }: SignedRequestOptions = {}) =>
  signedRequest(event, { secret: newSecret, ...options, headers: { ...ofProxies, ...headers } })

test('no secret, token, cookie or signature is printed, answered, counted or kept', { timeout: 120_000 }, async () => {
  const evidence = new Evidence()
  for (const [name, secret] of Object.entries(secrets)) evidence.secret(name, secret)
  const github = await LocalGitHub.start({ hooks: ['127.0.0.0/8'], token: secrets['the token for GitHub'] })
  onTestFinished(() => github.close())
  const folder = project({ secrets: `${newSecret}\n${oldSecret} \n` }) // the space is a mistake that the log explains
  const settings = [careless, '--secret-file', 'secrets', '--log-level', 'debug', '--api-url', github.url]
  const serve = (token: string) =>
    new ServedProcess(folder, settings, { HOOKSERVER_ADMIN_TOKEN: adminToken, GITHUB_TOKEN: token })

  const first = serve(secrets['a token that GitHub refuses'])
  await receive(evidence, first)
  await first.line('GitHub refused the token')
  await operate(evidence, await first.adminUrl())
  await command(evidence, first, folder, github.url)
  expect((await evidence.ask(await first.url(), delivery('fork', { guid: 'crash' }))).status).toBe(202)
  expect(await first.ended).toBe(1)
  keepFiles(evidence, folder, 'after the crash')

  const second = serve(secrets['the token for GitHub'])
  expect((await evidence.ask(await second.url(), delivery('push'))).status).toBe(202)
  await settled(evidence, await second.adminUrl())
  await operate(evidence, await second.adminUrl())
  second.child.kill('SIGTERM')
  expect(await second.ended).toBe(0)

  evidence.keep('what the first process printed', first.output)
  evidence.keep('what the second process printed', second.output)
  keepFiles(evidence, folder, 'at the end')
  await keepDeliveries(evidence, join(folder, 'hookserver.db'))
  expect(evidence.findings()).toEqual([])
})

/** Deliveries of all kinds, right and wrong; what is refused is explained in the log. */
async function receive(evidence: Evidence, served: ServedProcess): Promise<void> {
  const url = await served.url()
  const status = async (asked: Asked, to = url) => (await evidence.ask(to, asked)).status
  expect(await status(delivery('push'), `${url}?key=${secrets['the key in the address']}`)).toBe(202)
  expect(await status(delivery('push', { form: true }))).toBe(202)
  expect(await status(delivery('push', { secret: `${oldSecret} `, algorithms: ['sha1'] }))).toBe(202)
  expect(await status(delivery('push', { payload: 'this is no JSON' }))).toBe(202)
  expect(await status(delivery('issues.opened', { guid: 'fails' }))).toBe(202)
  expect(await status(delivery('push', { secret: undefined as never }))).toBe(400)
  expect(await status(delivery('push', { headers: { 'content-type': 'text/plain' } }))).toBe(415)
  expect(await status(delivery('push', { headers: { 'content-length': String(30 * 2 ** 20) } }))).toBe(413)
  expect(await status(delivery('push', { headers: { 'x-hub-signature-256': newSecret } }))).toBe(400)

  const pretty = { ...delivery('push'), body: JSON.stringify(sample('push'), null, 2) }
  const wrong: Record<string, Asked> = {
    're-serialised the body': pretty,
    'begins or ends with white space': delivery('push', { secret: oldSecret }),
    'fits no secret that is configured': delivery('push', { secret: 'a secret of somebody else' }),
  }
  for (const [reason, asked] of Object.entries(wrong)) {
    // One refusal a second is told: it is sent until it is that one.
    const told = async () => [await status(asked), served.output.includes(reason)]
    await expect.poll(told, { timeout: 10_000, interval: 200 }).toEqual([400, true])
  }
}

/** Logins, every GET that there is, and acts, right and wrong. */
async function operate(evidence: Evidence, admin: string): Promise<void> {
  const authorized = { authorization: `Bearer ${adminToken}` }
  const json = { 'content-type': 'application/json' }
  const post = (path: string, body: object, headers = {}) =>
    evidence.ask(`${admin}${path}`, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) })

  expect((await post('/api/session', { token: wrongToken })).status).toBe(401)
  const { status, cookie } = await post('/api/session', { token: adminToken })
  expect([status, cookie]).toEqual([204, expect.stringMatching(/^hookserver-\d+=\d+\..{40,}$/)])
  expect((await evidence.ask(`${admin}/api/stats`, { headers: { cookie } })).status).toBe(200)
  expect((await post('/api/pause', {}, { cookie })).status).toBe(403)
  expect(
    (await evidence.ask(`${admin}/api/stats`, { headers: { authorization: `Bearer ${wrongToken}` } })).status,
  ).toBe(401)

  const { paths } = JSON.parse((await evidence.ask(`${admin}/api/openapi.json`, { headers: authorized })).text)
  const { deliveries } = JSON.parse((await evidence.ask(`${admin}/api/deliveries`, { headers: authorized })).text)
  const readable = Object.keys(paths).filter((path) => 'get' in paths[path])
  expect(readable.length).toBeGreaterThan(6)
  for (const path of [...readable, '/healthz', '/readyz', '/metrics']) {
    for (const id of path.includes('{id}') ? deliveries.map((one: { id: number }) => one.id) : ['']) {
      const filled = path.replace('{id}', id).replace('{name}', 'push')
      expect([filled, (await evidence.ask(`${admin}${filled}`, { headers: authorized })).status]).toEqual([filled, 200])
    }
  }
  for (const path of ['/api/deliveries', '/api/nothing', '/'] as const) {
    const { status } = await evidence.ask(`${admin}${path}?token=${encodeURIComponent(adminToken)}`, {
      headers: authorized,
    })
    expect(status).toBeGreaterThanOrEqual(400)
  }
  for (const [path, body] of [
    ['/api/pause', { handler: 'hook:push' }],
    ['/api/resume', { handler: 'hook:push' }],
    ['/api/deliveries/retry', { query: { event: 'issues' } }],
    ['/api/deliveries/discard', { query: { event: 'star' }, reason: 'not needed' }],
  ] as const) {
    expect([path, (await post(path, body, authorized)).status]).toEqual([path, 200])
  }
  await settled(evidence, admin)
}

/** Resolves once nothing is left to do. */
async function settled(evidence: Evidence, admin: string): Promise<void> {
  const headers = { authorization: `Bearer ${adminToken}` }
  const left = async () => {
    const { states } = JSON.parse((await evidence.ask(`${admin}/api/stats`, { headers })).text)
    return states.pending + states.running + states.waiting
  }
  await expect.poll(left, { timeout: 20_000 }).toBe(0)
}

/** The command line against the server, with what is right, wrong, and mistyped. */
async function command(evidence: Evidence, served: ServedProcess, folder: string, apiUrl: string): Promise<void> {
  const [to, admin] = [await served.url(), await served.adminUrl()]
  const database = join(folder, 'hookserver.db')
  const secretFile = join(folder, 'secrets')
  const far = { HOOKSERVER_ADMIN_URL: admin, HOOKSERVER_ADMIN_TOKEN: adminToken }
  const signing = { GITHUB_WEBHOOKS_KEY: newSecret }
  const github = { GITHUB_TOKEN: secrets['the token for GitHub'] }
  const refused = { GITHUB_TOKEN: secrets['a token that GitHub refuses'] }
  const doctor = [
    'doctor',
    careless,
    '--secret-file',
    secretFile,
    '--port',
    '0',
    '--admin-port',
    '0',
    '--api-url',
    apiUrl,
  ]
  const runs: [code: number, args: string[], env?: Record<string, string>][] = [
    [0, ['send', 'push', '--to', to], signing],
    [0, ['send', 'push', '--to', to, '--secret', newSecret, '--count', '3', '--json']],
    [0, ['send', 'push', '--to', to, '--tamper'], signing],
    [1, ['send', 'push', '--to', to, '--secret', 'a secret of somebody else']],
    [1, ['send', 'push', '--to', 'http://127.0.0.1:9/hooks'], signing],
    [2, ['send', 'push', '--to', to, `--secrets=${newSecret}`]],
    [2, ['send', 'push', '--to', to, '--secret', ...newSecret.split(' ')]],
    [0, ['deliveries', 'list'], far],
    [0, ['deliveries', 'list', '--json', '--database', database], { ...signing, ...far }],
    [0, ['deliveries', 'show', '1'], far],
    [0, ['deliveries', 'show', '1', '--json', '--admin-url', admin, '--admin-token', adminToken]],
    [1, ['deliveries', 'list', '--admin-url', admin, '--admin-token', wrongToken], far],
    [2, ['deliveries', 'list', '--admin-url', admin, '--admin-token', `${adminToken} and more`]],
    [2, ['deliveries', 'list', '--admin-url', admin, `--admin-tokn=${adminToken}`]],
    [2, ['deliveries', 'list', '--admin-url', admin, '--admin-tokn', adminToken]],
    [
      2,
      ['deliveries', 'list', '--admin-url', admin.replace('://', `://me:${secrets['the password of a proxy']}@`)],
      far,
    ],
    [2, ['serve', careless, '--admin-token', adminToken.slice(0, 8), adminToken]],
    [0, [...doctor, '--database', database], github],
    [0, [...doctor, '--database', database, '--json'], { ...refused, ...far }],
    [2, [...doctor, `--secret=${newSecret}`]],
    [0, ['ranges', '--api-url', apiUrl], github],
    [0, ['ranges', '127.0.0.1', '--api-url', apiUrl], refused],
  ]
  for (const [code, args, env] of runs) {
    const ended = await hookserver(args, env)
    const called = args.slice(0, 2).join(' ')
    expect([args, ended.code, ended.stderr]).toEqual([args, code, ended.stderr])
    evidence.keep(`what ${called} printed`, ended.stdout + ended.stderr)
  }
}

/** What is on the disk, but for the file that holds the secrets. */
function keepFiles(evidence: Evidence, folder: string, when: string): void {
  const names = readdirSync(folder).filter((name) => name !== 'secrets')
  expect(names).toContain('hookserver.db')
  for (const name of names) evidence.keep(`${name} ${when}`, readFileSync(join(folder, name)))
}

/** What is compressed in the database. */
async function keepDeliveries(evidence: Evidence, file: string): Promise<void> {
  const inbox = openInbox(file)
  const { deliveries } = await inbox.list({ limit: 500 })
  const events = new Set(deliveries.map(({ event, state }) => `${event} ${state}`))
  expect([...events].toSorted()).toEqual(['fork dead', 'issues dead', 'push dead', 'push done'])
  for (const { id } of deliveries) {
    evidence.keep(`delivery ${id}`, JSON.stringify(await detailIn(inbox, id)))
    evidence.keep(`the body of ${id}`, (await inbox.body(id)) as Uint8Array)
  }
  const refusals = await inbox.refusals()
  expect(refusals.latest.length).toBeGreaterThan(5)
  evidence.keep('the refusals', JSON.stringify(refusals))
}
