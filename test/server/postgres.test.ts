/** Runs `hookserver serve` with PostgreSQL, and the command line on the same database. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EventSource } from 'eventsource'
import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { signedRequest } from '../../src/samples/signed-request.ts'
import { LocalGitHub } from '../../src/testing/index.ts'
import { hookserver } from '../cli/command.ts'
import { runDoctor } from '../cli/run-doctor.ts'
import { databaseServer } from '../postgres/databases.ts'
import { anyOrigin, project, ServedProcess, secret, withSecret } from './service.ts'

const postgres = databaseServer()
const adminToken = 'a-token-for-the-operator'
const env = { ...withSecret, HOOKSERVER_ADMIN_TOKEN: adminToken }
const authorization = `Bearer ${adminToken}`

/** `push` succeeds. `issues` fails until the file `mended` exists. */
const working = `
  import { existsSync } from 'node:fs'
  import { Hooks } from 'hookserver'
  const hooks = new Hooks()
  hooks.hook('push', ({ ref }) => ref)
  hooks.hook('issues', { attempts: 1 }, () => {
    if (!existsSync('mended')) throw new Error('not mended')
    return 'mended'
  })
  export default hooks`

const deliver = (url: string, event: string, guid: string) => fetch(url, signedRequest(event, { secret, guid }))

async function api(served: ServedProcess, path: string, method = 'GET') {
  const response = await fetch(`${await served.adminUrl()}${path}`, { method, headers: { authorization } })
  return { status: response.status, text: await response.text() }
}

const states = async (served: ServedProcess) => JSON.parse((await api(served, '/api/v1/stats')).text).states
const reaches = (served: ServedProcess, expected: Record<string, number>) =>
  expect.poll(() => states(served)).toMatchObject(expected)

describe('a server', () => {
  test('receives and handles deliveries, and the API and the command line operate them', async () => {
    const url = await postgres.create()
    const folder = project({ 'hooks.ts': working })
    const served = new ServedProcess(folder, ['hooks.ts', '--database', url, ...anyOrigin], env)
    const to = await served.url()
    expect((await served.line('Receiving')).database).toBe(url.replace(':secret@', '@'))

    const source = new EventSource(`${await served.adminUrl()}/api/v1/stream`, {
      fetch: (address, init) => fetch(address, { ...init, headers: { ...init.headers, authorization } }),
    })
    onTestFinished(() => source.close())
    const told: string[] = []
    source.addEventListener('delivery', ({ data }) => told.push(JSON.parse(data).state))
    await new Promise((resolve) => source.addEventListener('ready', resolve))

    const run = (...args: string[]) => hookserver([...args, '--database', url])
    const sent = await hookserver(['send', 'push', '--to', to, '--count', '2'], withSecret)
    expect([sent.code, sent.stdout]).toEqual([0, expect.stringContaining('2')])
    expect((await deliver(to, 'issues.opened', 'fails')).status).toBe(202)
    expect((await deliver(to, 'issues.opened', 'fails')).status).toBeLessThan(300)
    expect((await deliver(to, 'star.created', 'unhandled')).status).toBe(202)
    await reaches(served, { done: 2, dead: 1, ignored: 1, pending: 0, running: 0 })
    await expect.poll(() => told).toEqual(expect.arrayContaining(['done', 'dead', 'ignored']))

    const listed = await run('deliveries', 'list', 'state:dead', '--json')
    const { id } = JSON.parse(listed.stdout)
    expect((await run('deliveries', 'show', String(id))).stdout).toContain('not mended')
    writeFileSync(join(folder, 'mended'), '')
    expect(await run('deliveries', 'retry', String(id))).toMatchObject({ code: 0 })
    await reaches(served, { done: 3, dead: 0 })

    expect((await run('handlers', 'pause', '--all')).stdout).toContain('Paused now: all handlers')
    await deliver(to, 'push', 'waits')
    expect(await run('deliveries', 'discard', '--query', 'event:push state:pending', '--yes')).toMatchObject({
      code: 0,
    })
    await reaches(served, { done: 3, discarded: 1, pending: 0 })
    expect((await run('handlers', 'resume', '--all')).stdout).toContain('No handler is paused now.')

    expect((await api(served, '/readyz')).text).toBe('ready')
    const { text } = await api(served, '/metrics')
    expect(text).toMatch(/^hookserver_inbox_deliveries\{state="done"\} 3$/m)
    expect(text).toMatch(/^hookserver_inbox_bytes [1-9]/m)
    expect(text).not.toMatch(/^hookserver_inbox_limit_bytes /m)
    served.child.kill('SIGTERM')
    expect(await served.ended).toBe(0)
    expect(served.output).not.toContain(':secret@')
  })

  test('may be split into a receiver and a worker that share a database', async () => {
    const database = ['--database', await postgres.create(), '--database-schema', 'webhooks']
    const receiver = new ServedProcess(project(), ['--role', 'receiver', ...database, ...anyOrigin], env)
    const to = await receiver.url()
    const elsewhere = project({ 'hooks.ts': working })
    const worker = new ServedProcess(elsewhere, ['hooks.ts', '--role', 'worker', ...database], env)
    await worker.line('Running handlers')
    const guids = Array.from({ length: 20 }, (_, index) => `one of many ${index}`)
    const answers = await Promise.all(guids.map((guid) => deliver(to, 'push', guid)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
    await reaches(receiver, { done: 20, pending: 0 })
    const { text } = await api(worker, '/metrics')
    expect(text).toMatch(/^hookserver_attempt_duration_seconds_count\{handler="hook:push",outcome="succeeded"\} 20$/m)
    const processes = (await hookserver(['processes', '--json', ...database])).stdout
    expect(processes).toMatch(/"role":"receiver"/)
    expect(processes).toMatch(/"role":"worker"/)
    expect((await hookserver(['deliveries', 'list', '--json', ...database])).stdout.match(/\n/g)).toHaveLength(20)
  })

  test('starts as docs/guides/scaling.md says, and recovers missed deliveries', async () => {
    const token = 'github_pat_invalid'
    const github = await LocalGitHub.start({ token })
    onTestFinished(() => github.close())
    const hook = github.addHook({ repository: 'acme/shop', url: 'http://127.0.0.1:9/', secret })
    const files = project({ secret, database: await postgres.create(), token: adminToken })
    const page = readFileSync('docs/guides/scaling.md', 'utf8')
    const commands = [...page.matchAll(/(?<=^npx hookserver ).*?[^\\](?=\n)/gms)].map(([command]) => {
      const args = command.replaceAll('/etc/hookserver', files).replace('acme/shop#7', `acme/shop#${hook.id}`)
      return args.split(/[\s\\]+/)
    })
    const argsOf = (...first: string[]) => commands.find((args) => first.every((word) => args.includes(word))) ?? []
    expect(await hookserver(argsOf('migrate'))).toMatchObject({ code: 0 })
    await github.deliver('push')
    const [, ...receiving] = argsOf('serve', 'receiver')
    const receiver = new ServedProcess(project(), [...receiving, ...anyOrigin])
    hook.url = await receiver.url()
    const [, ...handling] = argsOf('serve', 'worker')
    const [, name = ''] = /`(\w+)=github_pat_/.exec(page) ?? []
    const worker = new ServedProcess(project({ 'hooks.ts': working }), [...handling, '--api-url', github.url], {
      [name]: token,
    })
    await worker.line('Running handlers')
    await reaches(receiver, { done: 1 })
  })

  test('needs only permissions to read and write, once the tables exist', async () => {
    const url = await postgres.create()
    expect((await hookserver(['migrate', '--database', url])).code).toBe(0)
    const owner = new pg.Client(url)
    await owner.connect()
    onTestFinished(() => owner.end())
    const page = readFileSync('docs/postgres.md', 'utf8')
    const [grants = ''] = /(?<=hooks_owner@\S+ <<'SQL'\n).*?(?=^SQL$)/ms.exec(page) ?? []
    expect(grants).toContain('grant ')
    await owner.query(`create role hooks login password 'secret'; ${grants}`)
    onTestFinished(async () => void (await owner.query('drop owned by hooks; drop role hooks')))
    const database = ['--database', url.replace('hookserver:', 'hooks:'), '--database-migrate', 'false']
    const served = new ServedProcess(project({ 'hooks.ts': working }), ['hooks.ts', ...database, ...anyOrigin], env)
    expect((await deliver(await served.url(), 'push', 'one')).status).toBe(202)
    expect((await deliver(await served.url(), 'issues.opened', 'fails')).status).toBe(202)
    await reaches(served, { done: 1, dead: 1 })
    const { of } = await runDoctor(project(), database)
    expect(of('database')).toMatchObject([{ state: 'fine', found: expect.stringContaining('1 dead') }])
    served.child.kill('SIGTERM')
    expect(await served.ended).toBe(0)
  })

  test('reports that the database is down, and continues when it is back', async () => {
    const { server } = postgres
    const folder = project({ 'hooks.ts': working })
    const served = new ServedProcess(folder, ['hooks.ts', '--database', await postgres.create(), ...anyOrigin], env)
    const to = await served.url()
    expect((await deliver(to, 'push', 'before')).status).toBe(202)
    await reaches(served, { done: 1 })
    await server.crash()
    const rejected = await deliver(to, 'push', 'during')
    expect([rejected.status, await rejected.json()]).toMatchObject([503, { code: 'inbox_unavailable' }])
    for (const [path, status] of [
      ['/readyz', 503],
      ['/healthz', 200],
      ['/api/v1/stats', 503],
      ['/metrics', 200],
    ] as const) {
      expect([path, (await api(served, path)).status]).toEqual([path, status])
    }
    await server.start()
    await expect.poll(async () => (await deliver(to, 'push', 'during')).status).toBe(202)
    await expect.poll(async () => (await api(served, '/readyz')).status).toBe(200)
    await reaches(served, { done: 2, pending: 0, running: 0 })
  })

  test('is not ready while no delivery can be inserted', async () => {
    const database = await postgres.create()
    const served = new ServedProcess(project(), ['--database', database, ...anyOrigin], env)
    const to = await served.url()
    const becomes = (status: number) => expect.poll(async () => (await api(served, '/readyz')).status).toBe(status)
    await becomes(200)
    const client = new pg.Client(database)
    await client.connect()
    onTestFinished(() => client.end())
    await client.query('alter table hookserver.contents rename to contents_away')
    await becomes(503) // at first perhaps because the worker fails, while the result of a successful check is reused
    await expect.poll(async () => (await api(served, '/readyz')).text).toContain('The inbox cannot store deliveries')
    expect(await served.line('Not ready: The inbox cannot store deliveries')).toMatchObject({
      err: { message: expect.stringContaining('contents') },
    })
    await client.query('alter table hookserver.contents_away rename to contents')
    await becomes(200)

    await client.query(`
      create function fails() returns trigger language plpgsql as $$ begin raise 'no forks'; end $$;
      create trigger fails before insert on hookserver.deliveries
        for each row when (new.event = 'fork') execute function fails()`)
    expect([(await deliver(to, 'fork', 'a')).status, (await api(served, '/readyz')).status]).toEqual([503, 503])
    expect([(await deliver(to, 'push', 'b')).status, (await api(served, '/readyz')).status]).toEqual([202, 200])
  })

  test('waits for a database that starts later', async () => {
    const { server } = postgres
    const database = await postgres.create()
    await server.crash()
    const folder = project({ 'hooks.ts': working })
    const served = new ServedProcess(folder, ['hooks.ts', '--database', database, ...anyOrigin], env)
    const to = await served.url()
    const failure = await served.line('Cannot use PostgreSQL yet')
    expect(failure.msg).toMatch(
      /: connect ECONNREFUSED .*: start PostgreSQL.*\. The server tries again every 2 s\. Until then, it answers 503/,
    )
    expect(failure.err).toBeUndefined()
    expect([(await api(served, '/readyz')).status, (await deliver(to, 'push', 'early')).status]).toEqual([503, 503])
    await server.start()
    await expect.poll(async () => (await deliver(to, 'push', 'early')).status).toBe(202)
    await served.line('Connected to PostgreSQL')
    await expect.poll(async () => (await api(served, '/readyz')).status).toBe(200)
    await reaches(served, { done: 1 })
    expect(served.output).not.toContain('The inbox failed')
  })
})

describe('the token', () => {
  const started = async (more: Record<string, string> = {}) => {
    const folder = project()
    const args = ['--database', await postgres.create(), ...anyOrigin]
    const served = new ServedProcess(folder, args, { ...withSecret, ...more })
    return { folder, told: (await served.line('Admin listener')).tokenFrom as string, served }
  }

  test('is generated in the current folder, in a file that only its owner can read', async () => {
    const { folder, told, served } = await started()
    const file = join(folder, told)
    expect([told, statSync(file).mode & 0o777]).toEqual(['.hookserver/token', 0o600])
    expect(served.output).not.toContain(readFileSync(file, 'utf8').trim())
  })

  test('is in the state directory of a systemd service', async () => {
    const state = project()
    const { folder, told } = await started({ STATE_DIRECTORY: `${state}:/elsewhere` })
    expect([told, existsSync(told)]).toEqual([join(state, 'hookserver.token'), true])
    expect(existsSync(join(folder, '.hookserver'))).toBe(false)
  })

  test('that cannot be stored is an error that names the fix', async () => {
    const folder = project({ '.hookserver': 'a file' })
    const served = new ServedProcess(folder, ['--database', 'postgres://127.0.0.1:9/hooks'], withSecret)
    expect(await served.ended).toBe(1)
    expect(served.output).toMatch(/Cannot use the file of the admin token: .*HOOKSERVER_ADMIN_TOKEN/)
  })
})

describe('a server does not start', () => {
  async function rejection(args: readonly string[], more: Record<string, string> = {}): Promise<string> {
    const served = new ServedProcess(project(), args, { ...env, ...more })
    return `${await served.ended}: ${served.output}`
  }
  const changed = (change: Partial<URL>) => Object.assign(new URL(postgres.server.url), change).href

  test.each<[what: string, change: Partial<URL>, message: RegExp]>([
    ['with a wrong password', { password: 'wrong' }, /password authentication failed .*: correct the user or password/],
    [
      'with a database that does not exist',
      { pathname: '/nothing' },
      /"nothing" does not exist: create the database with createdb/,
    ],
  ])('%s', async (_what, change, message) => {
    const said = await rejection(['--database', changed(change)])
    expect(said).toMatch(/^1: hookserver: postgres:\/\/hookserver@/)
    expect(said).toMatch(message)
    expect(said).not.toMatch(/secret@|wrong@/)
  })

  test('without tables, if it may not create them', async () => {
    const database = ['--database', await postgres.create()]
    expect(await rejection([...database, '--database-migrate', 'false'])).toMatch(/^1: .*hookserver migrate/)
    const migrated = await hookserver(['migrate', ...database])
    expect(migrated).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/ was migrated in \d+ steps?\.\n$/),
    })
    expect((await hookserver(['migrate', ...database])).stdout).toMatch(/ is up to date\.\n$/)
    const served = new ServedProcess(project(), [...database, '--database-migrate', 'false', ...anyOrigin], env)
    await served.url()
  })

  test.each([
    [
      'for SQLite only',
      ['--database', 'postgres://127.0.0.1/hooks', '--max-size', '1GiB'],
      /^2: .*--max-size: applies to an SQLite file only/,
    ],
    ['that only PostgreSQL has', ['--database-schema', 'hooks'], /^2: .*--database-schema: applies to PostgreSQL only/],
  ])('with a setting %s', async (_what, args, message) => {
    expect(await rejection(args)).toMatch(message)
  })

  test('without the packages for PostgreSQL', async () => {
    const without = new URL('../postgres/without-pg.ts', import.meta.url).href
    expect(
      await rejection(['--database', 'postgres://127.0.0.1/hooks'], { NODE_OPTIONS: `--import ${without}` }),
    ).toContain('1: hookserver: An inbox on PostgreSQL needs the package "pg": run npm install pg\n')
  })
})
