import { describe, expect, test } from 'vitest'
import { ask, octokitFor, secondAt, secret, start, startReceiver } from './scene.ts'

const token = 'right'
const repo = { owner: 'octo', repo: 'hello' }

describe('a webhook created through the API', () => {
  test('receives a ping, then the events it subscribes to, signed', async () => {
    const [github, { url, deliveries }] = [await start({ token }), await startReceiver()]
    github.addRepository('octo/hello')
    const { rest } = octokitFor(github, token)
    const config = { url, secret, content_type: 'json' }
    const { data, status } = await rest.repos.createWebhook({ ...repo, config, events: ['issues'] })
    expect([status, data.active, data.events, data.config.secret]).toEqual([201, true, ['issues'], '********'])
    await github.idle()
    await github.deliver('push')
    await github.deliver('issues.opened')
    expect(deliveries.map(({ event }) => event)).toEqual(['ping', 'issues'])
    expect(deliveries[0]?.payload).toMatchObject({
      hook_id: data.id,
      hook: { id: data.id },
      repository: { name: 'hello' },
    })
    expect((await rest.repos.listWebhooks(repo)).data).toMatchObject([{ id: data.id, last_response: { code: 200 } }])
  })

  test('of an organization receives a ping, and another one on request', async () => {
    const [github, { url, deliveries }] = [await start({ token }), await startReceiver()]
    github.addHook({ organization: 'octo-org', url: 'http://127.0.0.1:1/hooks' })
    const { rest } = octokitFor(github, token)
    const config = { url, secret, content_type: 'json' }
    const { data } = await rest.orgs.createWebhook({ org: 'octo-org', name: 'web', config })
    await github.idle()
    await rest.orgs.pingWebhook({ org: 'octo-org', hook_id: data.id })
    await github.idle()
    expect(deliveries.map(({ event, targetType }) => [event, targetType])).toEqual([
      ['ping', 'organization'],
      ['ping', 'organization'],
    ])
    expect((await rest.orgs.listWebhooks({ org: 'octo-org' })).data).toHaveLength(2)
    expect(await ask(github, 'GET /orgs/octocat/hooks', { token })).toMatchObject({ status: 404 })
  })

  test("has GitHub's defaults: form encoding and the push event", async () => {
    const github = await start({ token })
    github.addRepository('octo/hello')
    const body = { config: { url: 'http://127.0.0.1:1/hooks' } }
    const { json } = await ask(github, 'POST /repos/octo/hello/hooks', { token, body })
    expect(json).toMatchObject({ events: ['push'], config: { content_type: 'form', insecure_ssl: '0' } })
    expect(json.config).not.toHaveProperty('secret')
  })

  test.each([
    [{}, { field: 'url', code: 'missing_field' }],
    [{ config: { url: 'ftp://127.0.0.1/' } }, { field: 'url', code: 'custom' }],
    [{ config: { url: 'nowhere' } }, { field: 'url', code: 'custom' }],
    [
      { config: { url: 'http://127.0.0.1:1/' }, events: 'push' },
      { field: 'events', code: 'invalid' },
    ],
    [{ config: { url: 'http://127.0.0.1:1/there' } }, { message: 'Hook already exists on this repository' }],
  ])('is rejected if it is invalid: %j', async (body, error) => {
    const github = await start({ token })
    github.addHook({ repository: 'octo/hello', url: 'http://127.0.0.1:1/there' })
    const { status, json } = await ask(github, 'POST /repos/octo/hello/hooks', { token, body })
    expect([status, json]).toMatchObject([422, { message: 'Validation Failed', errors: [error] }])
  })
})

describe('a changed webhook', () => {
  test('cannot get the URL of another webhook of its owner', async () => {
    const github = await start({ token })
    const [hook, other] = [1, 2].map((port) => {
      return github.addHook({ repository: 'octo/hello', url: `http://127.0.0.1:${port}/hooks` })
    })
    const path = `/repos/octo/hello/hooks/${hook?.id}`
    const config = { url: other?.url }
    const answers = [
      await ask(github, `PATCH ${path}`, { token, body: { config } }),
      await ask(github, `PATCH ${path}/config`, { token, body: config }),
    ]
    const rejection = { status: 422, json: { errors: [{ message: 'Hook already exists on this repository' }] } }
    expect(answers).toMatchObject([rejection, rejection])
    const own = { token, body: { config: { url: hook?.url } } }
    expect(await ask(github, `PATCH ${path}`, own)).toMatchObject({ status: 200, json: { config: own.body.config } })
  })

  test('has the changed members and keeps the others', async () => {
    const [github, { url, deliveries }] = [await start({ token }), await startReceiver()]
    const hook = github.addHook({ repository: 'octo/hello', url: 'http://127.0.0.1:1/hooks', events: ['push'] })
    const { rest } = octokitFor(github, token)
    const at = { ...repo, hook_id: hook.id }
    github.clock.advance(60_000)
    const more = { add_events: ['issues', 'star'], remove_events: ['push'] }
    const earliest = secondAt(github)
    const { data } = await rest.repos.updateWebhook({ ...at, ...more })
    expect(data).toMatchObject({ events: ['issues', 'star'], config: { content_type: 'json' }, active: true })
    expect(Date.parse(data.updated_at)).toBeGreaterThanOrEqual(earliest)
    expect(Date.parse(data.updated_at)).toBeLessThanOrEqual(secondAt(github))
    expect(Date.parse(data.created_at)).toBeLessThanOrEqual(earliest - 60_000)
    const config = { url, secret, content_type: 'form' }
    await ask(github, `PATCH /repos/octo/hello/hooks/${hook.id}/config`, { token, body: config })
    await github.deliver('star.created')
    expect(deliveries.map(({ event, headers }) => [event, headers['content-type']])).toEqual([
      ['star', 'application/x-www-form-urlencoded'],
    ])
    await rest.repos.updateWebhook({ ...at, active: false })
    expect(await github.deliver('star.created')).toEqual([])
  })

  test.each([
    [{}, { content_type: 'form', insecure_ssl: '0' }],
    [
      { content_type: 'json', secret: 'new', insecure_ssl: '1' },
      { content_type: 'json', secret: '********', insecure_ssl: '1' },
    ],
  ])('has only the configuration of the request, which replaces the old one: %j', async (given, shown) => {
    const github = await start({ token })
    const hook = github.addHook({ repository: 'octo/hello', url: 'http://127.0.0.1:1/hooks', secret })
    await ask(github, `PATCH /repos/octo/hello/hooks/${hook.id}/config`, { token, body: { insecure_ssl: '1' } })
    const [url, body] = ['http://127.0.0.1:1/new', { config: { url: 'http://127.0.0.1:1/new', ...given } }]
    const { json } = await ask(github, `PATCH /repos/octo/hello/hooks/${hook.id}`, { token, body })
    expect(json.config).toEqual({ url, ...shown })
    expect(hook).toMatchObject({ url, secret: 'secret' in given ? 'new' : undefined, events: ['*'] })
  })

  test('keeps its configuration if the new one has no URL, or if the request has none', async () => {
    const github = await start({ token })
    const hook = github.addHook({ repository: 'octo/hello', url: 'http://127.0.0.1:1/hooks', secret })
    const at = `PATCH /repos/octo/hello/hooks/${hook.id}`
    const rejected = await ask(github, at, { token, body: { config: { secret: 'new' } } })
    expect([rejected.status, rejected.json.errors]).toMatchObject([422, [{ field: 'url', code: 'missing_field' }]])
    expect(await ask(github, at, { token, body: { active: false } })).toMatchObject({ status: 200 })
    expect(hook).toMatchObject({ url: 'http://127.0.0.1:1/hooks', secret, contentType: 'json', active: false })
  })

  test('keeps the properties of its configuration that a change of single properties does not name', async () => {
    const github = await start({ token })
    const hook = github.addHook({ repository: 'octo/hello', url: 'http://127.0.0.1:1/hooks', secret })
    const body = { url: 'http://127.0.0.1:1/new' }
    const { json } = await ask(github, `PATCH /repos/octo/hello/hooks/${hook.id}/config`, { token, body })
    expect(json).toEqual({ ...body, content_type: 'json', insecure_ssl: '0', secret: '********' })
    expect(hook.secret).toBe(secret)
  })

  test('no longer exists after it was deleted', async () => {
    const github = await start({ token })
    const hook = github.addHook({ repository: 'octo/hello', url: 'http://127.0.0.1:1/hooks' })
    await ask(github, `DELETE /repos/octo/hello/hooks/${hook.id}`, { token })
    expect(await ask(github, `GET /repos/octo/hello/hooks/${hook.id}`, { token })).toMatchObject({ status: 404 })
    expect(await github.deliver('push')).toEqual([])
  })
})

describe('the events of a webhook', () => {
  const config = { url: 'http://127.0.0.1:1/hooks' }
  const error = (events: string) => ({
    message: 'Validation Failed',
    errors: [{ resource: 'Hook', code: 'custom', message: `These events are not allowed for this hook: ${events}` }],
  })

  test.each([
    [
      '/repos/octo/hello',
      ['push', 'isues', 'issues.opened', 'workflow_dispatch'],
      'isues, issues.opened, workflow_dispatch',
    ],
    ['/repos/octo/hello', ['projects_v2_item'], 'projects_v2_item'],
    ['/orgs/octo-org', ['team', 'installation'], 'installation'],
  ])('must be some that webhooks of %s get: %j', async (path, events, rejected) => {
    const github = await start({ token })
    for (const owner of [{ repository: 'octo/hello' }, { organization: 'octo-org' }])
      github.addHook({ ...owner, url: 'http://127.0.0.1:1/other', events: ['star'] })
    const created = await ask(github, `POST ${path}/hooks`, { token, body: { config, events } })
    expect([created.status, created.json]).toMatchObject([422, error(rejected)])
    const [hook] = (await ask(github, `GET ${path}/hooks`, { token })).json
    for (const body of [{ events }, { add_events: events }]) {
      const changed = await ask(github, `PATCH ${path}/hooks/${hook.id}`, { token, body })
      expect([changed.status, changed.json]).toMatchObject([422, error(rejected)])
    }
    expect(github.webhooks.map((each) => each.events)).toEqual([['star'], ['star']])
  })

  test('may be one that addHook() has named, as one that GitHub added after this version', async () => {
    const github = await start({ token })
    github.addHook({ repository: 'octo/hello', url: 'http://127.0.0.1:1/other', events: ['next_year'] })
    const body = { config, events: ['next_year', 'project_card'] }
    expect(await ask(github, 'POST /repos/octo/hello/hooks', { token, body })).toMatchObject({ status: 201 })
    await github.idle()
  })
})

describe('the number of webhooks for one event', () => {
  test.each([
    [{}, 20],
    [{ enterprise: true }, 250],
  ])('of an owner is limited: with %j to %i', async (options, most) => {
    const github = await start({ token, ...options })
    const url = (index: number) => `http://127.0.0.1:1/${index}`
    for (let index = 1; index < most; index++)
      github.addHook({ repository: 'octo/hello', url: url(index), events: ['push'] })
    const star = github.addHook({ repository: 'octo/hello', url: url(most), events: ['star'] })
    const create = (path: string, index: number, events: string[]) =>
      ask(github, `POST ${path}/hooks`, { token, body: { config: { url: url(index) }, events } })
    expect(await create('/repos/octo/hello', most + 1, ['push', 'issues'])).toMatchObject({ status: 201 })
    const rejected = await create('/repos/octo/hello', most + 2, ['issues', 'push'])
    const message = `The "push" event cannot have more than ${most} hooks`
    const error = { message: 'Validation Failed', errors: [{ resource: 'Hook', code: 'custom', message }] }
    expect(rejected).toMatchObject({ status: 422, json: error })
    const at = `PATCH /repos/octo/hello/hooks/${star.id}`
    expect(await ask(github, at, { token, body: { add_events: ['push'] } })).toMatchObject({ status: 422, json: error })
    expect(star.events).toEqual(['star'])
    expect(await ask(github, at, { token, body: { add_events: ['issues'] } })).toMatchObject({ status: 200 })
    github.addRepository('octo/other')
    expect(await create('/repos/octo/other', 1, ['push'])).toMatchObject({ status: 201 })
    await github.idle()
  })

  test('includes those that subscribe to all events, and lets a full event be changed elsewhere', async () => {
    const github = await start({ token })
    for (let index = 0; index < 19; index++)
      github.addHook({ repository: 'octo/hello', url: `http://127.0.0.1:1/${index}` })
    const hook = github.addHook({ repository: 'octo/hello', url: 'http://127.0.0.1:1/push', events: ['push'] })
    const body = { config: { url: 'http://127.0.0.1:1/new' } }
    expect(await ask(github, 'POST /repos/octo/hello/hooks', { token, body })).toMatchObject({ status: 422 })
    const changed = await ask(github, `PATCH /repos/octo/hello/hooks/${hook.id}`, { token, body: { active: false } })
    expect(changed.status).toBe(200)
  })
})

describe('webhooks', () => {
  test('are listed in pages, with links in both directions', async () => {
    const github = await start({ token })
    for (let count = 0; count < 5; count++)
      github.addHook({ repository: 'octo/hello', url: 'http://127.0.0.1:1/hooks' })
    github.addHook({ repository: 'octo/other', url: 'http://127.0.0.1:1/hooks' })
    const octokit = octokitFor(github, token)
    expect(await octokit.paginate('GET /repos/{owner}/{repo}/hooks', { ...repo, per_page: 2 })).toHaveLength(5)
    const { headers } = await ask(github, 'GET /repos/octo/hello/hooks?per_page=2&page=2', { token })
    const rels = [...(headers.get('link') ?? '').matchAll(/[?&]page=(\d)>; rel="(\w+)"/g)].map(([, page, rel]) => [
      rel,
      page,
    ])
    expect(Object.fromEntries(rels)).toEqual({ prev: '1', first: '1', next: '3', last: '3' })
  })

  test('of an App: a second one replaces the first', async () => {
    const github = await start()
    const app = github.addApp({ id: 3 })
    github.addHook({ app, url: 'http://127.0.0.1:1/first' })
    const hook = github.addHook({ app: 3, url: 'http://127.0.0.1:1/second' })
    expect(await github.deliver('push')).toMatchObject([{ hookId: hook.id }])
    expect(() => github.addHook({ app: 4, url: 'http://127.0.0.1:1/hooks' })).toThrow(
      new TypeError('There is no App 4; addApp() makes one'),
    )
  })

  test('need the full name of a repository', async () => {
    const github = await start()
    expect(() => github.addHook({ repository: 'hello', url: 'http://127.0.0.1:1/hooks' })).toThrow(
      new TypeError('A repository must be "owner/name", got "hello"'),
    )
  })
})
