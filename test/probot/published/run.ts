/**
 * `npm run test:probot`: compares `hookserver/probot` with the published package `probot`, and runs published apps.
 * `-- --source <folder>` also runs the tests of a clone of Probot against `hookserver/probot`.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
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

const { values } = parseArgs({ options: { source: { type: 'string' } } })
if (values.source !== undefined) runTestsOf(resolve(values.source))

/** Runs the tests of a clone of Probot that use its public interface. */
function runTestsOf(source: string): void {
  const files = [
    ...['probot', 'context', 'create-probot', 'create-node-middleware', 'probot-octokit', 'run', 'server'],
    'integration/integration-add-handler',
  ]
  const vitest = join(import.meta.dirname, '../../../node_modules/.bin/vitest')
  const config = join(import.meta.dirname, 'source.config.ts')
  const args = ['run', '--root', source, '--config', config, ...files.map((file) => `test/${file}.test.ts`)]
  const { status } = spawnSync(vitest, args, { stdio: 'inherit' })
  console.log(`vitest ended with ${status}: docs/guides/probot.md lists the differences that make tests of Probot fail`)
}
