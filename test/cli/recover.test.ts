import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { lastSweep } from '../../src/github/recovery/recovery.ts'
import { main } from '../build.ts'
import { Scene } from '../github/recovery-scene.ts'
import { eventually } from '../inbox/stores.ts'
import { token as adminToken, openAdmin } from '../server/administered.ts'
import { project } from '../server/service.ts'
import { type Ended, hasTerminals, hookserver, onTerminal } from './command.ts'

const githubToken = 'github_pat_that_must_stay_secret'

/** A receiver that missed deliveries (default: two pushes and a star), and the command line on its database. */
async function missed(...names: ('push' | 'star.created')[]) {
  const scene = await Scene.open()
  scene.github.addToken({ token: githubToken })
  await scene.stopListening()
  const events = names.length > 0 ? names : (['push', 'star.created', 'push'] as const)
  const guids: string[] = []
  for (const event of events) guids.push((await scene.github.deliver(event, payload))[0]?.guid ?? '')
  await scene.startListening()
  const hook = `acme/shop#${scene.hook.id}`
  const env = { HOOKSERVER_GITHUB_TOKEN: githubToken }
  const args = (...more: string[]) => ['recover', '--api-url', scene.github.url, '--pace', '1ms', ...more]
  const run = async (...more: string[]): Promise<Ended> => {
    const ended = await hookserver([...args('--database', scene.file), ...more], env)
    expect(ended.stdout + ended.stderr).not.toContain(githubToken)
    return ended
  }
  const posts = () => scene.github.requests.filter(({ method }) => method === 'POST').length
  return { scene, hook, guids, env, args, run, posts }
}

const payload = { action: 'created', repository: { id: 1, full_name: 'acme/shop', private: false } }

/** The rows of the table with `title` as its first column. Each row maps the titles of the columns to its cells. */
function rowsUnder(title: string, { stdout }: Pick<Ended, 'stdout'>): Record<string, string>[] {
  const lines = stdout.split('\n')
  const start = lines.findIndex((line) => line.startsWith(title))
  const [titles = [], ...rows] = lines.slice(start, lines.indexOf('', start)).map((line) => line.split(/ {2,}/))
  return rows.map((cells) => Object.fromEntries(titles.map((name, index) => [name, cells[index] ?? ''])))
}

test('a sweep leaves no report for metrics and warnings, because no later sweep would replace it', async () => {
  const { scene, hook, run } = await missed('push')
  scene.github.failAt(/^GET/, { status: 404 })
  expect((await run(hook)).code).toBe(1)
  expect((await run(hook)).code).toBe(0)
  expect([await lastSweep(scene.inbox), (await scene.inbox.missedDeliveries()).length]).toEqual([undefined, 1])
})

describe('a dry run', () => {
  test('lists the missed deliveries, and changes nothing', async () => {
    const { scene, hook, guids, run, posts } = await missed()
    const ended = await run(hook, '--dry-run')
    expect([ended.code, ended.stderr]).toEqual([0, ''])
    const common = { HOOK: hook, 'GITHUB SAYS': 'connection refused', HERE: 'missed', 'KEPT FOR': '2d' }
    expect(rowsUnder('AGE', ended)).toEqual(
      ['push', 'star.created', 'push'].map((event, index) => ({
        ...{ AGE: expect.stringMatching(/^\d+s$/), EVENT: index === 1 ? event : 'push.created', ...common },
        GUID: guids[guids.length - 1 - index],
      })),
    )
    expect(rowsUnder('HOOK', ended)).toMatchObject([{ HOOK: hook, SENT: '3', MISSED: '3', REQUESTED: '0', CALLS: '1' }])
    expect([posts(), await scene.inbox.missedDeliveries()]).toEqual([0, []])
    expect((await scene.inbox.auditEntries({})).entries).toEqual([])
  })

  test('prints one object with --json', async () => {
    const { guids, hook, run } = await missed()
    const { stdout } = await run(hook, '--dry-run', '--json', '--events', 'star')
    expect(JSON.parse(stdout)).toMatchObject({
      reports: [{ sent: 3, unhandled: 2, counts: { missed: 1 } }],
      missedDeliveries: [{ guid: guids[1], event: 'star', action: 'created', state: 'missed' }],
    })
  })

  test.runIf(hasTerminals)('shows progress on a terminal, and fits its width', async () => {
    const { scene, hook, env, args } = await missed()
    const command = args(hook, '--database', scene.file, '--dry-run')
    const { stdout } = await onTerminal(command, { columns: 80, env: { ...env, NO_COLOR: '1' } })
    expect(stdout).toMatch(/Sweeping, \d+ s: 0 missed, 0 requested, 0 received/)
    const lines = (stdout.split('\x1b[K').at(-1) ?? '').split(/\r?\n/)
    expect(lines.length).toBeGreaterThan(6)
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80)
  })
})

test('recovers missed deliveries, once', async () => {
  const { scene, guids, hook, run, posts } = await missed('push', 'push')
  const ended = await run(hook)
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  expect(rowsUnder('AGE', ended).map(({ HERE }) => HERE)).toEqual(['requested', 'requested'])
  await scene.github.idle()
  await scene.allHandled()
  expect([...scene.handled].toSorted()).toEqual(guids.map((guid) => [guid, 1]).toSorted())
  const again = await run(hook)
  expect(again.stdout).toMatch(/^HOOK /) // no table of missed deliveries comes first
  expect(rowsUnder('HOOK', again)).toMatchObject([
    { SENT: '2', MISSED: '0', REQUESTED: '0', RECEIVED: '2', CALLS: '1' },
  ])
  expect(posts()).toBe(2)
  const { entries } = await scene.inbox.auditEntries({})
  const sweep = { action: 'recover', access: 'command line', target: { webhooks: [hook] }, count: 2 }
  expect(entries).toMatchObject([{ ...sweep, count: 0 }, sweep])
})

test('looks as far back as --lookback, also before the last sweep, and pulls deliveries that GitHub shows as delivered', async () => {
  const { scene, hook, run, posts } = await missed('push')
  const deliveredAt = Date.now() + 3_600_000
  scene.github.record(scene.hook, [{ event: 'push', deliveredAt }])
  expect(rowsUnder('HOOK', await run(hook, '--lookback', '1ms', '--dry-run'))).toMatchObject([{ SENT: '1' }])
  expect(rowsUnder('HOOK', await run(hook, '--events', 'star'))).toMatchObject([{ SENT: '2', UNHANDLED: '2' }])
  const ended = await run(hook, '--mode', 'pull', '--include-ok')
  expect(rowsUnder('HOOK', ended)).toMatchObject([{ SENT: '2', RECEIVED: '2', UNRECORDED: '0', CALLS: '3' }])
  expect(posts()).toBe(0)
  const { deliveries } = await scene.inbox.list({})
  expect(deliveries.map(({ pulled }) => pulled)).toEqual([true, true])
})

test('finds several webhooks by the address that they deliver to', async () => {
  const { scene, hook, run } = await missed()
  const till = scene.addHook('acme/till')
  const ended = await run('acme/shop', 'acme/till', '--public-url', scene.url, '--dry-run')
  expect(rowsUnder('HOOK', ended).map(({ HOOK }) => HOOK)).toEqual([hook, `acme/till#${till.id}`])
})

test('finds a webhook whose address ends with a slash', async () => {
  const { scene, hook, run } = await missed()
  scene.hook.url = `${scene.url}/`
  scene.addHook('acme/shop')
  const ended = await run('acme/shop', '--public-url', `${scene.url}/`, '--dry-run')
  expect(rowsUnder('HOOK', ended).map(({ HOOK }) => HOOK)).toEqual([hook])
})

test('without an address, takes the only webhook, or lists several', async () => {
  const { scene, hook, run } = await missed()
  expect(rowsUnder('HOOK', await run('acme/shop', '--dry-run')).map(({ HOOK }) => HOOK)).toEqual([hook])
  const other = scene.addHook('acme/shop')
  const listed = `hookserver: acme/shop: acme/shop has 2 webhooks. Choose one by its id: ${hook} (`
  const ended = await run('acme/shop', '--dry-run')
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining(listed), stdout: '' })
  expect(ended.stderr).toContain(`acme/shop#${other.id} (`)
})

test('shows no row for a webhook whose sweep failed immediately, only its error', async () => {
  const { scene, hook, run } = await missed('push')
  const ended = await run(hook, 'acme/other', '--public-url', scene.url, '--dry-run')
  expect(rowsUnder('HOOK', ended).map(({ HOOK }) => HOOK)).toEqual([hook])
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/^hookserver: acme\/other: .*\n$/) })
})

test('takes webhooks and handlers from a module', async () => {
  const { scene, hook, args, env, posts } = await missed()
  const folder = project({
    'hooks.ts': `
      import { Hooks } from 'hookserver'
      export const config = { recover: '${hook}', database: '${scene.file}' }
      export const hooks = new Hooks()
      hooks.on('star', { name: 'count' }, () => {})`,
  })
  const ended = await hookserver(args('--module', join(folder, 'hooks.ts'), '--dry-run'), {
    ...env,
    GITHUB_WEBHOOKS_KEY: 'a secret that is long enough',
  })
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  expect(rowsUnder('HOOK', ended)).toMatchObject([{ HOOK: hook, MISSED: '1', UNHANDLED: '2' }])
  expect(posts()).toBe(0)
})

test('stops at a signal, and continues at the next sweep', async () => {
  const { scene, hook, args, env, run } = await missed('push', 'push')
  const command = [main, ...args(hook, '--database', scene.file, '--pace', '1h')]
  const child = spawn(process.execPath, command, { env: { PATH: process.env.PATH, ...env } })
  onTestFinished(() => void child.kill('SIGKILL'))
  let stderr = ''
  child.stderr.on('data', (chunk) => (stderr += chunk))
  await eventually(async () => expect((await scene.inbox.overview()).missedDeliveries.requested).toBe(1))
  child.kill('SIGINT')
  const [code] = await once(child, 'close')
  expect([code, stderr]).toEqual([1, 'hookserver: The sweep was stopped before it was complete\n'])
  expect((await scene.inbox.overview()).missedDeliveries).toMatchObject({ requested: 1, missed: 1 })
  expect(await run(hook)).toMatchObject({ code: 0, stderr: '' })
  await scene.github.idle()
  await scene.allHandled()
  expect([...scene.handled.values()]).toEqual([1, 1])
})

describe('a remote server', () => {
  async function remoteServer() {
    const found = await missed('push')
    const admin = await openAdmin({ inbox: found.scene.inbox, recovery: found.scene.recovery() })
    const run = (...more: string[]) =>
      hookserver(['recover', '--server', `http://${admin.host}`, ...more], { HOOKSERVER_ADMIN_TOKEN: adminToken })
    return { ...found, run }
  }

  test('lists the missed deliveries, and recovers them', async () => {
    const { scene, hook, guids, run, posts } = await remoteServer()
    const dry = await run('--dry-run')
    expect([dry.code, dry.stderr, posts()]).toEqual([0, '', 0])
    expect(rowsUnder('AGE', dry)).toMatchObject([{ HOOK: hook, HERE: 'missed', GUID: guids[0] }])
    expect(rowsUnder('HOOK', await run())).toMatchObject([{ HOOK: hook, REQUESTED: '1' }])
    await scene.github.idle()
    await scene.allHandled()
    expect([...scene.handled]).toEqual([[guids[0], 1]])
  })

  test('rejects flags for the sweep', async () => {
    const { hook, run, posts } = await remoteServer()
    const { code, stderr } = await run(hook, '--mode', 'pull', '--module', 'hooks.ts')
    expect([code, stderr]).toEqual([2, expect.stringContaining('leave out the webhooks, --mode, --module')])
    expect(posts()).toBe(0)
  })

  test('reports a sweep that is already running', async () => {
    const { scene, run } = await remoteServer()
    await scene.inbox.lease('recovery', 'another process', 60_000)
    expect(await run()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('A recovery sweep is already running'),
    })
  })
})

describe('says what to do', () => {
  test.each([
    [['--dry-run'], /Name a webhook, such as acme\/shop#7/],
    [
      ['acme/shop/more'],
      /^hookserver: recover acme\/shop\/more: expected a comma-separated list .* got "acme\/shop\/more"/,
    ],
    [['acme', '--lookback', 'yesterday', '--pace', '1'], /--lookback: expected.*\n.*--pace: expected/],
    [['acme', '--mode', 'push'], /Allowed choices are redeliver, pull/],
    [['acme', '--server', 'http://127.0.0.1:9', '--database', 'a.db'], /cannot be used together/],
    [
      ['acme', '--github-token', 'two words'],
      /--github-token: expected printable ASCII characters without white space\n/,
    ],
  ])('for the invalid arguments %j', async (args, message) => {
    const { code, stdout, stderr } = await hookserver(['recover', ...args])
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(message)])
    expect(stderr).not.toContain('two words')
  })

  test('if there is no token, for github.com and other servers', async () => {
    const { scene } = await missed('push')
    const run = (...args: string[]) => hookserver(['recover', 'acme/shop#7', '--database', scene.file, ...args])
    expect(await run()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^hookserver: recover acme\/shop#7: GitHub shows .* set GITHUB_TOKEN, or GITHUB_APP_ID/,
      ),
    })
    expect((await run('--api-url', scene.github.url)).stderr).toContain('set HOOKSERVER_GITHUB_TOKEN')
  })

  test('if there is no database, and creates none', async () => {
    const file = join(project(), 'none.db')
    const ended = await hookserver(['recover', 'acme/shop#7', '--database', file], { GITHUB_TOKEN: githubToken })
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining(`There is no database ${file}`) })
    expect((await hookserver(['recover', 'acme', '--database', file])).stderr).toContain('There is no database')
  })

  test('for a token that GitHub rejects, and for a webhook that it hides', async () => {
    const { scene, hook, run } = await missed('push')
    scene.github.failAt(/^GET/, { status: 401 })
    const rejected = await run(hook)
    expect([rejected.code, rejected.stdout, rejected.stderr]).toEqual([
      1,
      '',
      `hookserver: ${hook}: GitHub rejected the token (401): it may have expired. If you use an App, check its id and its private key\n`,
    ])
    expect(await run('acme/other', '--public-url', scene.url)).toMatchObject({
      ...{ code: 1, stderr: expect.stringContaining('the token or the App has the repository permission "Webhooks"') },
    })
  })

  test('if a sweep is already running', async () => {
    const { scene, hook, run, posts } = await missed('push')
    await scene.inbox.lease('recovery', 'another process', 60_000)
    expect(await run(hook)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('already running') })
    expect(await run(hook, '--dry-run')).toMatchObject({ code: 0 })
    expect(posts()).toBe(0)
  })
})
