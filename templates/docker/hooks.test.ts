/** Tests the handlers with signed sample payloads, without a server and without GitHub. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inject, sample, signedRequest } from 'hookserver/testing'

const secret = 'a secret for tests'
process.env.GITHUB_WEBHOOKS_KEY = secret // before the import, because new Hooks() reads it
const { default: hooks } = await import('./hooks.ts')

test('replies to a push with its ref and the number of commits', async () => {
  const payload = sample('push')
  payload.ref = 'refs/heads/main'
  const reply = await inject(hooks, signedRequest('push', { secret, payload }))
  assert.equal(reply.status, 200)
  assert.deepEqual(await reply.json(), { ref: 'refs/heads/main', commits: payload.commits.length })
})

test('replies to a new issue with its number and title', async () => {
  const payload = sample('issues.opened')
  payload.issue.number = 7
  payload.issue.title = 'The door does not open'
  const reply = await inject(hooks, signedRequest('issues.opened', { secret, payload }))
  assert.equal(await reply.text(), '#7 The door does not open')
})

test('rejects a delivery that is signed with another secret', async () => {
  const reply = await inject(hooks, signedRequest('push', { secret: 'another' }), { logger: false })
  assert.equal(reply.status, 400)
})
