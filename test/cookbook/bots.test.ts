/** Runs the recipes that call GitHub or another service. The programs find a local GitHub, and a local service. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Octokit } from 'octokit'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { hookserver } from '../../src/adapters/node.ts'
import { verify } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite/index.ts'
import { inject, LocalGitHub, run, sample, signedRequest } from '../../src/testing/index.ts'
import { listen } from '../adapters/host.ts'
import { inboxFile } from '../inbox/stores.ts'

type Program = { default: Parameters<typeof run>[0] }

const secret = 'the secret of the recipes'
const repository = { owner: 'Codertocat', repo: 'Hello-World' }
/** The member that GitHub adds to the deliveries of an App. */
const installation = { id: 5, node_id: 'x' }

let github: LocalGitHub

/** The variables of the programs. */
let environment: Readonly<Record<string, string>>

function setEnvironment(more: Readonly<Record<string, string>> = {}): void {
  vi.unstubAllEnvs()
  for (const [name, value] of Object.entries({ ...environment, ...more })) vi.stubEnv(name, value)
}

/** The requests that the service got. */
const received: { path: string; headers: IncomingHttpHeaders; body: Buffer }[] = []
let serviceStatus = 200
const service = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray())
  received.push({ path: request.url ?? '', headers: request.headers, body })
  response.writeHead(serviceStatus).end()
})

beforeAll(async () => {
  github = await LocalGitHub.start({ token: 'a-token' })
  const { privateKey } = github.addApp({ id: 3, slug: 'shop-bot', installations: [{ id: 5, account: 'Codertocat' }] })
  await once(service.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
  environment = {
    ...{ GITHUB_API_URL: github.url, GITHUB_APP_ID: '3', GITHUB_APP_PRIVATE_KEY: privateKey },
    ...{
      GITHUB_WEBHOOKS_KEY: secret,
      PROJECT_ID: 'PVT_1',
      SLACK_WEBHOOK_URL: `${url}/slack`,
      DEPLOY_URL: `${url}/deploy`,
    },
    ...{ SERVICES: JSON.stringify({ audit: `${url}/audit`, chat: `${url}/chat` }), FORWARD_SECRET: 'another secret' },
  }
  setEnvironment()
  for (const name of ['issues.opened', 'pull_request.opened'] as const) await github.deliver(name)
})

afterAll(async () => {
  vi.unstubAllEnvs()
  service.close()
  await github.close()
})

/** The bodies of the requests to GitHub with this method and this end of the path. */
const sent = (method: string, path: string) =>
  github.requests.flatMap((one) => (one.method === method && one.path.endsWith(path) ? [one.body] : []))

test('answer-comment answers a comment that mentions the bot, once', async () => {
  const { default: hooks }: Program = await import('../../examples/cookbook/answer-comment.ts')
  const { rest } = new Octokit({ baseUrl: github.url, auth: 'a-token', throttle: { enabled: false } })
  const { data } = await rest.issues.createComment({ ...repository, issue_number: 1, body: 'Hello @shop-bot!' })
  const payload = { ...sample('issue_comment.created'), installation }
  payload.issue.number = 1
  Object.assign(payload.comment, { id: data.id, body: data.body, created_at: data.created_at })
  const answer = async () => (await run(hooks, 'issue_comment.created', { payload }))[0]
  expect(await answer()).toMatchObject({ returned: 'answered' })
  expect(await answer()).toMatchObject({ returned: 'answered before' })
  const answers = (await rest.issues.listComments({ ...repository, issue_number: 1 })).data.slice(1)
  expect(answers).toMatchObject([
    { user: { login: 'shop-bot[bot]' }, body: expect.stringContaining('within two days') },
  ])
  payload.comment.body = 'Thanks, me@shop-bot.example'
  expect(await answer()).toMatchObject({ returned: 'nothing to answer' })
  payload.comment.body = '@shop-bot'
  payload.sender.type = 'Bot'
  expect(await answer()).toMatchObject({ returned: 'nothing to answer' })
})

test('check-run rejects a long title, and then accepts a shorter one', async () => {
  const { default: hooks }: Program = await import('../../examples/cookbook/check-run.ts')
  const { rest } = new Octokit({ baseUrl: github.url, auth: 'a-token', throttle: { enabled: false } })
  const payload = { ...sample('pull_request.opened'), installation }
  const check = async (title: string) => {
    payload.pull_request.title = title
    expect((await run(hooks, 'pull_request.opened', { payload }))[0]?.error).toBeUndefined()
    const { data } = await rest.checks.listForRef({ ...repository, ref: payload.pull_request.head.sha })
    return data.check_runs[0]
  }
  expect(await check('x'.repeat(73))).toMatchObject({ name: 'short title', conclusion: 'failure' })
  const accepted = { conclusion: 'success', output: { title: 'The title has 72 characters' } }
  expect(await check('x'.repeat(72))).toMatchObject(accepted)
})

test('graphql adds an issue to a project', async () => {
  const { default: hooks }: Program = await import('../../examples/cookbook/graphql.ts')
  const item = { data: { addProjectV2ItemById: { item: { id: 'item-1' } } } }
  github.route('POST', '/graphql', () => ({ body: item }))
  const payload = { ...sample('issues.opened'), installation }
  expect(await run(hooks, 'issues.opened', { payload })).toMatchObject([{ returned: 'item-1' }])
  const variables = { project: 'PVT_1', content: payload.issue.node_id }
  expect(sent('POST', '/graphql')).toMatchObject([
    { query: expect.stringContaining('addProjectV2ItemById'), variables },
  ])
  github.route('POST', '/graphql', () => ({ body: { errors: [{ type: 'NOT_FOUND', message: 'No such project' }] } }))
  const [failed] = await run(hooks, 'issues.opened', { payload })
  expect(failed).toMatchObject({ outcome: 'failed', error: { message: expect.stringContaining('No such project') } })
})

test('start-workflow starts a workflow of another repository with the release', async () => {
  const { default: hooks }: Program = await import('../../examples/cookbook/start-workflow.ts')
  const dispatches = '/repos/Codertocat/site/actions/workflows/update.yml/dispatches'
  github.route('POST', dispatches, () => ({ status: 204, body: undefined }))
  const payload = { ...sample('release.published'), installation }
  const [result] = await run(hooks, 'release.published', { payload })
  expect(result?.error).toBeUndefined()
  const inputs = { version: payload.release.tag_name, delivery: expect.any(String) }
  expect(sent('POST', dispatches)).toEqual([{ ref: 'main', inputs }])
})

test('monorepo deploys the packages that a push to the default branch changes', async () => {
  const { default: hooks }: Program = await import('../../examples/cookbook/monorepo.ts')
  github.route('POST', '/repos/{owner}/{repo}/deployments', ({ body }) => ({ status: 201, body }))
  const push = (...files: string[]) => {
    const [commit] = sample('push', 2).commits
    const commits = [{ ...commit, added: [], removed: [], modified: files }]
    return { ...sample('push'), ref: 'refs/heads/master', forced: false, commits, installation }
  }
  const deployed = async (payload: object) => {
    const before = sent('POST', '/deployments').length
    const results = await run(hooks, 'push', { payload: payload as never })
    for (const { outcome, error } of results) expect(['succeeded', 'discarded'], String(error)).toContain(outcome)
    return sent('POST', '/deployments')
      .slice(before)
      .map((body) => (body as { environment: string }).environment)
  }
  expect(await deployed(push('packages/web/index.html'))).toEqual(['web'])
  expect((await deployed(push('packages/shared/money.ts'))).toSorted()).toEqual(['api', 'web'])
  expect(await deployed(push('packages/api/README.md', 'README.md'))).toEqual([])
  expect(await deployed({ ...push('packages/web/index.html'), ref: 'refs/heads/draft' })).toEqual([])
})

test('fan-out passes the bytes on to each service, signed with another secret', async () => {
  const { default: hooks }: Program = await import('../../examples/cookbook/fan-out.ts')
  received.length = 0
  const results = await run(hooks, 'push')
  expect(results.map(({ handler, returned }) => [handler, returned])).toEqual([
    ['forward-audit', 200],
    ['forward-chat', 200],
  ])
  expect(received.map(({ path }) => path)).toEqual(['/audit', '/chat'])
  for (const { headers, body } of received) {
    expect(headers).toMatchObject({ 'x-github-event': 'push', 'content-type': 'application/json' })
    expect(await verify('another secret', body, headers['x-hub-signature-256'] as string)).toBe(true)
    expect(JSON.parse(body.toString())).toEqual(sample('push'))
  }
  serviceStatus = 500
  expect(await run(hooks, 'push')).toMatchObject([{ outcome: 'failed' }, { outcome: 'failed' }])
  serviceStatus = 200
})

test('slack writes to the channel when a delivery is dead', async () => {
  const { default: hooks }: Program = await import('../../examples/cookbook/slack.ts')
  received.length = 0
  serviceStatus = 404
  const inbox = sqlite(inboxFile())
  expect(
    (await inject(hooks, signedRequest('push', { secret }), { inbox, logger: false, onError: () => {} })).status,
  ).toBe(202)
  await expect.poll(() => received.map(({ path }) => path)).toEqual(['/deploy', '/slack'])
  serviceStatus = 200
  const reason = 'Unrecoverable: The service does not know this commit'
  const text = `deploy gave up on push of Codertocat/Hello-World, delivery 1: ${reason}`
  expect(JSON.parse(received[1]?.body.toString() ?? '')).toEqual({ text })
})

test('enterprise-server answers an issue of an Enterprise Server, and accepts only its address', async () => {
  const server = await LocalGitHub.start({ token: 'ghe-token', enterprise: true })
  onTestFinished(() => server.close())
  onTestFinished(() => setEnvironment())
  setEnvironment({
    GITHUB_API_URL: server.url,
    HOOKSERVER_GITHUB_TOKEN: 'ghe-token',
    GITHUB_ADDRESSES: '127.0.0.1',
  })
  const { default: hooks }: Program = await import('../../examples/cookbook/enterprise-server.ts')
  const listener = createServer(hookserver(hooks as never))
  onTestFinished(() => void listener.close())
  const url = `${await listen(listener)}/hooks`
  server.addHook({ repository: 'Codertocat/Hello-World', url, secret })
  expect(await server.deliver('issues.opened')).toMatchObject([{ status: 'OK' }])
  const comment = { path: '/api/v3/repos/Codertocat/Hello-World/issues/1/comments', status: 201 }
  expect(server.requests.at(-1)).toMatchObject({ ...comment, body: { body: 'Thank you, @Codertocat.' } })
  const elsewhere = await inject(hooks, signedRequest('ping', { secret }), {
    ...{ validateIp: true, clientAddress: () => '192.0.2.1', logger: false },
  })
  expect(elsewhere.status).toBe(403)
})
