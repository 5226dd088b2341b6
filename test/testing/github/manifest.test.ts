import { describe, expect, test } from 'vitest'
import type { LocalGitHub } from '../../../src/testing/index.ts'
import { click, codeFor, formOf, manifest, nowhere, send, show } from './browser.ts'
import { jwtOf } from './jwt.ts'
import { ask, start, startReceiver } from './scene.ts'

const errorsOn = (text: string) =>
  [...text.matchAll(/role="alert"><strong>Error<\/strong> ([^<]*)</g)].map(([, error = '']) =>
    error.replaceAll('&#39;', "'").replaceAll('&#34;', '"'),
  )

const read = async (url: string) => (await fetch(url)).text()

const convert = (github: LocalGitHub, code: string) => ask(github, `POST /app-manifests/${code}/conversions`)

describe('the manifest flow', () => {
  test('registers the App when the user confirms, and answers the code with its secrets', async () => {
    const [github, { url, deliveries }] = [await start(), await startReceiver()]
    const shown = await show(github, { ...manifest, hook_attributes: { url } })
    expect(shown.text).toContain('<button>Create GitHub App for octocat</button>')
    expect(shown.text).toContain('<li>issues: write</li>')
    expect(github.apps).toEqual([])
    const { status, location } = await click(github, shown, 'Greeting Bot')
    const target = new URL(location ?? '')
    expect([status, target.origin + target.pathname]).toEqual([302, `${nowhere}/callback`])
    expect([target.searchParams.get('flow'), target.searchParams.get('state')]).toEqual(['1', 's&"'])
    const { status: converted, json } = await convert(github, target.searchParams.get('code') ?? '')
    expect([converted, json]).toMatchObject([
      201,
      {
        ...{ slug: 'greeting-bot', name: 'Greeting Bot', external_url: 'https://bot.example.com' },
        ...{ owner: { login: 'octocat' }, html_url: `${github.webUrl}/apps/greeting-bot` },
        ...{ permissions: { metadata: 'read', issues: 'write' }, events: ['issues', 'issue_comment'] },
        ...{ client_id: expect.stringMatching(/^Iv/), client_secret: expect.stringMatching(/^\w{40}$/) },
        ...{ webhook_secret: expect.stringMatching(/^\w{40}$/), pem: expect.stringMatching(/^-----BEGIN RSA/) },
      },
    ])
    const token = jwtOf({ id: json.id, privateKey: json.pem })
    expect(await ask(github, 'GET /app', { token })).toMatchObject({ json: { id: json.id } })
    await github.idle()
    expect(deliveries).toEqual([]) // the receiver has another secret
    const [hook] = github.webhooks
    expect(hook?.secret).toBe(json.webhook_secret)
    expect(hook && github.deliveries(hook)).toMatchObject([{ event: 'ping', statusCode: 400 }])
    expect(await ask(github, 'GET /app/hook/config', { token })).toMatchObject({ json: { url, content_type: 'json' } })
  })

  test('starts with a form without a manifest, and shows the credentials of the App', async () => {
    const github = await start()
    const form = await (await fetch(`${github.webUrl}/settings/apps/new`)).text()
    expect(form).toContain('New GitHub App of octocat')
    const { action } = formOf(form)
    const given = { name: 'By Hand', webhook_url: `${nowhere}/hooks`, events: 'issues\npush' }
    const refused = await send(`${github.webUrl}${action}`, { ...given, permissions: 'issues: write' })
    expect(errorsOn(refused.text)).toEqual(['Default events are not supported by permissions: push'])
    const shown = await send(`${github.webUrl}${action}`, { ...given, permissions: 'issues: write\ncontents: read' })
    const { location } = await click(github, shown)
    expect(location).toBe('/settings/apps/by-hand')
    const [[app], [hook]] = [github.apps, github.webhooks]
    expect(hook).toMatchObject({ url: `${nowhere}/hooks`, events: ['issues', 'push'] })
    const text = await read(`${github.webUrl}${location}`)
    for (const shown of [app?.id, app?.clientId, app?.clientSecret, hook?.secret]) {
      expect(text).toContain(`<code>${shown}</code>`)
    }
    expect(await read(`${github.webUrl}${location}/private-key.pem`)).toBe(app?.privateKey)
    expect(await read(github.webUrl)).toContain('<a href="/settings/apps/new">octocat</a>')
  })

  test('registers the App of an organization', async () => {
    const github = await start({ enterprise: true })
    const shown = await show(github, { ...manifest, public: true }, '/organizations/acme/settings/apps/new')
    expect(shown.text).toContain('Create GitHub App for acme')
    const { location } = await click(github, shown)
    const target = new URL(location ?? '')
    expect(target.searchParams.has('state')).toBe(false)
    const { json } = await convert(github, target.searchParams.get('code') ?? '')
    expect(json.owner).toMatchObject({ login: 'acme', type: 'Organization' })
    expect((await fetch(`${github.webUrl}/organizations/octocat/settings/apps/new`)).status).toBe(404)
  })

  test.each([
    ['is used', 0, 201],
    ['is an hour old', 60 * 60_000, 404],
  ])('answers 404 once a code %s', async (_what, ms, first) => {
    const github = await start()
    const code = await codeFor(github)
    github.clock.advance(ms)
    expect((await convert(github, code)).status).toBe(first)
    expect(await convert(github, code)).toMatchObject({ status: 404, json: { message: 'Not Found' } })
  })

  test('answers 404 to an unknown code', async () => {
    expect(await convert(await start(), 'unknown')).toMatchObject({ status: 404 })
  })

  test('makes no webhook without hook attributes, and pings none that is inactive', async () => {
    const github = await start()
    const { hook_attributes: hook, ...rest } = manifest
    expect((await convert(github, await codeFor(github, rest))).json.webhook_secret).toBe(null)
    expect(github.webhooks).toEqual([])
    await codeFor(github, { ...rest, name: 'another', hook_attributes: { ...hook, active: false } })
    await github.idle()
    const [inactive] = github.webhooks
    expect(inactive?.active).toBe(false)
    expect(inactive && github.deliveries(inactive)).toEqual([])
  })

  test('ends on the settings of the App if the manifest has no redirect URL', async () => {
    const github = await start()
    const { location } = await click(github, await show(github, { ...manifest, redirect_url: undefined }))
    expect(location).toBe('/settings/apps/hello-bot')
    expect(await (await fetch(github.webUrl + location)).text()).toContain('<h1>Hello Bot</h1>')
    expect((await fetch(`${github.webUrl}/settings/apps/other`)).status).toBe(404)
  })

  test('escapes every text of the manifest', async () => {
    const { text } = await show(await start(), { ...manifest, name: '"><script>' })
    expect(text).not.toContain('<script>')
    expect(formOf(text).fields.name).toBe('"><script>')
  })
})

describe('a manifest', () => {
  const unsupported = 'installation and installation_repositories'
  test.each([
    ['that is not JSON', '{', ['Problems parsing JSON']],
    ['that is a list', [], ['Problems parsing JSON']],
    ['without a homepage', { ...manifest, url: undefined }, [`"url" wasn't supplied.`]],
    ['whose webhook has no address', { ...manifest, hook_attributes: {} }, [`"url" wasn't supplied.`]],
    [
      'with a secret',
      { ...manifest, hook_attributes: { ...manifest.hook_attributes, secret: 'mine' } },
      ['"secret" is not a permitted key.'],
    ],
    ['with a member of another type', { ...manifest, url: 1 }, [`For 'properties/url', 1 is not a string.`]],
    ['with another protocol', { ...manifest, redirect_url: 'ftp://127.0.0.1' }, ['Redirect url must be a valid URL']],
    ['with a callback that is no address', { ...manifest, callback_urls: [1] }, ['Callback url must be a valid URL']],
    [
      'with an unknown permission',
      { ...manifest, default_permissions: { issues: 'write', email_addresses: 'read' } },
      ['Default permission records resource is not included in the list'],
    ],
    [
      'with an unknown level',
      { ...manifest, default_permissions: { issues: 'all' }, default_events: [] },
      ['Default permission records action is not included in the list'],
    ],
    [
      'with events that every App gets',
      { ...manifest, default_events: ['installation', 'installation_repositories'] },
      [`Default events unsupported: ${unsupported}`, `Default events are not supported by permissions: ${unsupported}`],
    ],
    [
      'with events that lack their permission',
      { ...manifest, default_events: ['issues', 'push', 'check_run', 'label', 'meta'] },
      ['Default events are not supported by permissions: push and check_run'],
    ],
  ])('%s is refused', async (_what, given, errors) => {
    const github = await start()
    const { status, text } = await show(github, given)
    expect([status, errorsOn(text)]).toEqual([422, errors])
    expect(text).toContain('The configuration does not appear to be a valid GitHub App manifest.')
    const registered = await send(`${github.webUrl}/settings/apps`, { manifest: JSON.stringify(given), name: 'a' })
    expect([registered.status, github.apps]).toEqual([422, []])
  })

  test.each([
    ['Hello  bot', 'Name is already in use'],
    ['acme', 'Name is already in use'],
    [' ', 'Name can&#39;t be blank'],
    ['a'.repeat(35), 'Name is too long (maximum is 34 characters)'],
  ])('whose name is "%s" needs another one', async (name, problem) => {
    const github = await start()
    github.addApp({ id: 3, slug: 'hello-bot' })
    github.addRepository('acme/shop')
    const shown = await show(github, { ...manifest, name })
    expect(shown.status).toBe(200)
    const again = await click(github, shown)
    expect([again.status, again.text]).toEqual([422, expect.stringContaining(`<p role="alert">${problem}</p>`)])
    expect((await click(github, again, 'free')).status).toBe(302)
  })
})
