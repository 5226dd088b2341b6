/** Tokens and private keys appear in no log, error or stored attempt, although requests to GitHub use them. */
import { generateKeyPairSync } from 'node:crypto'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { inspect } from 'node:util'
import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import type { Delivery, HooksOptions } from '../../src/index.ts'
import type { LocalGitHub } from '../../src/testing/index.ts'
import { addApp, attemptsFor, secret, startBot, startGitHub } from './bot-scene.ts'

const readRepository = async (delivery: Delivery) => {
  const octokit = await delivery.octokit()
  return octokit.rest.repos.get({ owner: 'Codertocat', repo: 'Hello-World', request: { retries: 0 } })
}

type Scene = [what: string, plan: (github: LocalGitHub) => unknown, change?: (options: HooksOptions) => HooksOptions]
const { privateKey: another } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const wrongKey = another.export({ type: 'pkcs1', format: 'pem' }).toString()

const scenes: Scene[] = [
  ['succeeds', () => {}],
  ['is forbidden', (github) => github.failAt(/^GET/, { status: 403, body: { message: 'Not accessible' } })],
  ['is rejected with its token', (github) => github.failAt(/^GET/, ...Array(3).fill({ status: 401, body: {} }))],
  ['gets a 502', (github) => github.failAt(/^GET/, { status: 502 })],
  ['is cut off', (github) => github.failAt(/^GET/, 'cut')],
  ['hangs', (github) => github.failAt(/^GET/, 'hang')],
  ['gets no token', (github) => github.failAt(/access_tokens/, { status: 403, body: { message: 'Suspended' } })],
  ['has the wrong key', () => {}, (options) => ({ ...options, app: { id: 3, privateKey: wrongKey } })],
  [
    'authenticates with a token',
    () => {},
    ({ app: _app, ...options }) => ({ ...options, token: 'ghp_aTokenOfTheTests' }),
  ],
]

test.each(scenes)('a request that %s shows no token and no key', async (_what, plan, change = (options) => options) => {
  const github = await startGitHub()
  const app = addApp(github)
  plan(github)
  const printed = (['log', 'info', 'warn', 'error'] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation(() => {}),
  )
  const octokits: unknown[] = []
  const work = async (delivery: Delivery) => {
    octokits.push(delivery, await delivery.octokit())
    await readRepository(delivery)
  }
  const errors: unknown[] = []
  const options = { onError: (error: unknown) => void errors.push(error), apiUrl: github.url, app }
  const bot = await startBot(change(options), work, { attempts: 1, timeout: 3000 })
  github.addHook({ app, url: bot.url, secret })
  await github.deliver('issues.opened')
  const attempts = await attemptsFor(bot.inbox)

  const shown = inspect([attempts, bot.logger.lines, errors, octokits, printed.map(({ mock }) => mock.calls)], {
    ...{ depth: Number.POSITIVE_INFINITY, showHidden: true, maxArrayLength: null, maxStringLength: null },
  })
  vi.restoreAllMocks()
  const secrets = [app.privateKey, wrongKey].flatMap((key) => key.split('\n').slice(1, -2))
  for (const { headers } of github.requests) secrets.push(String(headers.authorization).split(' ')[1] ?? '')
  secrets.push('ghp_aTokenOfTheTests')
  expect(github.requests.length).toBeGreaterThan(0)
  for (const one of secrets) {
    expect(one.length).toBeGreaterThan(15)
    expect(shown).not.toContain(one)
    expect(await asJson(errors)).not.toContain(one)
  }
})

/** Errors as `hookserver serve` logs them. */
function asJson(errors: readonly unknown[]): Promise<string> {
  const stream = new PassThrough()
  const log = pino({}, stream)
  for (const err of errors) log.error({ err }, 'failed')
  stream.end()
  return text(stream)
}
