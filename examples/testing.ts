/** Tests handlers without a server and without GitHub: `node examples/testing.ts` */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hooks } from 'hookserver'
import { inject, sample, signedRequest } from 'hookserver/testing'

const secret = 'any secret will do'
const hooks = new Hooks({ secret })
hooks.hook('issues.opened', ({ issue }) => ({ title: issue.title }))

test('an opened issue is answered with its title', async () => {
  const reply = await inject(hooks, signedRequest('issues.opened', { secret }))
  assert.equal(reply.status, 200)
  assert.deepEqual(await reply.json(), { title: sample('issues.opened').issue.title })
})

test('the payload can be changed', async () => {
  const payload = sample('issues.opened')
  payload.issue.title = 'Something else'
  const reply = await inject(hooks, signedRequest('issues.opened', { secret, payload }))
  assert.deepEqual(await reply.json(), { title: 'Something else' })
})

test('rejects an unsigned delivery', async () => {
  const reply = await inject(hooks, signedRequest('issues.opened'))
  assert.equal(reply.status, 400)
})
