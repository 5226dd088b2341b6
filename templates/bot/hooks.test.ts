/** Tests the bot with signed sample payloads, against a GitHub on this machine. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { inject, LocalGitHub, sample, signedRequest } from 'hookserver/testing'

const secret = 'a secret for tests'
process.env.GITHUB_WEBHOOKS_KEY = secret // before the import, because new Hooks() reads it
const { default: hooks } = await import('./hooks.ts')

const github = await LocalGitHub.start()
after(() => github.close())
const installation = { id: 5, repositories: ['Codertocat/Hello-World'] } // the repository of the samples
const { id, privateKey } = github.addApp({ id: 3, slug: 'bot', installations: [installation] })
const options = { apiUrl: github.url, app: { id, privateKey } }
await github.deliver('issues.opened', sample('issues.opened'), { hooks: [] }) // creates the issue, and sends nothing

test('answers a new issue with a comment', async () => {
  const payload = { ...sample('issues.opened'), installation: { id: 5 } }
  const reply = await inject(hooks, signedRequest('issues.opened', { secret, payload }), options)
  assert.equal(reply.status, 200)
  const { method, path, body } = github.requests.at(-1) ?? {}
  assert.equal(`${method} ${path}`, `POST /repos/Codertocat/Hello-World/issues/${payload.issue.number}/comments`)
  assert.deepEqual(body, { body: 'Thank you, @Codertocat! A maintainer will look into it.' })
})

test('does not answer another bot', async () => {
  const payload = { ...sample('issues.opened'), installation: { id: 5 } }
  if (payload.issue.user) payload.issue.user.type = 'Bot'
  const before = github.requests.length
  const reply = await inject(hooks, signedRequest('issues.opened', { secret, payload }), options)
  assert.equal(reply.status, 204)
  assert.equal(github.requests.length, before)
})
