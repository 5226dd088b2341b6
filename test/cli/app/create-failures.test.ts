import { hasSubscribers } from 'node:diagnostics_channel'
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { registerApp } from '../../../src/cli/app/registration.ts'
import { createManifest } from '../../../src/github/app/manifest.ts'
import { project } from '../../server/service.ts'
import { click, send } from '../../testing/github/browser.ts'
import {
  AppCommand,
  botModule,
  follow,
  install,
  register,
  startCreate,
  startProcess,
  startServer,
  submissionOn,
  submitForm,
} from './create-scene.ts'

const unchanged = expect.stringContaining('.env was not changed')

describe('a redirect', () => {
  test.each([
    ['with a wrong state', 'state=wrong&code=1', 'The state is wrong'],
    ['without a state', 'code=1', 'The state is missing'],
  ])('%s is ignored, and the right one is accepted later', async (_, query, message) => {
    const github = await startServer()
    const command = startCreate(github, ['--no-serve'])
    const address = await command.address()
    const location = await register(github, address)
    const rejected = await follow(`${address}registered?${query}`)
    expect([rejected.status, await rejected.text()]).toEqual([400, expect.stringContaining(message)])
    await command.printed(new RegExp(message))
    expect(command.variables()).toEqual({})
    expect((await follow(location)).status).toBe(303)
    await command.printed(/Waiting for the installation/)
  })

  test('with a code that has expired ends the command', async () => {
    const github = await startServer()
    const command = startCreate(github)
    const location = await register(github, await command.address())
    github.clock.advance(60 * 60_000)
    const page = await follow(location)
    expect([page.status, await page.text()]).toEqual([502, expect.stringContaining('it has expired')])
    const { code, output } = await command.result()
    expect([code, output]).toEqual([1, unchanged])
    expect(output).toContain(`${github.webUrl}/settings/apps`)
    expect(output).not.toContain(new URL(location).searchParams.get('code'))
    expect(readdirSync(command.folder)).toEqual(['hooks.ts'])
  })

  test('with a code that was used elsewhere ends the command', async () => {
    const github = await startServer()
    const command = startCreate(github)
    const location = await register(github, await command.address())
    const used = `${github.url}/app-manifests/${new URL(location).searchParams.get('code')}/conversions`
    expect((await fetch(used, { method: 'POST' })).status).toBe(201)
    expect((await follow(location)).status).toBe(502)
    expect(await command.result()).toEqual({ code: 1, output: unchanged })
  })

  test('that is repeated changes nothing', async () => {
    const github = await startServer()
    const command = startCreate(github, ['--no-serve'])
    const location = await register(github, await command.address())
    github.failAt(/conversions$/, { status: 503, headers: { 'retry-after': '1' } })
    const [first, second] = await Promise.all([follow(location), follow(location)])
    expect([first.status, second.status].toSorted()).toEqual([303, 409])
    await command.printed(/Waiting for the installation/)
    expect(github.requests.filter(({ path }) => path.endsWith('/conversions')).map(({ status }) => status)).toEqual([
      503, 201,
    ])
  })
})

test('a name that is taken can be changed on the page of GitHub', async () => {
  const github = await startServer()
  github.addApp({ id: 9, slug: 'hello-bot' })
  const command = startCreate(github, ['--name', 'Hello Bot', '--no-serve'])
  const { action, manifest } = submissionOn(await (await submitForm(await command.address())).text())
  const taken = await click(github, await send(action, { manifest }))
  expect([taken.status, taken.text]).toEqual([422, expect.stringContaining('Name is already in use')])
  const { location } = await click(github, taken, 'Hello Bot 2')
  expect((await follow(location ?? '')).headers.get('location')).toContain('/apps/hello-bot-2/')
  await command.printed(/Created the App Hello Bot 2/)
})

test('a page that is never submitted ends the registration after the time limit', async () => {
  const folder = project()
  const options = { name: 'a', description: undefined, homepage: 'https://github.com', url: undefined }
  const registered = registerApp(
    {
      addresses: { github: 'http://127.0.0.1:1', apiUrl: 'http://127.0.0.1:1', variables: {} },
      organization: undefined,
      manifest: (redirectUrl) =>
        createManifest({ events: [], permissions: {} }, { ...options, redirectUrl, isPublic: false }),
      ...{ notes: [], skipsForm: false, output: join(folder, '.env'), envFile: undefined, opensBrowser: false },
      ...{ progress: { written: false }, signal: new AbortController().signal },
    },
    1,
  )
  await expect(registered).rejects.toThrow('not registered within an hour')
  expect(readdirSync(folder)).toEqual([])
})

test('an App that another run has written meanwhile is kept', async () => {
  const github = await startServer()
  const command = startCreate(github)
  const location = await register(github, await command.address())
  writeFileSync(join(command.folder, '.env'), 'GITHUB_APP_ID=1\n')
  expect((await follow(location)).status).toBe(502)
  const { code, output } = await command.result()
  expect([code, output]).toEqual([
    1,
    expect.stringMatching(/\.env already sets GITHUB_APP_ID.*\n.*\.env was not changed/),
  ])
  expect(output).toContain(
    `app import --id <id> --private-key <file> --github ${github.webUrl} --output <another file>\n`,
  )
  expect(command.variables()).toEqual({ GITHUB_APP_ID: '1' })
  expect(github.requests.filter(({ path }) => path.endsWith('/conversions'))).toEqual([])
})

test('an App that an editor has written during the exchange of the code is kept', async () => {
  const github = await startServer()
  const command = startCreate(github, ['--no-serve'])
  const location = await register(github, await command.address())
  const path = `/app-manifests/${new URL(location).searchParams.get('code')}/conversions`
  const body = (await (await fetch(github.url + path, { method: 'POST' })).json()) as object
  github.route('POST', '/app-manifests/{code}/conversions', () => {
    writeFileSync(join(command.folder, '.env'), 'GITHUB_APP_ID=1\n')
    return { status: 201, body }
  })
  expect((await follow(location)).status).toBe(502)
  const { code, output } = await command.result()
  expect([code, output]).toEqual([
    1,
    expect.stringMatching(/ exists on GitHub, but \.env was not changed, because it has/),
  ])
  expect(output).toMatch(/app import --id \d+ --private-key <file> .* --output <another file>\n/)
  expect(command.variables()).toEqual({ GITHUB_APP_ID: '1' })
  expect(readdirSync(command.folder).toSorted()).toEqual(['.env', 'hooks.ts'])
})

test('of two commands in one folder, one writes its App, and the other says how to keep its own', async () => {
  const github = await startServer()
  const first = startCreate(github, ['--no-serve'])
  const second = new AppCommand(
    first.folder,
    ['create', '--no-browser', '--github', github.webUrl, '--no-serve'],
    {},
    startProcess,
  )
  const locations = await Promise.all([
    register(github, await first.address(), 'one'),
    register(github, await second.address(), 'two'),
  ])
  const answers = await Promise.all(locations.map(follow))
  expect(answers.map(({ status }) => status).toSorted()).toEqual([303, 502])
  const isFirst = answers[0]?.status === 303
  const [kept, refused] = isFirst ? [first, second] : [second, first]
  await kept.printed(/Waiting for the installation/)
  const { code, output } = await refused.result()
  expect([code, output]).toEqual([1, unchanged])
  expect(output).not.toContain('has its key')
  expect(output).toContain('--output <another file>\n')
  const { id } = github.apps.find(({ name }) => name === (isFirst ? 'one' : 'two')) ?? {}
  expect(kept.variables()).toMatchObject({ GITHUB_APP_ID: String(id) })
})

describe('Ctrl-C', () => {
  test('before the App exists says that nothing changed', async () => {
    const github = await startServer()
    const command = startCreate(github)
    await command.address()
    command.interrupt()
    const { code, output } = await command.result()
    expect([code, output]).toEqual([1, unchanged])
    expect(output).toContain('The command was stopped')
  })

  test('before the installation says how to go on, and stops waiting for a delivery', async () => {
    const github = await startServer()
    const wasObserved = hasSubscribers('hookserver:dead')
    const command = startCreate(github)
    await follow(await register(github, await command.address()))
    await command.printed(/Waiting for the installation/)
    command.interrupt()
    const { code, output } = await command.result()
    expect(code).toBe(1)
    expect(output).toMatch(/The App .* exists on GitHub, and \.env has its key\.\n.*installations\/new\n.*app status\n/)
    expect(command.variables()).toHaveProperty('GITHUB_APP_PRIVATE_KEY')
    expect(hasSubscribers('hookserver:dead')).toBe(wasObserved)
  })

  test('after the installation does not ask for another one', async () => {
    const github = await startServer()
    const command = startCreate(github)
    await install((await follow(await register(github, await command.address()))).headers.get('location') ?? '')
    await command.printed(/Waiting for the first delivery\. .*: issues\.opened\n/)
    command.interrupt()
    const { code, output } = await command.result()
    expect([code, output]).toEqual([1, expect.stringMatching(/ exists on GitHub, and \.env has its key\.\n.*See it/)])
  })
})

test('a handler that lacks a permission fails with the name of the permission', async () => {
  const github = await startServer()
  github.addRepository('octocat/hello')
  const command = startCreate(github, [], { 'hooks.ts': botModule.replace("'write'", "'read'") })
  await install((await follow(await register(github, await command.address()))).headers.get('location') ?? '')
  await command.printed(/Waiting for the first delivery/)
  const repository = { id: 1, name: 'hello', full_name: 'octocat/hello', owner: { login: 'octocat' } }
  await github.deliver('issues.opened', { action: 'opened', issue: { number: 1, title: 'Hello' }, repository })
  await command.printed(/may lack the permission issues=write.*: declare it in config\.permissions/)
  await command.printed(/The handler will be tried again/)
  command.interrupt()
  const lines = (await command.result()).output.split('\n')
  expect(lines.filter((line) => line.includes('Resource not accessible by integration'))).toHaveLength(1) // in the log
})

test('a code that GitHub refuses ends the command', async () => {
  const github = await startServer()
  const command = startCreate(github)
  const location = await register(github, await command.address())
  github.failAt(/conversions$/, { status: 422 })
  expect((await follow(location)).status).toBe(502)
  expect(await command.result()).toEqual({ code: 1, output: unchanged })
})

test('a webhook without a secret gets one', async () => {
  const github = await startServer()
  const command = startCreate(github, ['--no-serve'])
  const location = await register(github, await command.address())
  const path = `/app-manifests/${new URL(location).searchParams.get('code')}/conversions`
  const converted = await fetch(github.url + path, { method: 'POST' })
  const body = { ...((await converted.json()) as object), webhook_secret: null }
  github.failAt(/conversions$/, { status: 201, body })
  expect((await follow(location)).status).toBe(303)
  await command.printed(/Waiting for the installation/)
  const secret = command.variables().GITHUB_WEBHOOKS_KEY
  expect([secret, github.webhooks[0]?.secret]).toEqual([expect.stringMatching(/^[\w-]{32}$/), secret])
})

test('if the file cannot be written after all, says how to get another key', async () => {
  const github = await startServer()
  const command = startCreate(github, ['--no-serve'])
  const location = await register(github, await command.address())
  symlinkSync('elsewhere', join(command.folder, '.env'))
  expect((await follow(location)).status).toBe(502)
  const { code, output } = await command.result()
  expect([code, output]).toEqual([1, expect.stringContaining('it is a symbolic link')])
  const flags = `--id ${github.apps[0]?.id} --private-key <file> --github ${github.webUrl}`
  expect(output).toContain(`npx hookserver app import ${flags}\n`)
})

describe('refuses to begin', () => {
  const begin = async (files: Record<string, string>, args: readonly string[] = [], env = {}) => {
    const command = new AppCommand(project(files), ['create', '--no-browser', ...args], env)
    const { code, output } = await command.result()
    expect(output).not.toContain('http://127.0.0.1')
    return { code, output, folder: command.folder }
  }

  test.each([
    [
      'an App in the file',
      { '.env': 'GITHUB_APP_ID=1\n' },
      [],
      {},
      1,
      /\.env already sets GITHUB_APP_ID, .*app status/,
    ],
    ['a lock of another command', { '.env.lock': '' }, [], {}, 1, /Another command is writing an App to \.env: wait /],
    ['an App after a byte order mark', { '.env': '\ufeffGITHUB_APP_ID=1\n' }, [], {}, 1, /already sets GITHUB_APP_ID/],
    [
      'a secret in the environment',
      {},
      [],
      { GITHUB_WEBHOOKS_KEY: 'kept' },
      1,
      /environment already sets GITHUB_WEBHOOKS_KEY/,
    ],
    ['a missing module', { 'hooks.ts': '' }, ['bot.ts'], {}, 2, /bot\.ts: the file does not exist/],
    ['a module without handlers', { 'hooks.ts': 'export const a = 1' }, [], {}, 1, /must export a Hooks/],
    [
      'wrong permissions',
      { 'hooks.ts': botModule.replace("'write'", "'all'") },
      [],
      {},
      1,
      /config\.permissions of hooks\.ts: expected/,
    ],
    ['a long name', {}, ['--name', 'x'.repeat(35)], {}, 2, /--name: expected 1 to 34 characters/],
    ['a wrong address', {}, ['--public-url', 'ftp://user:hidden@x'], {}, 2, /--public-url: expected/],
  ])('with %s', async (_, files, args, env, code, message) => {
    const ended = await begin({ 'hooks.ts': botModule, ...(files as Record<string, string>) }, args, env)
    expect(ended).toMatchObject({ code, output: expect.stringMatching(message) })
    expect(ended.output).not.toContain('hidden')
  })

  test('without a module', async () => {
    expect(await begin({})).toMatchObject({ code: 2, output: expect.stringContaining('name the module') })
  })

  test('with a module that cannot be imported, and shows its line', async () => {
    const { code, output } = await begin({ 'hooks.ts': 'throw new Error("no database")' })
    expect([code, output]).toEqual([
      1,
      expect.stringContaining('hooks.ts:1:7\nthrow new Error("no database")\n      ^\n'),
    ])
  })

  test('with a folder that cannot be written', async () => {
    const ended = await begin({ 'hooks.ts': botModule }, ['--output', 'missing/.env'])
    expect(ended).toMatchObject({ code: 1, output: expect.stringContaining('Cannot write missing/.env') })
  })

  test('with a file that is a link', async () => {
    const folder = project({ 'hooks.ts': botModule, target: '' })
    symlinkSync('target', join(folder, '.env'))
    const { code, output } = await new AppCommand(folder, ['create', '--no-browser']).result()
    expect([code, output]).toEqual([1, expect.stringContaining('it is a symbolic link')])
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('')
  })
})

test.each([
  ['without a path gets that of the server', {}, 'http://bot.example:8000', 'http://bot.example:8000/hooks', undefined],
  ['with a path keeps it', {}, 'https://bot.example/hooks?key=1', 'https://bot.example/hooks?key=1', undefined],
  [
    'gets the path of the settings',
    { HOOKSERVER_PATH: '/in' },
    'https://bot.example/',
    'https://bot.example/in',
    undefined,
  ],
  [
    'with another path than the server causes a note',
    {},
    'https://bot.example/github',
    'https://bot.example/github',
    'hooks.ts receives deliveries at /hooks: check that your proxy passes those for https://bot.example/github to this path',
  ],
])('a public address %s', async (_, env, given, url, note) => {
  const folder = project({ 'hooks.ts': botModule })
  const { code, output } = await new AppCommand(folder, ['create', '--dry-run', '--public-url', given], env).result()
  expect(code).toBe(0)
  expect(JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1))).toMatchObject({
    hook_attributes: { url },
  })
  expect(/hooks\.ts receives.*/.exec(output)?.[0]).toBe(note)
})

test('a dry run prints the manifest, and changes nothing', async () => {
  const folder = project({ 'hooks.ts': botModule })
  writeFileSync(
    join(folder, 'package.json'),
    '{ "name": "@octo/hello-bot", "description": "Says thank you", "type": "module" }',
  )
  const { code, output } = await new AppCommand(folder, ['create', '--dry-run']).result()
  expect(code).toBe(0)
  expect(JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1))).toEqual({
    ...{ name: 'hello-bot', description: 'Says thank you', url: 'https://github.com', public: false },
    hook_attributes: { url: 'https://hookserver.invalid/', active: true },
    default_permissions: { issues: 'write', metadata: 'read' },
    default_events: ['issues'],
  })
  expect(readdirSync(folder).toSorted()).toEqual(['hooks.ts', 'package.json'])
})
