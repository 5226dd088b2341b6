import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { Served } from '../../scripts/served.ts'
import { signedRequest } from '../../src/samples/signed-request.ts'

const root = join(import.meta.dirname, '../..')
const executable = join(root, 'executable', process.platform === 'win32' ? 'hookserver.exe' : 'hookserver')
const secret = 'the secret of the executable'
/** A folder outside of the repository, so no `node_modules` is above it. */
const folder = mkdtempSync(join(tmpdir(), 'hookserver-executable-'))
const env = {
  PATH: process.env.PATH ?? '',
  HOME: folder,
  XDG_CACHE_HOME: join(folder, 'cache'),
  GITHUB_WEBHOOKS_KEY: secret,
  GITHUB_TOKEN: 'a token that no request uses',
}

beforeAll(() => {
  execFileSync(process.execPath, ['scripts/executable.ts'], { cwd: root })
  cpSync(join(import.meta.dirname, 'module'), folder, { recursive: true })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (...args: string[]) => spawnSync(executable, args, { cwd: folder, env, encoding: 'utf8' })

interface Shown {
  tasks: readonly { handler: string; attempts: readonly { result: string }[] }[]
}

const hookserverJson = (...args: string[]): Shown => JSON.parse(run(...args, '--json').stdout)

/** Reads lines until one contains the text. */
async function lineWith(lines: AsyncIterator<string>, text: string): Promise<void> {
  const read: string[] = []
  for (;;) {
    const { done, value } = await lines.next()
    if (done) throw new Error(`No line contains "${text}":\n${read.join('\n')}`)
    if (value.includes(text)) return
    read.push(value)
  }
}

test('two processes unpack the files at the same time', async () => {
  const outputs = await Promise.all([1, 2].map(() => promisify(execFile)(executable, ['--version'], { env })))
  expect(outputs.map(({ stdout, stderr }) => stdout + stderr)).toEqual(Array(2).fill(`${manifest.version}\n`))
})

test('stores and handles a delivery, serves the dashboard, and ends with 0 after SIGTERM', async () => {
  const served = await Served.start(folder, { executable, env, args: ['hooks.ts', '--validate-ip', 'false'] })
  onTestFinished(() => served.kill())
  const { status } = await fetch(served.url, signedRequest('push', { secret }))
  expect(status).toBe(202)
  await expect.poll(() => hookserverJson('deliveries', 'list')).toMatchObject({ state: 'done', event: 'push' })
  const delivery = hookserverJson('deliveries', 'show', '1')
  const results = delivery.tasks.map(({ handler, attempts }) => [handler, attempts[0]?.result])
  expect(Object.fromEntries(results)).toEqual({
    exec: expect.stringContaining('exited with 0'),
    octokit: 'function',
    process: 'argument',
    thread: 'argument',
  })
  const page = await fetch(served.adminUrl)
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<script type="module"')])
  await served.stop()
})

test('restarts the server of --dev after a change of the module', async () => {
  const args = ['serve', 'hooks.ts', '--dev', '--port', '0', '--admin-port', '0', '--database', 'dev.db']
  const supervisor = spawn(executable, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void supervisor.kill('SIGKILL'))
  const ended = once(supervisor, 'exit')
  const lines = createInterface(supervisor.stderr)[Symbol.asyncIterator]()
  await lineWith(lines, 'Receiving')
  appendFileSync(join(folder, 'hooks.ts'), '// a change\n')
  await lineWith(lines, 'hooks.ts has changed')
  await lineWith(lines, 'Receiving')
  supervisor.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})

test('shows the line of a syntax error', () => {
  writeFileSync(join(folder, 'wrong.mjs'), 'const a = 1\nconst a = 2\n')
  writeFileSync(join(folder, 'imports.ts'), "import './wrong.mjs'\n")
  const { status, stderr } = run('serve', 'imports.ts')
  expect(stderr).toContain("wrong.mjs:2:7: Identifier 'a' has already been declared")
  expect(status).toBe(1)
})
