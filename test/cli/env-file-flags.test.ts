import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { LocalGitHub } from '../../src/testing/index.ts'
import { ServedHere } from '../server/serve-here.ts'
import { anyOrigin, project, ServedProcess } from '../server/service.ts'
import { hookserver } from './command.ts'
import { runDoctor, secret } from './run-doctor.ts'

const hooksModule = `
  import { Hooks } from 'hookserver'
  export default new Hooks()`

/** The authorization that a command in a folder with these files sends to GitHub. If it sends none, its stderr. */
async function authorizationOf(
  files: Record<string, string>,
  { args = [], env = {} }: { args?: string[]; env?: Record<string, string> },
) {
  const github = await LocalGitHub.start()
  onTestFinished(() => github.close())
  const given = { HOOKSERVER_API_URL: github.url, ...env }
  const { stderr } = await hookserver(['ranges', ...args], given, { cwd: project(files) })
  return github.requests.at(0)?.headers.authorization ?? stderr
}

const files = { '.env': 'HOOKSERVER_GITHUB_TOKEN=first\n', 'other.env': 'HOOKSERVER_GITHUB_TOKEN=second\n' }

describe('a command', () => {
  test.each([
    ['reads .env in the current folder', {}, 'Bearer first'],
    ['reads the file of --env-file', { args: ['--env-file', 'other.env'] }, 'Bearer second'],
    ['reads the file of --env-file=', { args: ['--env-file=other.env'] }, 'Bearer second'],
    ['reads the file of HOOKSERVER_ENV_FILE', { env: { HOOKSERVER_ENV_FILE: 'other.env' } }, 'Bearer second'],
    ['prefers the environment', { env: { HOOKSERVER_GITHUB_TOKEN: 'own' } }, 'Bearer own'],
    ['treats an empty variable of the environment as set', { env: { HOOKSERVER_GITHUB_TOKEN: '' } }, ''],
    ['reads no file with --no-env-file', { args: ['--no-env-file'] }, ''],
  ])('%s', async (_, given, expected) => {
    expect(await authorizationOf(files, given)).toBe(expected)
  })

  test('needs no .env', async () => {
    expect(await authorizationOf({}, {})).toBe('')
  })

  test('exits with 2 if the named file is missing, and says what to do', async () => {
    const { code, stderr } = await hookserver(['ranges'], { HOOKSERVER_ENV_FILE: 'missing' }, { cwd: project() })
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(
        /^hookserver: the environment variable HOOKSERVER_ENV_FILE: Cannot read missing: ENOENT.*\. Name a file that you can read, or add --no-env-file\n$/,
      ),
    ])
  })

  test('exits with 2 at a line that sets no variable, and says what to do', async () => {
    const { code, stderr } = await hookserver(['ranges'], {}, { cwd: project({ '.env': 'GITHUB_TOKEN: hidden' }) })
    const problem = '.env, line 1: write GITHUB_TOKEN=… instead of GITHUB_TOKEN: …'
    expect([code, stderr]).toEqual([2, `hookserver: --env-file: ${problem}. Correct the line, or add --no-env-file\n`])
  })

  test('fails if the file of --env-file is missing: Node.js itself reports it', async () => {
    const { code, stderr } = await hookserver(['ranges', '--env-file', 'missing'], {}, { cwd: project() })
    expect(code).not.toBe(0)
    expect(stderr).toContain('missing')
  })

  test('ignores a folder .env, unless it is named', async () => {
    const cwd = project()
    mkdirSync(join(cwd, '.env'))
    const env = { HOOKSERVER_API_URL: 'http://127.0.0.1:9' }
    expect((await hookserver(['ranges'], env, { cwd })).stderr).toContain('Cannot fetch the ranges')
    const { code, stderr } = await hookserver(['ranges'], { ...env, HOOKSERVER_ENV_FILE: '.env' }, { cwd })
    expect([code, stderr]).toEqual([2, expect.stringContaining('Cannot read .env: EISDIR')])
  })
})

describe('serve', () => {
  const env = `GITHUB_WEBHOOKS_KEY='${secret}'\nHOOKSERVER_LOG_LEVEL=debug\n`

  test('logs the names of the variables and the file, and no value', async () => {
    const folder = project({ '.env': env, 'hooks.ts': hooksModule })
    const served = new ServedHere(folder, ['hooks.ts', ...anyOrigin], { HOOKSERVER_LOG_LEVEL: 'info' })
    expect(await served.line('Environment file read')).toMatchObject({
      path: '.env',
      variables: ['GITHUB_WEBHOOKS_KEY'],
      overridden: ['HOOKSERVER_LOG_LEVEL'],
    })
    expect(await served.line('Receiving')).toMatchObject({ secretFrom: 'the environment variable GITHUB_WEBHOOKS_KEY' })
    expect(served.output).not.toContain(secret)
  })

  test('reads the file again when --dev restarts the server', async () => {
    const folder = project({ '.env': env, 'hooks.ts': hooksModule })
    const served = new ServedProcess(folder, ['hooks.ts', '--dev'])
    const names = ['GITHUB_WEBHOOKS_KEY', 'HOOKSERVER_LOG_LEVEL']
    expect(await served.line('Environment file read')).toMatchObject({ variables: names, overridden: [] })
    await served.url()
    writeFileSync(join(folder, '.env'), `${env}ADDED_LATER=1\n`)
    writeFileSync(join(folder, 'hooks.ts'), `${hooksModule}\n`)
    await expect.poll(() => served.output).toContain('ADDED_LATER')
    const read = served.lines.findLast(({ msg }) => msg === 'Environment file read')
    expect(read).toMatchObject({ variables: ['ADDED_LATER', ...names], overridden: [] })
    expect(served.output).not.toContain(secret)
  })
})

describe('doctor', () => {
  test('names the variables, and warns if others can read the file', async () => {
    const folder = project({ '.env': `GITHUB_WEBHOOKS_KEY=hidden\nEXTRA=hidden\n` })
    const closed = await runDoctor(folder)
    const found = '.env sets EXTRA. The environment overrides GITHUB_WEBHOOKS_KEY'
    expect(closed.of('env file')).toEqual([{ what: 'env file', state: 'fine', found }])
    chmodSync(join(folder, '.env'), 0o644)
    const open = await runDoctor(folder)
    const warning = { found: '.env can be read by its group or other users', cure: 'chmod 600 .env' }
    expect(open.of('env file')).toMatchObject([{ state: 'fine' }, { state: 'warning', ...warning }])
    expect(open.code).toBe(0)
    expect(open.output).not.toContain('hidden')
  })
})
