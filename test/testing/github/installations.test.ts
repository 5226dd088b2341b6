import { describe, expect, test } from 'vitest'
import type { LocalApp, LocalGitHub } from '../../../src/testing/index.ts'
import { nowhere, send } from './browser.ts'
import { jwtOf } from './jwt.ts'
import { ask, secret, start, startReceiver } from './scene.ts'

const token = 'ghp_octocat'

const visit = async ({ webUrl }: LocalGitHub, path: string) => {
  const response = await fetch(webUrl + path)
  return { status: response.status, text: await response.text() }
}

/** Clicks "Install" on the page of an App. */
const install = ({ webUrl }: LocalGitHub, { slug }: LocalApp, fields: Record<string, string>) =>
  send(`${webUrl}/apps/${slug}/installations`, { selection: 'all', ...fields })

describe('the installation page', () => {
  test('installs the App on the chosen repositories, and tells its webhook', async () => {
    const [github, { url, deliveries }] = [await start(), await startReceiver()]
    for (const name of ['octocat/hello', 'octocat/world', 'acme/shop']) github.addRepository(name)
    const app = github.addApp({ id: 3, slug: 'hello-bot', name: 'Hello Bot', events: ['issues'] })
    github.addHook({ app, url, secret, events: ['issues'] })
    const { text } = await visit(github, '/apps/hello-bot/installations/new')
    expect(text).toContain('<option>octocat</option>')
    expect(text).toContain('value="octocat/world"')
    const fields = { account: 'octocat', selection: 'selected', repository: 'octocat/world' }
    const { status, location } = await install(github, app, fields)
    const [installation] = app.installations
    expect([status, location]).toEqual([302, `/settings/installations/${installation?.id}`])
    expect((await visit(github, location ?? '')).text).toContain('Hello Bot is installed on the account octocat.')
    await github.idle()
    expect(deliveries.map(({ event, action }) => [event, action])).toEqual([['installation', 'created']])
    expect(deliveries[0]?.payload).toMatchObject({
      installation: {
        id: installation?.id,
        app_id: 3,
        account: { login: 'octocat' },
        repository_selection: 'selected',
      },
      repositories: [{ full_name: 'octocat/world' }],
      sender: { login: 'octocat' },
    })
    const { json } = await ask(github, 'GET /app/installations', { token: jwtOf(app) })
    expect(json).toMatchObject([{ id: installation?.id, repository_selection: 'selected' }])
  })

  test('installs on all repositories of an organization, and sends the browser to the setup URL', async () => {
    const github = await start()
    const setupUrl = `${nowhere}/set-up?from=github`
    const app = github.addApp({ id: 3, slug: 'hello-bot', owner: 'mona', setupUrl })
    github.addHook({ organization: 'acme', url: `${nowhere}/hooks` })
    const { location } = await install(github, app, { account: 'acme' })
    const [installation] = app.installations
    expect(location).toBe(`${setupUrl}&installation_id=${installation?.id}&setup_action=install`)
    expect(installation).toMatchObject({ account: { login: 'acme' }, repositories: undefined })
    const page = `/organizations/acme/settings/installations/${installation?.id}`
    expect((await visit(github, page)).text).toContain('All repositories')
    expect((await install(github, app, { account: 'acme' })).location).toBe(page) // it is installed there already
    expect(app.installations).toHaveLength(1)
  })

  test('needs a repository, and an account on which the App may be installed', async () => {
    const github = await start()
    github.addHook({ organization: 'acme', url: `${nowhere}/hooks` })
    const app = github.addApp({ id: 3, slug: 'hello-bot', public: false })
    const none = await install(github, app, { account: 'octocat', selection: 'selected' })
    expect([none.status, none.text]).toEqual([422, expect.stringContaining('Select at least one repository.')])
    expect((await install(github, app, { account: 'acme' })).status).toBe(404)
    expect((await visit(github, '/apps/other/installations/new')).status).toBe(404)
    expect((await visit(github, '/settings/installations/7')).status).toBe(404)
    expect(app.installations).toEqual([])
  })
})

describe('installApp', () => {
  test('installs an App without a page, and sends the event to its webhook', async () => {
    const [github, { url, deliveries }] = [await start(), await startReceiver()]
    const app = github.addApp({ id: 3 })
    github.addHook({ app, url, secret, events: ['push'] })
    const { id, account } = await github.installApp(app, { repositories: ['acme/shop'] })
    expect(account.login).toBe('acme')
    expect(deliveries.map(({ event, action, payload }) => [event, action, payload])).toMatchObject([
      ['installation', 'created', { installation: { id }, repositories: [{ name: 'shop' }] }],
    ])
    expect((await github.installApp(3)).account.login).toBe('octocat')
    await expect(github.installApp(4)).rejects.toThrow(new TypeError('There is no App 4; addApp() makes one'))
  })
})

describe('an installation', () => {
  /** An installation with a token, and the events that its App gets. */
  async function installed() {
    const [github, { url, deliveries }] = [await start({ token }), await startReceiver()]
    const app = github.addApp({ id: 3, installations: [{ id: 5, repositories: ['octo/hello'] }] })
    github.addHook({ app, url, secret })
    const jwt = jwtOf(app)
    const { json } = await ask(github, 'POST /app/installations/5/access_tokens', { token: jwt })
    const use = async () => {
      const { status, json: answer } = await ask(github, 'GET /installation/repositories', { token: json.token })
      return status === 200 ? status : [status, answer.message]
    }
    return { github, jwt, use, actions: () => deliveries.map(({ action }) => action) }
  }

  test('can be deleted, with its tokens', async () => {
    const { github, jwt, use, actions } = await installed()
    expect(await ask(github, 'DELETE /app/installations/5', { token: jwt })).toMatchObject({ status: 204 })
    expect(await use()).toEqual([401, 'Bad credentials'])
    expect(await ask(github, 'GET /app/installations/5', { token: jwt })).toMatchObject({ status: 404 })
    await github.idle()
    expect(actions()).toEqual(['deleted'])
  })

  test('can be suspended and resumed', async () => {
    const { github, jwt, use, actions } = await installed()
    await ask(github, 'PUT /app/installations/5/suspended', { token: jwt })
    const suspended = [403, 'This installation has been suspended']
    expect(await use()).toEqual(suspended)
    const { json, status } = await ask(github, 'POST /app/installations/5/access_tokens', { token: jwt })
    expect([status, json.message]).toEqual(suspended)
    const shown = await ask(github, 'GET /app/installations/5', { token: jwt })
    expect(shown.json).toMatchObject({ suspended_at: expect.any(String), suspended_by: { login: 'octocat' } })
    await github.idle()
    await ask(github, 'DELETE /app/installations/5/suspended', { token: jwt })
    expect(await use()).toBe(200)
    await github.idle()
    expect(actions()).toEqual(['suspend', 'unsuspend'])
  })

  test('gets no events while it is suspended', async () => {
    const { github, jwt, actions } = await installed()
    const openIssue = async () => {
      await ask(github, 'POST /repos/octo/hello/issues', { token, body: { title: 'New' } })
      await github.idle()
      await github.deliver('star.created')
    }
    await openIssue()
    await ask(github, 'PUT /app/installations/5/suspended', { token: jwt })
    await openIssue()
    await ask(github, 'DELETE /app/installations/5/suspended', { token: jwt })
    await openIssue()
    expect(actions()).toEqual(['opened', 'created', 'suspend', 'unsuspend', 'opened', 'created'])
  })

  test('is found by its account', async () => {
    const { github, jwt } = await installed()
    await github.installApp(3, { account: 'acme' })
    const find = async (path: string) => (await ask(github, `GET ${path}/installation`, { token: jwt })).json.id
    expect(await find('/users/octo')).toBe(5)
    expect(await find('/orgs/acme')).toEqual(expect.any(Number))
    expect(await find('/users/acme')).toBeUndefined()
    expect(await find('/orgs/octo')).toBeUndefined()
  })
})

test('a private App is shown only to itself', async () => {
  const github = await start()
  const app = github.addApp({ id: 3, slug: 'hello-bot', public: false })
  expect(await ask(github, 'GET /apps/hello-bot')).toMatchObject({ status: 404 })
  const { json } = await ask(github, 'GET /apps/hello-bot', { token: jwtOf(app) })
  expect(json.slug).toBe('hello-bot')
})
