import { expect, onTestFinished, test } from 'vitest'
import { GitHubClient } from '../../../src/github/github-client.ts'
import { Hooks } from '../../../src/hooks.ts'
import { optionsOf } from '../../../src/internals.ts'
import { resolveConfig } from '../../../src/server/config/resolve-config.ts'
import { hooksOptions } from '../../../src/server/config/server-options.ts'
import { openGitHubStatus } from '../../../src/server/github.ts'
import { RateLimits } from '../../../src/server/rate-limits.ts'
import { resolveOptions } from '../../../src/settings.ts'
import { diagnostics } from '../../../src/telemetry/diagnostics.ts'
import { LocalGitHub, type LocalGitHubOptions } from '../../../src/testing/index.ts'
import { openAdmin } from '../administered.ts'

const secret = 'the secret of the webhook'
const url = 'https://user:pass@hooks.example/hooks?key=hidden'

async function startGitHub(options: LocalGitHubOptions = { token: 'a-token' }): Promise<LocalGitHub> {
  const github = await LocalGitHub.start(options)
  onTestFinished(() => github.close())
  return github
}

interface Served {
  flags?: Readonly<Record<string, string>>
  app?: { id: number; privateKey: string }
  permissions?: Readonly<Record<string, string>>
}

/** The admin API of a server with a handler for pushes. */
async function serve(github: LocalGitHub, { flags = {}, app, permissions }: Served) {
  const config = resolveConfig({ flags: { apiUrl: github.url, ...flags }, env: {} })
  const hooks = new Hooks({ secret, app, logger: false })
  hooks.on('push', () => undefined)
  const settings = resolveOptions({ ...optionsOf(hooks), ...hooksOptions(config), app, secret })
  const gitHubStatus = openGitHubStatus({ config, settings }, { name: 'hooks.ts', hooks, config: { permissions } })
  const admin = await openAdmin({ gitHubStatus })
  return { read: async () => (await admin.get('/api/v1/github')).json.status }
}

const problemsIn = (findings: readonly { state: string; what: string; found: string }[]) =>
  findings.filter(({ state }) => state !== 'fine').map(({ what, found }) => `${what}: ${found}`)

test('shows the webhook of a repository as GitHub sees it, without secrets, and changes nothing', async () => {
  const github = await startGitHub()
  const hook = github.addHook({ repository: 'acme/shop', url, secret, events: ['push', 'star'] })
  github.record(hook, [{ event: 'push', statusCode: 502 }])
  const { read } = await serve(github, { flags: { recover: 'acme/shop', githubToken: 'a-token' } })
  const status = await read()
  expect(status).toMatchObject({
    problems: [],
    webhooks: [
      {
        ...{ name: `acme/shop#${hook.id}`, url: 'https://hooks.example/hooks', events: ['push', 'star'] },
        newest: [{ event: 'push', ok: false, status: 'Invalid HTTP Response: 502' }],
      },
    ],
  })
  expect(problemsIn(status.webhooks[0].findings)).toEqual([
    'events: without a handler: star',
    'receiver: the push failed: Invalid HTTP Response: 502',
    expect.stringMatching(/^deliveries: 1 of the last 1 failed, one \d+s ago: Invalid HTTP Response: 502$/),
  ])
  expect(JSON.stringify(status)).not.toMatch(/hidden|user:pass|the secret of the webhook/)
  expect(github.requests.filter(({ method }) => method !== 'GET')).toEqual([])
})

test('finds a wrong secret, an inactive webhook and a missing event', async () => {
  const github = await startGitHub()
  const hook = github.addHook({ repository: 'acme/shop', url, secret: 'another', events: ['star'], active: false })
  github.record(hook, [{ event: 'star' }])
  const { read } = await serve(github, { flags: { recover: 'acme/shop', githubToken: 'a-token' } })
  const [webhook] = (await read()).webhooks
  expect(problemsIn(webhook.findings)).toMatchObject([
    'events: missing: push',
    'active: no',
    expect.stringMatching(
      /^secret: not proved: the signature of the star of \d+s ago does not match the secret of the/,
    ),
  ])
})

test('lists the rate limits that have not reset, and the smallest share of requests left first', async () => {
  const rateLimits = new RateLimits()
  onTestFinished(() => rateLimits.close())
  const admin = await openAdmin({ rateLimits })
  const read = async () => (await admin.get('/api/v1/github/limits')).json.limits
  expect(await read()).toEqual([])
  const limit = { resource: 'core', limit: 5000, remaining: 4000, resetAt: Date.now() + 3_600_000 }
  const [one, two] = [
    { ...limit, caller: 'installation 1' },
    { ...limit, caller: 'installation 2' },
  ]
  diagnostics.rateLimit?.publish(one)
  diagnostics.rateLimit?.publish(two)
  diagnostics.rateLimit?.publish({ ...two, remaining: 7 })
  diagnostics.rateLimit?.publish({ ...limit, caller: 'token', resetAt: Date.now() - 1 })
  expect(await read()).toEqual([{ ...two, remaining: 7 }, one])
  for (let id = 3; id < 200; id++) diagnostics.rateLimit?.publish({ ...limit, caller: `installation ${id}` })
  expect(await read()).toHaveLength(100)
})

test('a server that polls need not be reachable', async () => {
  const github = await startGitHub()
  const hook = github.addHook({ repository: 'acme/shop', url: 'http://127.0.0.1:9/hooks', events: ['push'] })
  github.record(hook, [{ event: 'push', statusCode: 502 }])
  const { read } = await serve(github, { flags: { pull: 'acme/shop', githubToken: 'a-token' } })
  expect(problemsIn((await read()).webhooks[0].findings)).toEqual([])
})

test('a server that polls one webhook shows the failed deliveries of another one that it recovers', async () => {
  const github = await startGitHub()
  for (const repository of ['acme/shop', 'acme/web']) {
    const hook = github.addHook({ repository, url: 'https://hooks.example/hooks', secret, events: ['push'] })
    github.record(hook, [{ event: 'push', statusCode: 502 }])
  }
  const { read } = await serve(github, { flags: { recover: 'acme/shop', pull: 'acme/web', githubToken: 'a-token' } })
  const { webhooks } = await read()
  const failures = webhooks.map(({ findings }: { findings: Parameters<typeof problemsIn>[0] }) => {
    return problemsIn(findings).filter((problem) => problem.startsWith('deliveries')).length
  })
  expect(failures).toEqual([1, 0])
})

test('shows the App, the permissions and events that it lacks, and its installations', async () => {
  const github = await startGitHub({})
  const app = github.addApp({ id: 7, name: 'Shop bot', permissions: { metadata: 'read', issues: 'read' } })
  const { id: installation } = await github.installApp(app, { account: 'acme' })
  const client = new GitHubClient(resolveOptions({ app, apiUrl: github.url, validateSignature: false }))
  await (await client.requesterFor('app')).request(`PUT /app/installations/${installation}/suspended`)
  const { read } = await serve(github, { app, permissions: { issues: 'write' } })
  const status = await read()
  expect(status).toMatchObject({ problems: [], webhooks: [], app: { name: 'Shop bot' } })
  expect(problemsIn(status.app.findings)).toEqual([
    'permission: contents: the handlers need read, the App has no access',
    'permission: issues: the handlers need write, the App has read',
    'event: the App does not subscribe to push',
  ])
  expect(status.app.installations).toMatchObject([{ account: 'acme', coversAll: true, isSuspended: true }])
})

test('says what GitHub did not show, and shows the rest', async () => {
  const github = await startGitHub()
  github.addHook({ repository: 'acme/shop', url, secret, events: ['push'] })
  const { read } = await serve(github, { flags: { recover: 'acme/gone,acme/shop', githubToken: 'a-token' } })
  const { problems, webhooks } = await read()
  expect(problems).toMatchObject([{ target: 'acme/gone', problem: expect.stringMatching(/^GitHub shows no webhooks/) }])
  expect(webhooks).toHaveLength(1)
})

test('a rate limit is a problem at once, not a wait', async () => {
  const github = await startGitHub({ token: 'a-token', limits: { authorized: 0 } })
  github.addHook({ repository: 'acme/shop', url, events: ['push'] })
  const { read } = await serve(github, { flags: { recover: 'acme/shop', githubToken: 'a-token' } })
  expect((await read()).problems).toMatchObject([{ problem: expect.stringMatching(/^GitHub's rate limit allows no/) }])
})

test('requests that follow within a minute share the answers of GitHub', async () => {
  const github = await startGitHub()
  github.addHook({ repository: 'acme/shop', url, secret, events: ['push'] })
  const { read } = await serve(github, { flags: { recover: 'acme/shop', githubToken: 'a-token' } })
  const [first] = await Promise.all([read(), read()])
  const { length } = github.requests
  expect(await read()).toEqual(first)
  expect(github.requests).toHaveLength(length)
})

test('without webhooks, an App or credentials, there is no status', async () => {
  const github = await startGitHub()
  const nothing = await serve(github, { flags: { githubToken: 'a-token' } })
  expect(await nothing.read()).toBeUndefined()
  const noCredentials = await serve(github, { flags: { recover: 'acme/shop' } })
  expect(await noCredentials.read()).toBeUndefined()
})
