/** `npm run probe:github`, which asks a local GitHub here. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { helpText } from '../../scripts/probe-github/flags.ts'
import type { Report } from '../../scripts/probe-github/run-probe.ts'
import { steps } from '../../scripts/probe-github/steps/index.ts'
import { run, start } from './probe-scene.ts'

const program = fileURLToPath(new URL('../../scripts/probe-github.ts', import.meta.url))

/** Runs the script. @param options `stopWhen`: resolves when the test presses Ctrl+C. npm then sends a second signal. */
async function script(args: readonly string[], options: { env?: NodeJS.ProcessEnv; stopWhen?: Promise<unknown> } = {}) {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, ...options.env } })
  onTestFinished(() => void child.kill('SIGKILL'))
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => (written[name] += text))
  }
  void options.stopWhen?.then(() => {
    child.kill('SIGINT')
    child.stderr.once('data', () => child.kill('SIGINT'))
  })
  const [code] = await once(child, 'close')
  return { code, ...written }
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'hookserver-test-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

describe('the script', () => {
  test('asks a local GitHub every question that needs no further flag, and shows no token', async () => {
    const { code, stdout, stderr } = await script(['--local', '--json'])
    const report = JSON.parse(stdout) as Report
    const outcomes = Object.fromEntries(report.results.map(({ name, outcome }) => [name, outcome]))
    const expected = Object.fromEntries(steps.map(({ name }) => [name, 'answered']))
    expect(outcomes).toEqual({ ...expected, 'manifest-address': 'not asked', 'large-payload': 'not asked' })
    expect(code).toBe(0)
    expect(report.leftBehind).toEqual([])
    for (const { name, question } of steps) expect(stderr).toContain(`${name}: ${question}`)
    expect(stdout + stderr).not.toContain('ghp_local')
  })

  test('prints the facts by name', async () => {
    const { code, stdout } = await script(['--local', '--only', 'webhook-address,manifest-address'])
    expect(stdout).toMatch(/\nwebhook-address: .*\n {2}accepted {2}true\n {2}answer {4}201\n/)
    expect(stdout).toMatch(/\nmanifest-address: .*\n {2}not asked: GitHub has no API for this\. /)
    expect(code).toBe(0)
  })

  test('prints the differences from an earlier report, and fails if there are any', async () => {
    const file = join(folder(), 'report.json')
    const { report } = await run(await start(), ['webhook-address', 'time-format'])
    writeFileSync(file, JSON.stringify(report))
    const args = ['--local', '--only', 'webhook-address,manifest-address', '--compare', file]
    const same = await script(args)
    expect([same.code, same.stdout]).toEqual([0, expect.stringMatching(/\nDifferences from the report .*: 0\nNot /)])
    expect(same.stdout).toContain('Not compared, because a report has no answer: manifest-address\n')
    writeFileSync(file, JSON.stringify(report).replace('"accepted":true', '"accepted":false'))
    const changed = await script(args)
    expect([changed.code, changed.stdout]).toEqual([
      1,
      expect.stringContaining(': 1\n  webhook-address accepted: false -> true\n'),
    ])
    const json = await script([...args, '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({
      results: [{ name: 'webhook-address' }, { name: 'manifest-address' }],
      differences: [{ step: 'webhook-address', fact: 'accepted', before: 'false', after: 'true' }],
    })
  })

  test('deletes its webhooks on Ctrl+C, and prints the answers so far', async () => {
    const local = await start()
    const { apiUrl, token, repository, receivers } = local.target
    const waiting = expect.poll(() => local.github.requests.filter(({ path }) => path.includes('/deliveries')).length)
    const { code, stdout, stderr } = await script(
      ['--repository', repository, '--api-url', apiUrl, '--slow-url', receivers?.slow ?? '', '--json'].concat([
        ...['--only', 'manifest-address,delivered-at,ids', '--manifest-address', 'accepted'],
      ]),
      { env: { GITHUB_TOKEN: token }, stopWhen: waiting.toBeGreaterThan(0) },
    )
    expect(local.webhooks()).toEqual([])
    expect(code).toBe(130)
    expect((JSON.parse(stdout) as Report).results).toMatchObject([
      { name: 'manifest-address', outcome: 'answered', facts: { accepted: true } },
      { name: 'delivered-at', outcome: 'not asked', reason: 'interrupted' },
      { name: 'ids', outcome: 'not asked', reason: 'interrupted' },
    ])
    expect(stderr).toContain('Interrupted: deleting webhooks and branches.')
  })

  test('gives Git the token, and shows the token neither in its output nor in the arguments of Git', async () => {
    const { github, target } = await start()
    const token = github.addToken({ scopes: ['repo', 'admin:repo_hook'] })
    const bin = folder()
    const record = join(bin, 'record')
    const wrapper = `#!/bin/sh\necho "$0 $@" >> '${record}'\nPATH='${process.env.PATH}' exec git "$@"\n`
    writeFileSync(join(bin, 'git'), wrapper)
    chmodSync(join(bin, 'git'), 0o755)
    const { stdout, stderr } = await script(
      ['--repository', target.repository, '--api-url', target.apiUrl, '--only', 'clone,headers', '--json'],
      { env: { GITHUB_TOKEN: token, PATH: `${bin}:${process.env.PATH}` } },
    )
    const credentials = Buffer.from(`x-access-token:${token}`).toString('base64')
    const [request] = github.requests.filter(({ path }) => path.startsWith('/octocat/scratch.git/info/refs'))
    expect(request?.headers.authorization).toBe(`Basic ${credentials}`)
    const shown = stdout + stderr + readFileSync(record, 'utf8')
    expect(shown).toContain('ls-remote')
    for (const secret of [token, credentials]) expect(shown).not.toContain(secret)
  })

  test('exits with 2 if a flag is wrong, and with 1 if GitHub rejects the token', async () => {
    const { apiUrl } = (await start()).target
    const target = ['--repository', 'octocat/scratch', '--api-url', apiUrl]
    const wrong = await script([...target, '--only', 'idz'])
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('There is no step "idz". The steps are: ')])
    const missing = await script(target)
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('GITHUB_TOKEN is missing')])
    const rejected = await script(target, { env: { GITHUB_TOKEN: 'ghp_expired' } })
    expect([rejected.code, rejected.stderr]).toEqual([1, 'GitHub rejected GITHUB_TOKEN (401): it may have expired\n'])
  })

  test('describes every step in its help', async () => {
    const { code, stdout } = await script(['--help'])
    expect([code, stdout]).toEqual([0, helpText()])
    const rows = stdout.split('\n').map((line) => line.trim().split(/ {2,}/))
    expect(rows).toEqual(expect.arrayContaining(steps.map(({ name, question }) => [name, question])))
  })
})
