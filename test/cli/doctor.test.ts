import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sqlite } from '../../src/sqlite/index.ts'
import { LocalGitHub } from '../../src/testing/index.ts'
import { main } from '../build.ts'
import { storeIn } from '../inbox/stores.ts'
import { project } from '../server/service.ts'
import { runDoctor, secret } from './run-doctor.ts'

const hooksModule = `
  import { Hooks } from 'hookserver'
  const hooks = new Hooks()
  hooks.hook('push', () => {})
  export default hooks`

test('a good project passes: secret, module, database, ports, GitHub and clock', async () => {
  const { code, findings, output } = await runDoctor(project({ 'hooks.ts': hooksModule }), ['hooks.ts'])
  expect(findings.map(({ what, state }) => [what, state])).toEqual(
    ['module', 'secret', 'database', 'port', 'admin port', 'GitHub', 'clock'].map((what) => [what, 'fine']),
  )
  expect(code).toBe(0)
  expect(output).not.toContain(secret)
})

test('shows an error that code of the module throws during the checks, and finishes them', async () => {
  const late = `
    const { fetch } = globalThis
    globalThis.fetch = (...request) => {
      globalThis.fetch = fetch
      setImmediate(() => { throw new Error('no database') })
      return fetch(...request)
    }`
  const folder = project({ 'hooks.ts': hooksModule + late })
  const ownProcess = { node: ['--enable-source-maps'] }
  const { code, of } = await runDoctor(folder, ['hooks.ts'], ownProcess)
  const failed = { state: 'failed', found: expect.stringMatching(/^Code that .*no database$/) }
  expect([code, of('module'), of('clock').length]).toMatchObject([1, [{ state: 'fine' }, failed], 1])
})

test.each([[['--dev', 'own.ts']], [['--dev', 'true', 'own.ts']], [['own.ts', '--dev']]])(
  'takes the module before and after a flag without a value: %j',
  async (args) => {
    const folder = project({ 'own.ts': "import { Hooks } from 'hookserver'; export default new Hooks()" })
    const { of } = await runDoctor(folder, args)
    expect(of('settings')).toEqual([])
    expect(of('module')).toMatchObject([{ found: 'own.ts has no handlers' }])
  },
)

test('checks the inbox of the module, unless a setting names another database', async () => {
  const source = `
    import { Hooks } from 'hookserver'
    import { sqlite } from 'hookserver/sqlite'
    export default new Hooks({ inbox: sqlite('own.db') })`
  const folder = project({ 'hooks.ts': source })
  const own = await runDoctor(folder, ['hooks.ts', '--max-size', '1GiB', '--database-migrate', 'true'])
  expect(own.of('database')).toMatchObject([
    { state: 'fine', found: 'the inbox of hooks.ts: 0 unfinished deliveries, 0 dead' },
  ])
  expect([own.of('settings'), own.code]).toEqual([[], 0])
  const other = await runDoctor(folder, ['hooks.ts', '--database', 'other.db'])
  expect(other.of('database')).toMatchObject([{ state: 'fine', found: expect.stringContaining('other.db will be') }])
})

describe('fails where the server would not start:', () => {
  const hooks = (lines: string, options = '') => `
    import { Hooks } from 'hookserver'
    const hooks = new Hooks({ ${options} })
    ${lines}
    export default hooks`
  const twice = "for (const _ of [1, 2]) hooks.on('push', () => {})"
  const schedule = "hooks.schedule('daily', '0 6 * * *', () => {})"
  test.each<[what: string, module: string, flags: string[], found: RegExp]>([
    ['two handlers of one name', hooks(twice), [], /Two handlers have the name "on:push"/],
    ['a command without credentials', hooks("hooks.command('/deploy', () => {})"), [], /needs credentials: set /],
    ['a schedule of another source', hooks(schedule, "sources: ['/hooks']"), [], /add 'schedule' to it/],
    ['an address of no framework', hooks('', "validateIp: 'warn', clientAddress: 'framework'"), [], /clientAddress/],
    ['two equal tokens', hooks(''), ['--admin-token', 't'.repeat(32), '--read-only-token', 't'.repeat(32)], /equals/],
    ['a login without an App', hooks(''), ['--admin-github-operators', 'acme'], /set GITHUB_CLIENT_ID and/],
    ['two listeners on one port', hooks(''), ['--port', '9000', '--admin-port', '9000'], /have the port 9000/],
  ])('%s', async (_what, module, flags, found) => {
    const { code, of } = await runDoctor(project({ 'hooks.ts': module }), ['hooks.ts', ...flags])
    expect(of('settings')).toMatchObject([{ state: 'failed', found: expect.stringMatching(found) }])
    expect(code).toBe(1)
  })

  test('a token that other users can read', async () => {
    const folder = project({ 'hooks.ts': hooks(''), token: 't'.repeat(32) })
    chmodSync(join(folder, 'token'), 0o666)
    const { code, of } = await runDoctor(folder, ['hooks.ts', '--admin-token-file', 'token'])
    expect([of('settings')[0]?.state, code]).toEqual(['failed', 1])
  })

  test('a file that cannot be created', async () => {
    const { code, of } = await runDoctor(project({ 'hooks.ts': hooks('') }), [
      'hooks.ts',
      '--database',
      '/proc/inbox.db',
    ])
    expect(of('database')).toMatchObject([
      {
        state: 'failed',
        found: expect.stringMatching(/^\/proc\/inbox\.db cannot be created: E[A-Z]+: [^,']+$/),
        cure: 'let this user create files in /proc, or name another file with --database',
      },
    ])
    expect(code).toBe(1)
  })
})

test('keeps the folder as it was', async () => {
  const folder = project({ 'hooks.ts': hooksModule })
  const before = readdirSync(folder)
  await runDoctor(folder, ['hooks.ts'])
  expect(readdirSync(folder)).toEqual(before)
})

test('warns about a variable whose name is almost that of a setting', async () => {
  const env = {
    HOOKSERVER_TRUSTPROXY: 'loopback',
    HOOKSERVER_SERVICE_HOST: '10.0.0.1',
    HOOKSERVER_PORT_8000_TCP: 'tcp',
  }
  const { of } = await runDoctor(project({ 'hooks.ts': hooksModule }), ['hooks.ts'], { env })
  expect(of('settings')).toEqual([
    {
      what: 'settings',
      state: 'warning',
      found: 'the environment variable HOOKSERVER_TRUSTPROXY has no effect',
      cure: 'if you mean HOOKSERVER_TRUST_PROXY, rename it',
    },
  ])
})

test('warns about a handler for an unknown event, unless the inbox has a delivery of it', async () => {
  const source = (inbox: string) => `
    import { Hooks } from 'hookserver'
    import { sqlite } from 'hookserver/sqlite'
    const hooks = new Hooks({ ${inbox} })
    for (const name of ['isues', 'next_year.created']) hooks.hook(name, () => {})
    export default hooks`
  for (const [inbox, database] of [
    ["inbox: sqlite('own.db')", 'own.db'],
    ['', 'hookserver.db'],
  ] as const) {
    const warningsIn = async (folder: string) => {
      const { of, output, code } = await runDoctor(folder, ['hooks.ts'])
      expect([code, output.match(/^(?!\{).+$/m)]).toEqual([0, null])
      return of('module').flatMap(({ state, found }) => (state === 'warning' ? [found] : []))
    }
    const about = (name: string) =>
      expect.stringMatching(new RegExp(`^hooks\\.ts:5:\\d+ has a handler for the unknown event "${name}"$`))
    expect(await warningsIn(project({ 'hooks.ts': source(inbox) }))).toEqual([
      about('isues'),
      about('next_year.created'),
    ])
    const folder = project({ 'hooks.ts': source(inbox) })
    const opened = sqlite(join(folder, database))
    await storeIn(opened, { action: 'created' }, { event: 'next_year' })
    await opened.close()
    expect(await warningsIn(folder)).toEqual([about('isues')])
  }
})

test('does not send GITHUB_TOKEN to an address other than api.github.com', async () => {
  const github = await LocalGitHub.start()
  onTestFinished(() => github.close())
  const { code } = await runDoctor(project(), [], { github, env: { GITHUB_TOKEN: 'for api.github.com' } })
  expect(code).toBe(0)
  expect(github.requests.length).toBeGreaterThan(0)
  expect(github.requests.map(({ headers }) => headers.authorization).filter(Boolean)).toEqual([])
})

test('a server that checks no signatures needs no secret', async () => {
  const args = ['--validate-signature', 'false']
  const { code, of } = await runDoctor(project(), args, { env: { GITHUB_WEBHOOKS_KEY: '' } })
  expect([code, of('secret')]).toEqual([0, []])
})

test('names --dev if there is no secret, and a server with --dev runs in the folder', async () => {
  const server = { pid: process.pid, url: 'http://127.0.0.1:8000/hooks' }
  const folder = project()
  mkdirSync(join(folder, '.hookserver'))
  writeFileSync(join(folder, '.hookserver/server.json'), JSON.stringify(server))
  const { of } = await runDoctor(folder, [], { env: { GITHUB_WEBHOOKS_KEY: '' } })
  expect(of('secret')).toMatchObject([
    { state: 'failed', cure: expect.stringMatching(/\. To check the running "serve --dev" instead, add --dev$/) },
  ])
})

test('a server that only runs handlers needs no secret', async () => {
  const args = ['hooks.ts', '--role', 'worker']
  const { code, of } = await runDoctor(project({ 'hooks.ts': hooksModule }), args, { env: { GITHUB_WEBHOOKS_KEY: '' } })
  expect([code, of('secret')]).toEqual([0, []])
})

test('does not check the secret and the port of a server that only pulls', async () => {
  const env = { GITHUB_WEBHOOKS_KEY: '', HOOKSERVER_GITHUB_TOKEN: 'token' }
  const github = await LocalGitHub.start({ token: 'token' })
  onTestFinished(() => github.close())
  github.addHook({ repository: 'acme/shop', url: 'https://hookserver.invalid/' })
  const { code, findings } = await runDoctor(project(), ['--pull', 'acme/shop'], { env, github })
  expect(findings.map(({ what, state }) => [what, state])).toEqual([
    ['module', 'warning'],
    ...['database', 'admin port', 'GitHub', 'clock', 'webhook'].map((what) => [what, 'fine']),
  ])
  expect(code).toBe(0)
})

test('warns if there is no module, unless the server only receives', async () => {
  const { of, code } = await runDoctor(project())
  expect(of('module')).toMatchObject([
    {
      state: 'warning',
      found: 'there is no hooks.ts, hooks.js or hooks.mjs in this folder, so the server handles no delivery',
    },
  ])
  expect(code).toBe(0)
  expect((await runDoctor(project(), ['--role', 'receiver'])).of('module')).toEqual([])
})

test('does not migrate a file of an older version', async () => {
  const folder = project()
  const db = new DatabaseSync(join(folder, 'hookserver.db'))
  onTestFinished(() => db.close())
  db.exec(readFileSync(new URL('../sqlite/version-1.sql', import.meta.url), 'utf8'))
  const { of, code } = await runDoctor(folder)
  expect(of('database')).toMatchObject([{ state: 'fine', found: expect.stringMatching(/will be migrated/) }])
  expect([code, db.prepare('pragma user_version').get()]).toMatchObject([0, { user_version: 1 }])
})

describe('finds', () => {
  test('a secret that is missing, blank or too short', async () => {
    const none = await runDoctor(project(), [], { env: { GITHUB_WEBHOOKS_KEY: '' } })
    expect(none.of('secret')).toMatchObject([{ state: 'failed', cure: expect.stringContaining('--secret-file') }])
    expect(none.code).toBe(1)
    const blank = await runDoctor(project({ secrets: ' \n' }), ['--secret-file', 'secrets'])
    expect(blank.of('secret')).toMatchObject([{ state: 'failed', found: expect.stringContaining('only white space') }])
    const short = await runDoctor(project(), [], { env: { GITHUB_WEBHOOKS_KEY: 'guess' } })
    expect(short.of('secret')).toMatchObject([{ state: 'warning', cure: expect.stringContaining('openssl') }])
    expect(short.code).toBe(0)
  })

  test('all invalid settings', async () => {
    const { of, code } = await runDoctor(project(), ['--role', 'both', '--retention', '30'])
    expect(of('settings').map(({ found }) => found.split(':', 1)[0])).toEqual(['--role', '--retention'])
    expect(code).toBe(1)
  })

  test.each<[args: string[], problems: RegExp[]]>([
    [['--max-size', '1GiB', '--database', 'postgres://127.0.0.1:9/hooks'], [/^--max-size: applies to an SQLite file/]],
    [
      ['--database-schema', 'shop', '--database-migrate', 'false'],
      [/^--database-schema: /, /^--database-migrate: /],
    ],
    [['--recover', 'acme/shop'], [/^--recover: .*set HOOKSERVER_GITHUB_TOKEN/]],
    [['--recover', 'acme/shop', '--role', 'receiver'], []],
    [
      ['--pull', 'acme/shop', '--role', 'receiver'],
      [/a receiver does not poll/, /^--pull: .*set HOOKSERVER_GITHUB_TOKEN/],
    ],
  ])('settings with which a server does not start: %j', async (args, problems) => {
    const { of, code } = await runDoctor(project(), args)
    const expected = problems.map((found) => ({ state: 'failed', found: expect.stringMatching(found) }))
    expect(of('settings')).toMatchObject(expected)
    expect(code).toBe(problems.length > 0 ? 1 : 0)
  })

  test('all invalid settings of a module', async () => {
    const config = `export const config = { role: 'both', retention: '30' }`
    const { of, code } = await runDoctor(project({ 'hooks.ts': `${hooksModule}\n${config}` }), ['hooks.ts'])
    expect(of('settings').map(({ found }) => found.split(' ', 1)[0])).toEqual(['config.role', 'config.retention'])
    expect([of('module'), code]).toEqual([[], 1])
  })

  test.each([
    ['exports no Hooks', 'export const a = 1', 'failed', /must export a Hooks/],
    ['cannot be imported', 'export default (', 'failed', /^Cannot import hooks\.ts: hooks\.ts:1:17: /],
    ['handles nothing', `import { Hooks } from 'hookserver'; export default new Hooks()`, 'warning', /has no handlers/],
  ])('a module that %s', async (_what, source, state, message) => {
    const { of } = await runDoctor(project({ 'hooks.ts': source }), ['hooks.ts'])
    expect(of('module')).toMatchObject([{ state, found: expect.stringMatching(message) }])
  })

  test('a directory as database, and a file that is not a database', async () => {
    const folder = project({ 'notes.txt': 'just text, and long enough to be no database at all'.repeat(10) })
    mkdirSync(join(folder, 'inbox'))
    for (const name of ['inbox', 'notes.txt']) {
      const { of, code } = await runDoctor(folder, ['--database', name])
      expect(of('database')).toMatchObject([
        { state: 'failed', found: expect.stringContaining('Cannot open the inbox') },
      ])
      expect(code).toBe(1)
    }
  })

  test('a file that has reached --max-size, and has no ended deliveries to delete', async () => {
    const folder = project()
    const inbox = sqlite(join(folder, 'hookserver.db'))
    await storeIn(inbox, { text: randomBytes(2 ** 20).toString('hex') })
    const check = async () => {
      const { of, code } = await runDoctor(folder, ['--max-size', '1MiB'])
      return { code, found: of('database') }
    }
    expect(await check()).toMatchObject({
      code: 1,
      found: [{ state: 'failed', found: expect.stringContaining('--max-size'), cure: expect.any(String) }],
    })
    await inbox.discard({ ids: [1] }, 'not needed')
    await inbox.close()
    expect(await check()).toMatchObject({ code: 0, found: [{ state: 'fine' }] })
  })

  test('a port that another program uses, but not one that a hookserver uses', async () => {
    const listening = async (text: string) => {
      const server = createServer((_request, response) => void response.end(text)).listen(0, '127.0.0.1')
      onTestFinished(() => void server.close())
      await once(server, 'listening')
      return String((server.address() as AddressInfo).port)
    }
    const [taken, running] = [await listening('another program'), await listening('ok')]
    const ports = ['--host', '127.0.0.1', '--port', taken, '--admin-port', running]
    const { of, code } = await runDoctor(project(), ports)
    expect(of('port')).toMatchObject([{ state: 'failed', found: expect.stringContaining(`port ${taken} is used`) }])
    expect(of('admin port')).toMatchObject([
      { state: 'fine', found: expect.stringContaining('in use by a running hookserver') },
    ])
    expect(code).toBe(1)
  })

  test('the address that --dev listens on, and one that --dev cannot have', async () => {
    const free = await runDoctor(project(), ['--dev'])
    expect(free.of('port')).toMatchObject([{ state: 'fine', found: '127.0.0.1 port 0 is free' }])
    const conflict = await runDoctor(project(), ['--dev', '--host', '0.0.0.0'])
    expect(conflict.of('settings')).toMatchObject([{ state: 'failed', found: expect.stringContaining('--dev') }])
    expect([free.code, conflict.code]).toEqual([0, 1])
  })

  test('a database whose folder does not exist, and does not create the folder', async () => {
    const folder = project()
    const { of, code } = await runDoctor(folder, ['--database', 'missing/hookserver.db'])
    const missing = join(realpathSync(folder), 'missing')
    expect(of('database')).toMatchObject([{ state: 'failed', cure: `create it: mkdir -p ${missing}` }])
    expect([code, existsSync(missing)]).toEqual([1, false])
  })

  test('an unreachable GitHub, and a token that GitHub rejects', async () => {
    const github = await LocalGitHub.start({ token: 'right' })
    const away = await runDoctor(project(), ['--api-url', 'http://127.0.0.1:9'])
    expect(away.of('GitHub')).toMatchObject([{ state: 'failed', cure: expect.stringContaining('reach it') }])
    const proxied = await runDoctor(project(), ['--api-url', 'http://127.0.0.1:9'], {
      env: { HTTPS_PROXY: 'http://p' },
    })
    expect(proxied.of('GitHub')).toMatchObject([{ cure: expect.stringContaining('NODE_USE_ENV_PROXY') }])
    const rejected = await runDoctor(project(), [], { github, env: { HOOKSERVER_GITHUB_TOKEN: 'wrong' } })
    expect(rejected.of('GitHub')).toMatchObject([
      { state: 'fine' },
      { state: 'warning', cure: expect.stringMatching(/renew/) },
    ])
    expect(rejected.output).not.toContain('wrong')
    await github.close()
  })

  test('a GitHub that fails while the clock is checked', async () => {
    const github = await LocalGitHub.start()
    onTestFinished(() => github.close())
    github.fail({ status: 200, body: { hooks: ['192.0.2.0/24'] } }, 'cut')
    const { of, code } = await runDoctor(project(), [], { github })
    expect(of('GitHub')).toMatchObject([
      { state: 'fine' },
      { state: 'failed', found: expect.stringMatching(/^cannot fetch/) },
    ])
    expect(code).toBe(1)
  })

  test.each([
    [['--dev'], 0, 'warning'],
    [['--validate-ip', 'false'], 0, 'warning'],
    [['--validate-ip', 'warn'], 0, 'warning'],
    [['--role', 'worker'], 0, 'warning'],
    [['--validate-ip', 'true'], 1, 'failed'],
    [['--dev', '--recover', 'acme/shop'], 1, 'failed'],
  ])('an unreachable GitHub with %j: exit code %i', async (args, exitCode, state) => {
    const env = { HOOKSERVER_GITHUB_TOKEN: 'token' }
    const { of, code } = await runDoctor(project(), [...args, '--api-url', 'http://127.0.0.1:9'], { env })
    expect([code, of('GitHub')]).toMatchObject([exitCode, [{ state }]])
  })

  test('an unreachable GitHub with --pull: nothing arrives until it is fixed', async () => {
    const env = { HOOKSERVER_GITHUB_TOKEN: 'token' }
    const args = ['--pull', 'acme/shop', '--api-url', 'http://127.0.0.1:9']
    const { of } = await runDoctor(project(), args, { env })
    expect(of('GitHub')).toMatchObject([{ state: 'failed', cure: expect.stringContaining('no delivery arrives') }])
  })

  test('a clock that is off', async () => {
    const github = await LocalGitHub.start()
    onTestFinished(() => github.close())
    const meta = { status: 200, body: { hooks: ['192.0.2.0/24'] } }
    for (const [seconds, message] of [
      [3600, /behind GitHub's/],
      [-3600, /ahead of GitHub's/],
    ] as const) {
      const date = new Date(Date.now() + seconds * 1000).toUTCString()
      github.fail(meta, { ...meta, headers: { date } })
      const { of, code } = await runDoctor(project(), [], { github })
      expect(of('clock')).toMatchObject([{ state: 'failed', found: expect.stringMatching(message) }])
      expect(code).toBe(1)
    }
  })

  test('an untrusted proxy, wrong signatures, and old secrets in use', async () => {
    const folder = project()
    const inbox = sqlite(join(folder, 'hookserver.db'))
    const common = { at: Date.now(), source: '/hooks', event: 'push', guid: 'g', headers: {} }
    const reason = "10.0.0.7 is a local address: if it is your proxy's, add trustProxy: ['10.0.0.7']"
    const fromProxy = { ...common, code: 'forbidden_origin', status: 403, reason, address: '10.0.0.7' }
    const wrong = { ...common, code: 'wrong_signature', status: 400, reason: undefined, address: undefined }
    const other = { ...fromProxy, address: '203.0.113.9', reason: undefined }
    await inbox.recordRejections([fromProxy, other, fromProxy, wrong, { ...wrong, at: 0 }])
    await storeIn(inbox, {}, { secretIndex: 1 })
    await storeIn(inbox)
    await inbox.close()
    const { of } = await runDoctor(folder)
    expect(of('proxy')).toMatchObject([{ state: 'failed', cure: expect.stringContaining('--trust-proxy 10.0.0.7') }])
    expect(of('proxy')[0]?.found).toMatch(/^2 requests /)
    expect(of('secret').map(({ state, found }) => `${state}: ${found}`)).toEqual([
      'fine: from the environment variable GITHUB_WEBHOOKS_KEY',
      'warning: 1 wrong signature in the last day',
      'warning: 1 of the last 2 deliveries were signed with an old secret',
    ])
    expect(of('database')).toMatchObject([
      { state: 'fine', found: expect.stringContaining('2 unfinished deliveries, 0 dead') },
    ])
    expect(of('worker')).toMatchObject([
      { state: 'warning', found: '2 unfinished deliveries and no process that runs handlers' },
    ])
  })
})

test('prints a line for each finding, and below it the fix', async () => {
  const { PATH = '', HOME = '' } = process.env
  const args = [main, 'doctor', '--port', '0', '--admin-port', '0', '--api-url', 'http://127.0.0.1:9']
  const child = spawn(process.execPath, args, { cwd: project(), env: { PATH, HOME } })
  let output = ''
  child.stdout.on('data', (data) => (output += data))
  const [code] = await once(child, 'close')
  expect(output).toMatch(/^✗ secret {5}no secret is set\n {13}→ put the secret/m)
  expect(output).not.toContain('\x1b')
  expect(code).toBe(1)
})

test('names the package that a database on PostgreSQL needs', async () => {
  const without = `import { registerHooks } from 'node:module'
    registerHooks({ resolve: (name, context, next) => next(name === 'pg' ? 'pg-is-not-installed' : name, context) })`
  const node = ['--import', `data:text/javascript,${encodeURIComponent(without)}`]
  const { of } = await runDoctor(project(), ['--database', 'postgres://localhost/hooks'], { node })
  expect(of('database')).toEqual([
    {
      ...{ what: 'database', state: 'failed', cure: 'npm install pg' },
      found: 'the package "pg", which a database on PostgreSQL needs, is not installed',
    },
  ])
})
