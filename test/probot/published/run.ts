/**
 * `npm run test:probot`: compares `hookserver/probot` with the published package `probot`, and runs published apps.
 * `-- --source <folder>` also runs the tests of a clone of Probot against `hookserver/probot`.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { parseArgs } from 'node:util'
import * as own from '../../../src/probot/index.ts'
import { sample } from '../../../src/samples/index.ts'

const require = createRequire(import.meta.url)
const published = (await import(require.resolve('probot'))) as Record<string, Constructor>

interface Constructor {
  (...given: never[]): unknown
  prototype: object
}

const membersOf = (value: object): string[] =>
  Object.getOwnPropertyNames(value).filter((name) => !['length', 'name', 'prototype', 'constructor'].includes(name))

test('has all exports of the published package', () => {
  assert.deepEqual(
    Object.keys(published).filter((name) => !(name in own)),
    [],
  )
})

const { Context, Probot, ProbotOctokit, Server } = own
const app = new Probot({ githubToken: 'token' })
const server = new Server({ Probot: Probot.defaults({ githubToken: 'token' }) })
const classes: Record<string, [own: object, instance: object]> = {
  Probot: [Probot, app],
  Context: [Context, Context.prototype],
  Server: [Server, server],
  ProbotOctokit: [ProbotOctokit, new ProbotOctokit()],
}

for (const [name, [own, instance]] of Object.entries(classes)) {
  test(`${name} has the members of the published class`, () => {
    const theirs = published[name] as Constructor
    const missing = [
      ...membersOf(theirs).filter((member) => !(member in own)),
      ...membersOf(theirs.prototype).filter((member) => !(member in instance)),
    ]
    assert.deepEqual(missing, [])
  })
}

/** Runs an app with a delivery. @returns the requests that it sent. */
async function requestsOf(
  app: own.ApplicationFunction,
  event: own.WebhookEvent,
  answers: Readonly<Record<string, unknown>>,
): Promise<string[]> {
  const requests: string[] = []
  const fetch = async (address: string, { method = 'GET', body }: RequestInit = {}) => {
    const request = `${method} ${decodeURIComponent(new URL(address).pathname)}`
    requests.push(body ? `${request} ${body}` : request)
    const answer = answers[request]
    return answer === undefined ? Response.json({ message: 'Not Found' }, { status: 404 }) : Response.json(answer)
  }
  const log = { logLevel: 'fatal' } as const
  const probot = new own.Probot({ githubToken: 'token', request: { fetch }, ...log })
  await probot.load(app)
  await probot.receive(event)
  return requests
}

const repository = { id: 1, name: 'shop', full_name: 'acme/shop', owner: { login: 'acme' } }

test('runs delete-merged-branch, which was written for Probot 9', async () => {
  const head = { ref: 'topic', label: 'acme:topic', repo: { id: 1 } }
  const pull_request = { number: 2, merged: true, head, base: { repo: { id: 1 } } }
  const event = { id: '1', name: 'pull_request', payload: { action: 'closed', pull_request, repository } }
  const requests = await requestsOf(require('delete-merged-branch'), event as own.WebhookEvent, {
    'DELETE /repos/acme/shop/git/refs/heads/topic': {},
  })
  const file = '.github/delete-merged-branch-config.yml'
  assert.deepEqual(requests, [
    `GET /repos/acme/shop/contents/${file}`,
    `GET /repos/acme/.github/contents/${file}`,
    'DELETE /repos/acme/shop/git/refs/heads/topic',
  ])
})

test('runs probot-commands, which was written for Probot 0.10', async () => {
  const commands = require('probot-commands')
  const app = (probot: own.Probot) =>
    commands(probot, 'label', (context: own.Context<'issue_comment'>, command: { arguments: string }) =>
      context.github.issues.addLabels(context.issue({ labels: command.arguments.split(/, */) })),
    )
  const payload = { ...(sample('issue_comment.created') as object), comment: { body: '/label bug, help' } }
  const event = { id: '1', name: 'issue_comment', payload } as own.WebhookEvent
  const route = 'POST /repos/Codertocat/Hello-World/issues/1/labels'
  assert.deepEqual(await requestsOf(app, event, { [route]: [] }), [`${route} {"labels":["bug","help"]}`])
})

test('runs probot-metadata, which was written for Probot 10 to 12', async () => {
  const metadata = require('probot-metadata')
  const app = (probot: own.Probot) => probot.on('issues.opened', (context) => metadata(context).set('seen', true))
  const payload = { ...(sample('issues.opened') as object), installation: { id: 5 } }
  const issue = '/repos/Codertocat/Hello-World/issues/1'
  const answers = { [`GET ${issue}`]: { body: 'text' }, [`PATCH ${issue}`]: {} }
  const requests = await requestsOf(app, { id: '1', name: 'issues', payload } as own.WebhookEvent, answers)
  assert.deepEqual(
    requests.map((request) => request.split(' ', 2).join(' ')),
    [`GET ${issue}`, `PATCH ${issue}`],
  )
  assert.match(requests[1] as string, /<!-- probot = \{\\"5\\":\{\\"seen\\":true\}\} -->/)
})

/** The commit of Probot 14 whose tests are run. */
const commit = '4ea8ea48f11a43bc8f7ceba978a0a502cbb3587e'

/** The tests of Probot that fail, and why. docs/guides/probot.md describes these differences. */
const expectedFailures: Readonly<Record<string, string>> = {
  'Probot .version': 'the version is that of hookserver',
  'Probot constructor sets version': 'the version is that of hookserver',
  'Server Server.version': 'the version is that of hookserver',
  'Probot webhooks responds with the correct error if webhook secret does not match': 'another text in the log',
  'Probot webhooks responds with the correct error if webhook secret is not found': 'another text in the log',
  'Probot webhooks responds with the correct error if webhook secret is wrong': 'another text in the log',
  'Probot webhooks responds with the correct error if the PEM file is missing': 'another text in the log',
  'Probot webhooks responds with the correct error if the jwt could not be decoded': 'another text in the log',
  'Probot receive passes logger to webhooks': 'another text in the log',
  'ProbotOctokit with throttling enabled using default onSecondaryRateLimit': 'another text in the log',
  'Server webhook handler (POST /api/github/webhooks) GET unknown URL respond with a friendly error when x-hub-signature-256 is missing':
    'another text in the reply',
  "Probot constructor shouldn't overwrite `options.throttle` passed to `{Octokit: ProbotOctokit.defaults(options)}`":
    '`throttle: { enabled: false }` disables pauses',
  "run params defaults to JSON logs if NODE_ENV is set to 'production'": 'the first line warns about WEBHOOK_PROXY_URL',
  'run params runs with an array of strings': 'there is no page that creates an App',
  'run params runs without config and loads the setup app': 'there is no page that creates an App',
}

const { values } = parseArgs({ options: { source: { type: 'string' } } })
if (values.source !== undefined) {
  const source = resolve(values.source)
  test('passes the tests of Probot that use its public interface, apart from known differences', () => {
    const head = spawnSync('git', ['-C', source, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).stdout.trim()
    assert.equal(head, commit, `check out the commit that this list belongs to: git -C ${source} checkout ${commit}`)
    const failed = failedTestsOf(source)
    assert.deepEqual(failed.toSorted(), Object.keys(expectedFailures).toSorted())
  })
}

interface Report {
  testResults: { assertionResults: { fullName: string; status: string }[] }[]
}

/** Runs tests of a clone of Probot. @returns the names of those that fail. */
function failedTestsOf(source: string): string[] {
  const files = [
    ...['probot', 'context', 'create-probot', 'create-node-middleware', 'probot-octokit', 'run', 'server'],
    'integration/integration-add-handler',
  ]
  const vitest = join(import.meta.dirname, '../../../node_modules/.bin/vitest')
  const config = join(import.meta.dirname, 'source.config.ts')
  const names = files.map((file) => `test/${file}.test.ts`)
  const report = join(mkdtempSync(join(tmpdir(), 'probot-')), 'report.json')
  const args = ['run', '--root', source, '--config', config, '--reporter=json', `--outputFile=${report}`, ...names]
  spawnSync(vitest, args, { cwd: source, stdio: ['ignore', 'ignore', 'inherit'] })
  const { testResults }: Report = JSON.parse(readFileSync(report, 'utf8'))
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults)
  const [passed = [], failed = []] = ['passed', 'failed'].map((one) => tests.filter(({ status }) => status === one))
  console.log(`${passed.length} of ${passed.length + failed.length} tests of Probot pass`)
  return failed.map(({ fullName }) => fullName)
}
