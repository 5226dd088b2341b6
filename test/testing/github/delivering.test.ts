import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { verify } from '../../../src/index.ts'
import { sample } from '../../../src/testing/index.ts'
import { ask, secret, start, startPlain, startReceiver } from './scene.ts'

describe('an event', () => {
  test('is delivered to every active webhook that subscribes to it, with one GUID', async () => {
    const [github, receiver] = [await start(), await startReceiver()]
    const { url, deliveries } = receiver
    const one = github.addHook({ repository: 'octo/hello', url, secret, events: ['issues', 'push'] })
    const two = github.addHook({ organization: 'octo-org', url, secret })
    github.addHook({ repository: 'octo/hello', url, secret, events: ['push'] })
    github.addHook({ repository: 'octo/hello', url, secret, active: false })
    const made = await github.deliver('issues.opened')
    expect(made.map(({ hookId, status, event, action }) => [hookId, status, event, action])).toEqual([
      [one.id, 'OK', 'issues', 'opened'],
      [two.id, 'OK', 'issues', 'opened'],
    ])
    expect(new Set([...made, ...deliveries].map(({ guid }) => guid)).size).toBe(1)
    expect(deliveries.map(({ hookId, targetType }) => [hookId, targetType]).sort()).toEqual([
      [String(one.id), 'repository'],
      [String(two.id), 'organization'],
    ])
    expect(made[0]?.response.payload).toBe('taken')
  })

  test('is sent with a given payload and GUID, to the given webhooks', async () => {
    const [github, { url, deliveries }] = [await start(), await startReceiver()]
    const chosen = github.addHook({ repository: 'octo/hello', url, secret, events: ['push'] })
    github.addHook({ repository: 'octo/hello', url, secret })
    const payload = { ...sample('issues.opened'), action: 'closed' }
    const made = await github.deliver('issues', payload, { hooks: [chosen], guid: 'a-guid' })
    expect(made).toMatchObject([{ hookId: chosen.id, guid: 'a-guid', action: 'closed', request: { payload } }])
    expect(deliveries.map(({ guid, payload }) => [guid, payload])).toEqual([['a-guid', payload]])
  })

  test('has the action of its name, unless the payload has one', async () => {
    const [github, { url }] = [await start(), await startReceiver()]
    const hook = github.addHook({ repository: 'octo/hello', url, secret })
    const payload = { check_suite: { head_sha: 'a' } }
    await github.deliver('check_suite.requested', payload)
    await github.deliver('check_suite.requested', { ...payload, action: 'completed' })
    github.record(hook, [{ event: 'check_suite.requested', payload }])
    expect(github.deliveries(hook).map(({ action }) => action)).toEqual(['requested', 'completed', 'requested'])
  })

  test("has all of GitHub's headers, and both signatures", async () => {
    const [github, { url, got }] = [await start(), await startPlain(200)]
    const hook = github.addHook({ repository: 'octo/hello', url, secret })
    const [made] = await github.deliver('push')
    const [{ headers, rawHeaders, body } = { headers: {}, rawHeaders: [], body: '' }] = got
    const { id } = (await ask(github, 'GET /repos/octo/hello')).json
    expect(headers).toMatchObject({
      accept: '*/*',
      'content-type': 'application/json',
      'x-github-delivery': made?.guid,
      'x-github-event': 'push',
      'x-github-hook-id': String(hook.id),
      'x-github-hook-installation-target-id': String(id),
      'x-github-hook-installation-target-type': 'repository',
      'user-agent': expect.stringMatching(/^GitHub-Hookshot\/\w+$/),
    })
    for (const name of ['x-hub-signature', 'x-hub-signature-256'])
      expect(await verify(secret, body, String(headers[name])), name).toBe(true)
    expect(rawHeaders).toContain('X-GitHub-Hook-Installation-Target-ID')
    expect(made?.request.headers).toMatchObject({ 'X-Hub-Signature-256': headers['x-hub-signature-256'] })
  })

  test('is sent as a form, and without a signature if there is no secret', async () => {
    const [github, { url, got }] = [await start(), await startPlain(204)]
    github.addHook({ repository: 'octo/hello', url, contentType: 'form' })
    const [made] = await github.deliver('ping')
    expect(got[0]?.headers).toMatchObject({ 'content-type': 'application/x-www-form-urlencoded' })
    expect(got[0]?.headers).not.toHaveProperty('x-hub-signature-256')
    expect(JSON.parse(new URLSearchParams(got[0]?.body).get('payload') ?? '')).toEqual(made?.request.payload)
  })

  test("has the installation in the payload for an App's webhook, unless the given payload has one", async () => {
    const [github, { url, deliveries }] = [await start(), await startReceiver()]
    const push = sample('push')
    const { full_name: repository } = push.repository
    const installations = [
      { id: 5, repositories: ['octo/hello'] },
      { id: 6, repositories: [repository] },
    ]
    const app = github.addApp({ id: 3, installations })
    const hook = github.addHook({ app, url, secret })
    github.addHook({ repository, url, secret })
    const [toApp, toRepository] = await github.deliver('push')
    expect(toApp).toMatchObject({ hookId: hook.id, installationId: 6, repositoryId: push.repository.id })
    expect(toRepository?.request.payload).toEqual(push)
    expect(deliveries.find(({ targetType }) => targetType === 'integration')).toMatchObject({
      targetId: '3',
      installationId: '6',
    })
    const [own] = await github.deliver('push', { ...push, installation: { id: 7 } })
    expect(own?.installationId).toBe(7)
  })

  test('of more than 25 MiB is not delivered', async () => {
    const [github, { url, got }] = [await start(), await startPlain(200)]
    github.addHook({ repository: 'octo/hello', url })
    expect(await github.deliver('push', { large: 'x'.repeat(25 * 1024 * 1024) })).toEqual([])
    expect(got).toEqual([])
  })

  test('without a subscriber creates no delivery', async () => {
    expect(await (await start()).deliver('push')).toEqual([])
  })
})

describe('a delivery', () => {
  test.each([
    [500, 'Invalid HTTP Response: 500', 'misconfigured'],
    [302, 'Invalid HTTP Response: 302', 'misconfigured'],
    [202, 'OK', 'active'],
  ])('has the status of the answer: %i', async (status, text, health) => {
    const [github, { url, got }] = [await start({ token: 'right' }), await startPlain(status, { location: '/other' })]
    const hook = github.addHook({ repository: 'octo/hello', url, secret })
    const [made] = await github.deliver('push')
    expect(made).toMatchObject({ status: text, statusCode: status, response: { payload: 'an answer' } })
    expect(got).toHaveLength(1) // no redirect is followed
    const { json } = await ask(github, `GET /repos/octo/hello/hooks/${hook.id}`, { token: 'right' })
    expect(json.last_response).toEqual({ code: status, status: health, message: text })
  })

  test('is cancelled when the local GitHub closes', async () => {
    const [github, { url, server }] = [await start(), await startPlain(0)]
    const hook = github.addHook({ repository: 'octo/hello', url })
    const delivering = github.deliver('push')
    await once(server, 'request')
    await github.close()
    expect(await delivering).toHaveLength(1)
    expect(github.deliveries(hook)[0]?.status).not.toBe('OK')
  })
})
