/** The commands `hookserver probot run` and `hookserver probot receive`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sample } from '../../src/samples/index.ts'
import { hookserver, hookserverProcess } from '../cli/command.ts'
import { freePort } from '../free-port.ts'
import { project } from '../server/service.ts'
import { privateKey, secret, send } from './scene.ts'

const app = `
  const { ProbotOctokit } = require('probot')
  const { appendFileSync } = require('node:fs')
  module.exports = (app) => {
    app.on('push', ({ payload, log }) => {
      appendFileSync('handled.txt', payload.ref)
      if (process.env.FAIL) throw new Error('broken handler')
      if (process.env.END) setImmediate(() => process.kill(process.pid, 'SIGTERM'))
    })
  }`

const files = { 'index.cjs': app, 'key.pem': privateKey, 'push.json': JSON.stringify(sample('push')) }
const handledIn = (folder: string) => readFileSync(join(folder, 'handled.txt'), 'utf8')

describe('hookserver probot run', () => {
  test('serves an app until a signal, with the flags of Probot in place of the environment', async () => {
    const cwd = project(files)
    const port = await freePort()
    const flags = ['-a', '1', '-P', 'key.pem', '-s', secret, '-p', String(port), '-H', '127.0.0.1', '-w', '/own']
    const without = ['-W', 'https://smee.io/h', '--log-format', 'json', '--log-level-in-string']
    const env = { END: '1', PRIVATE_KEY: 'not a key', GITHUB_WEBHOOKS_KEY: 'another', WEBHOOK_PATH: '/other' }
    const ended = hookserverProcess(['probot', 'run', ...flags, ...without, 'index.cjs'], env, { cwd })
    const url = `http://127.0.0.1:${port}/own`
    await expect
      .poll(() =>
        fetch(url).then(
          (response) => response.status,
          () => 0,
        ),
      )
      .not.toBe(0)
    expect((await send(url, 'push', 'one', secret)).status).toBe(200)
    const { code, stderr } = await ended
    expect(code).toBe(0)
    expect(handledIn(cwd)).toBe('refs/heads/master')
    for (const option of ['webhookProxy', 'logFormat', 'logLevelInString']) {
      expect(stderr).toContain(`The option "${option}"`)
    }
  })

  test('names the missing App ID', async () => {
    // In its own process: the message would name the line of a caller that is not a part of hookserver.
    const { code, stderr } = await hookserverProcess(['probot', 'run', 'index.cjs'], {}, { cwd: project(files) })
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^hookserver: Cannot run the Probot app: The App ID is miss/),
    ])
  })
})

describe('hookserver probot receive', () => {
  const args = ['probot', 'receive', '-e', 'push', '-p', 'push.json', 'index.cjs']

  test('runs the handlers for a payload', async () => {
    const cwd = project(files)
    const { code, stderr } = await hookserver(args, {}, { cwd })
    expect([code, handledIn(cwd)]).toEqual([0, 'refs/heads/master'])
    expect(stderr).toContain('There is neither a token nor an App')
  })

  test('fails if a handler fails, and shows its line', async () => {
    const { code, stderr } = await hookserver([...args, '-t', 'token'], { FAIL: '1' }, { cwd: project(files) })
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /\nindex\.cjs:\d+:\d+\n.*broken handler.*\n +\^\n\nError: broken handler\n[^\n]*index\.cjs.*\n\nhookserver: Cannot run the Probot app: index\.cjs:\d+:\d+: broken handler\n$/s,
      ),
    ])
  })

  test.each([
    [2, ['index.cjs'], 'The event is missing: pass --event, or set GITHUB_EVENT_NAME'],
    [2, ['-e', 'push', 'index.cjs'], 'The payload is missing: pass --payload-path, or set GITHUB_EVENT_PATH'],
    [1, ['-e', 'push', '-p', 'index.cjs', 'index.cjs'], 'Cannot read the payload in index.cjs: Unexpected token'],
  ])('ends with %i and names the mistake: %j', async (status, own, message) => {
    const { code, stderr } = await hookserver(['probot', 'receive', ...own], {}, { cwd: project(files) })
    expect([code, stderr]).toEqual([status, expect.stringContaining(message)])
  })
})
