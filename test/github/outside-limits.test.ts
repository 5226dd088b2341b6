/**
 * Tests the requests of `hooks.octokit()`: how they wait for rate limits, and how `hooks.close()` ends them. Also tests
 * installation tokens in two formats.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { inspect } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Hooks, type HooksOptions } from '../../src/index.ts'
import { inject, type LocalGitHub, signedRequest } from '../../src/testing/index.ts'
import { Recorder } from '../recorder.ts'
import { addApp, requestsTo, secret, startGitHub } from './bot-scene.ts'

const repository = { owner: 'Codertocat', repo: 'Hello-World' }

function hooksFor(github: LocalGitHub, options: HooksOptions): Hooks {
  const hooks = new Hooks({ secret, validateIp: false, apiUrl: github.url, logger: false, ...options })
  onTestFinished(() => hooks.close())
  return hooks
}

/** GitHub's response to requests that are too fast. */
const tooFast = (wait: number) => ({
  status: 403,
  headers: { 'retry-after': String(wait) },
  body: { message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.' },
})

const script = `
import { Hooks } from './src/index.ts'
const { API: apiUrl, APP: app } = process.env
const hooks = new Hooks({ validateSignature: false, logger: false, apiUrl, app: JSON.parse(app) })
const octokit = await hooks.octokit({ repository: 'Codertocat/Hello-World' })
console.log((await octokit.request('GET /repos/Codertocat/Hello-World')).status)
await hooks.close()`

describe('a rate limit', () => {
  test.each([
    ['a request', /World$/],
    ['a token', /access_tokens$/],
    ['an installation', /installation$/],
  ])('for %s makes a script wait, even if it has nothing else to do', async (_what, where) => {
    const github = await startGitHub()
    const { id, privateKey } = addApp(github)
    github.failAt(where, tooFast(1))
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: new URL('../..', import.meta.url),
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_NO_WARNINGS: '1', API: github.url, APP: JSON.stringify({ id, privateKey }) },
    })
    const ended = once(child, 'exit')
    expect([await text(child.stdout), (await ended)[0]]).toEqual(['200\n', 0])
    expect(requestsTo(github).filter((one) => one.endsWith(' 403'))).toHaveLength(1)
  })

  test('that lasts longer than a minute fails the request', async () => {
    const github = await startGitHub()
    const logger = new Recorder()
    const octokit = await hooksFor(github, { token: github.addToken(), logger }).octokit({ user: 'octocat' })
    github.failAt(/user/, tooFast(61))
    await expect(octokit.request('GET /user')).rejects.toThrow(/secondary rate limit/)
    expect(logger.messages).toContainEqual(expect.stringMatching(/secondary rate limit: it fails$/))
  })
})

describe('hooks.close()', () => {
  test.each([
    ['a request', 'hang' as const],
    ['a wait for a rate limit', tooFast(30)],
  ])('ends %s, and rejects later requests', async (_what, failure) => {
    const github = await startGitHub()
    const hooks = hooksFor(github, { token: github.addToken() })
    const octokit = await hooks.octokit({ repository: 'octo/hello' })
    github.failAt(/user/, failure)
    const response = octokit.request('GET /user').catch((error: unknown) => error)
    while (github.requests.length === 0) await setImmediate()
    await hooks.close()
    const closed = { name: 'AbortError', message: 'hooks.close() ends requests to GitHub' }
    expect(await response).toMatchObject(closed)
    await expect(octokit.request('GET /user')).rejects.toMatchObject(closed)
    expect(github.requests).toHaveLength(1)
  })

  test('lets the handlers that run finish their requests', async () => {
    const github = await startGitHub()
    const hooks = hooksFor(github, { app: addApp(github) })
    const [started, closing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    hooks.hook('push', async () => {
      started.resolve()
      await closing.promise
      const octokit = await hooks.octokit({ installation: 5 })
      return (await octokit.rest.repos.get(repository)).status
    })
    const reply = inject(hooks, signedRequest('push', { secret }))
    await started.promise
    const closed = hooks.close()
    closing.resolve()
    expect(await (await reply).text()).toBe('200')
    await closed
  })
})

describe('an installation token', () => {
  const part = (length: number) => 'aB3_-'.repeat(length / 5)
  test.each([
    ['of 40 characters', `ghs_${'aB3d'.repeat(9)}`],
    ['of about 520 characters', `ghs_3_${part(40)}.${part(130)}.${part(345)}`],
  ])('%s passes unchanged, and appears in no log and no error', async (_what, token) => {
    const github = await startGitHub()
    const logger = new Recorder()
    const hooks = hooksFor(github, { app: addApp(github), logger })
    github.addToken({ token })
    const body = { token, expires_at: new Date(github.clock.now() + 3_600_000).toISOString() }
    github.failAt(/access_tokens$/, { status: 201, body })
    const octokit = await hooks.octokit({ installation: 5 })
    expect(await octokit.auth()).toMatchObject({ token })
    expect((await octokit.rest.repos.get(repository)).status).toBe(200)
    expect(github.requests.at(-1)?.headers.authorization).toBe(`token ${token}`)
    github.failAt(/World$/, { status: 422, body: { message: 'No' } })
    const error: unknown = await octokit.rest.repos.get(repository).catch((thrown: unknown) => thrown)
    const shown = inspect([logger.lines, error, octokit], { depth: 20, showHidden: true, maxStringLength: null })
    expect(shown).toContain('Codertocat')
    expect(shown).not.toContain(token)
  })
})
