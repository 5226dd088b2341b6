import { once } from 'node:events'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startError } from './serve-here.ts'
import { anyOrigin, project, ServedProcess, withSecret } from './service.ts'

const hooksModule = `
  import { Hooks } from 'hookserver'
  export default new Hooks()`

describe('a server does not start', () => {
  test.each([{}, { GITHUB_WEBHOOKS_KEY: '' }])('without a secret: %j', async (env) => {
    expect(await startError(project(), [], env)).toMatch(
      /^1: hookserver: No secret: set GITHUB_WEBHOOKS_KEY \(for example in \/.+\/\.env\), pass --secret-file, or use --dev/,
    )
  })

  test.each(['GITHUB_WEBHOOK_SECRET', 'GITHUB_WEBHOOK_KEY', 'WEBHOOK_SECRET'])(
    'with a secret in the variable %s, which it does not read',
    async (name) => {
      expect(await startError(project(), [], { [name]: 'a secret' })).toMatch(
        new RegExp(`^1: hookserver: No secret: ${name} has no effect, so rename it to GITHUB_WEBHOOKS_KEY`),
      )
    },
  )

  test.each([
    ['that exports no Hooks', { 'hooks.ts': 'export const a = 1' }, /it exports a: add "export default hooks"/],
    [
      'with a clientAddress that only other adapters know',
      { 'hooks.ts': "import { Hooks } from 'hookserver'; export default new Hooks({ clientAddress: 'framework' })" },
      /the option "clientAddress" must be a function or one of 'cloudflare', got 'framework'/,
    ],
  ])('with a module %s', async (_what, files, message) => {
    const said = await startError(project(files as Record<string, string>), ['hooks.ts'])
    expect(said).toMatch(/^1: hookserver: /)
    expect(said).toMatch(message)
  })

  test('with a module whose import never ends', async () => {
    const folder = project({ 'hooks.ts': `${hooksModule}; await new Promise(() => {})` })
    const served = new ServedProcess(folder, ['hooks.ts'], withSecret)
    expect([await served.ended, served.output]).toEqual([
      1,
      expect.stringMatching(
        /^hookserver: Cannot import hooks\.ts: a top-level await in this module, or in one of its imports, never settles\n$/,
      ),
    ])
  })

  test.each([
    ['rejects a promise that nothing awaits', "async function open() { throw new Error('no database') }\nopen()"],
    [
      'throws in a timer while it is imported',
      "setTimeout(() => { throw new Error('no database') })\nawait new Promise((resolve) => setTimeout(resolve, 60_000))",
    ],
  ])('with a module that %s, and shows its line', async (_what, code) => {
    const served = new ServedProcess(project({ 'hooks.ts': `${hooksModule}\n${code}` }), ['hooks.ts'], withSecret)
    expect([await served.ended, served.output]).toEqual([
      1,
      expect.stringMatching(
        /\n {4}at .*hooks\.ts(?:.|\n)*\n\nhookserver: Cannot import hooks\.ts: hooks\.ts:\d:\d+: no database\n$/,
      ),
    ])
    expect(served.output).not.toContain('hooks-module')
  })

  test('with a module that throws, and shows its line first', async () => {
    const folder = project({ 'hooks.ts': 'throw new Error("no \x9bdatabase")', 'package.json': '{ "type": "module" }' })
    expect((await startError(folder, ['hooks.ts'])).split('\n')).toEqual([
      '1: hooks.ts:1:7',
      'throw new Error("no \\u009bdatabase")',
      '      ^',
      '',
      'Error: no \\u009bdatabase',
      expect.stringMatching(/^ {4}at file:.*hooks\.ts:1:7$/),
      '',
      'hookserver: Cannot import hooks.ts: hooks.ts:1:7: no \ufffddatabase',
      '',
    ])
  })

  test('with secretFile in the config of the module, and names the flag', async () => {
    const config = 'export const config = { secretFile: "secrets" }'
    const folder = project({ 'hooks.ts': `${hooksModule}; ${config}`, secrets: 'the secret of the webhook\n' })
    const misplaced =
      /^2: hookserver: config\.secretFile of hooks\.ts:3: .*: set --secret-file or HOOKSERVER_SECRET_FILE/
    for (const env of [undefined, {}]) expect(await startError(folder, ['hooks.ts'], env)).toMatch(misplaced)
  })

  test.each([
    [['other.ts'], /^2: hookserver: other\.ts: the file does not exist\n$/],
    [['.'], /^2: hookserver: \. is a folder: name the module in it, such as hooks\.ts\n$/],
    [['other.ts', '--dev'], /^2: hookserver: other\.ts: the file does not exist\n$/],
    [['hooks.ts', '--dev', '--host', '0.0.0.0'], /^2: hookserver: --host: 0\.0\.0\.0 is not a loopback address/],
    [['hooks.ts', '--dev', '--database', 'x.db', '--database-schema', 'x'], /^2: hookserver: --database-schema: /],
    [['hooks.ts', '--dev', '--pull', 'acme/shop', '--role', 'receiver'], /^2: hookserver: --pull: a receiver/],
    [
      ['hooks.ts', '--trust-proxy', '1.2.3'],
      /^2: hookserver: --trust-proxy: expected a comma-separated list of CIDRs, .* got "1\.2\.3"\n$/,
    ],
    [['hooks.ts', '--api-url', 'http://ghe.example'], /^2: hookserver: --api-url: expected an https URL/],
  ])('with %j, which no change of the module can fix', async (args, message) => {
    expect(await startError(project({ 'hooks.ts': hooksModule }), args)).toMatch(message)
  })

  test('if its port is in use, and leaves nothing running', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void taken.close())
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const served = new ServedProcess(
      project(),
      ['--port', String(port), '--host', '127.0.0.1', ...anyOrigin],
      withSecret,
    )
    expect(await served.ended).toBe(1)
    expect(served.output).toMatch(
      new RegExp(`^hookserver: 127\\.0\\.0\\.1 port ${port} is used by another program.*--port`),
    )
  })

  test('with invalid settings, and reports all of them', async () => {
    const said = await startError(project(), ['--role', 'both', '--retention', '30'], {
      HOOKSERVER_ADMIN_TOKEN: 'short',
    })
    expect(said.split('\n')).toEqual([
      '2: hookserver: --role: expected one of all, receiver, worker, got "both"',
      'hookserver: --retention: expected a duration such as 30d, 12h, 15m, 30s or 500ms, got "30"',
      expect.stringMatching(
        /HOOKSERVER_ADMIN_TOKEN: expected 16 or more printable ASCII characters, without white space$/,
      ),
      '',
    ])
  })

  test('with --dev in a folder where it cannot keep the generated secret', async () => {
    const folder = project({ '.hookserver': 'a file instead of the folder' })
    expect(await startError(folder, ['--dev', '--role', 'receiver'], {})).toMatch(
      /^1: hookserver: Cannot keep the generated secret: EEXIST.*: let this user create files in .*, or start the server in another folder\n$/,
    )
  })

  test('with a token file that other users can read', async () => {
    const folder = project({ 'hookserver.token': 'a-token-that-is-not-guessed\n' })
    chmodSync(join(folder, 'hookserver.token'), 0o644)
    const output = await startError(folder, [])
    expect(output).toMatch(
      /^1: hookserver: Cannot use the file of the admin token: .*: run chmod 600 hookserver\.token\. Instead of this file, you can set HOOKSERVER_ADMIN_TOKEN/,
    )
    expect(output).not.toContain('a-token-that-is-not-guessed')
  })

  test('with a read-only token that equals the admin token', async () => {
    const files = project({ reader: 'a-token-that-is-not-guessed\n' })
    const env = { ...withSecret, HOOKSERVER_ADMIN_TOKEN: 'a-token-that-is-not-guessed' }
    const said = await startError(files, ['--read-only-token-file', 'reader'], env)
    expect(said).toMatch(/^2: hookserver: --read-only-token-file: the read-only token equals the admin token/)
    expect(said).not.toContain(env.HOOKSERVER_ADMIN_TOKEN)
  })

  test.each([
    [['--dev', '--host', '0.0.0.0'], /--host: 0\.0\.0\.0 is not a loopback address.*: leave out --dev, or listen/],
    [['--validate-signature', 'false', '--host', '0.0.0.0'], /turn on --validate-signature, add --insecure, or listen/],
    [['--database', '/'], /Cannot open the inbox \/: it is a folder/],
    [['--secret-file', 'missing'], /Cannot read missing/],
  ])('with %j', async (args, message) => {
    expect(await startError(project(), args)).toMatch(message)
  })

  test('with a database in a folder that does not exist, and creates no folder', async () => {
    const folder = project()
    const said = await startError(folder, ['--database', 'missing/hookserver.db'])
    expect(said).toMatch(/^1: hookserver: Cannot open the inbox .*: its folder does not exist: create it \(mkdir -p /)
    expect(existsSync(join(folder, 'missing'))).toBe(false)
  })
})

test('--dev reports a module with a syntax error, and starts when the module is fixed', async () => {
  const folder = project({ 'hooks.ts': 'export default (' })
  const served = new ServedProcess(folder, ['hooks.ts', '--dev'])
  await expect.poll(() => served.output).toContain('Cannot import hooks.ts: hooks.ts:1:')
  expect(served.output).toMatch(/^hooks\.ts:1:\d+\nexport default \(\n +\^/m)
  writeFileSync(join(folder, 'hooks.ts'), hooksModule)
  await served.line('Receiving')
  served.child.kill('SIGTERM')
  expect(await served.ended).toBe(0)
})
