/** The pages of repositories, webhooks and deliveries. `test/browser/local-github.test.ts` uses them in a browser. */
import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { LocalGitHub } from '../../../src/testing/index.ts'
import { formOf, send } from './browser.ts'
import { ask, createBranch, octokitFor, secret, start, startPlain } from './scene.ts'

const root = '/octo/hello'

async function scene(): Promise<LocalGitHub> {
  const github = await start({ token: 'right' })
  github.addRepository('octo/hello', { files: { 'README.md': '# hello' } })
  return github
}

/** The page at a path. */
async function get({ webUrl }: LocalGitHub, path: string) {
  const response = await fetch(webUrl + path)
  return { status: response.status, headers: response.headers, text: await response.text() }
}

const post = (github: LocalGitHub, path: string, fields: Record<string, string>) => send(github.webUrl + path, fields)

/** Sends a request with headers that `fetch()` does not let a program choose. @returns the status. */
function statusWith({ webUrl }: LocalGitHub, method: string, path: string, headers: Record<string, string>) {
  return new Promise((resolve, reject) => {
    const sent = request(webUrl + path, { method, headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject).end()
  })
}

test('the start page lists repositories and Apps, and the command that creates an App', async () => {
  const github = await scene()
  github.addApp({ id: 3, slug: 'hello-bot', name: 'Hello <Bot>' })
  const { text } = await get(github, '/')
  expect(text).toContain('<a href="/octo/hello">octo/hello</a>')
  expect(text).toContain('<a href="/settings/apps/hello-bot">Hello &#60;Bot&#62;</a>')
  expect(text).toContain(`hookserver app create --github ${github.webUrl} `)
  expect(text).toContain('in memory only')
})

describe('texts of users', () => {
  const hostile = `</textarea></pre><script>alert("1")</script>'`

  test('are never markup', async () => {
    const github = await scene()
    const hook = github.addHook({ repository: 'octo/hello', url: 'http://127.0.0.1:1/hooks', secret })
    const body = { title: hostile, body: hostile, labels: [hostile] }
    await ask(github, 'POST /repos/octo/hello/issues', { token: 'right', body })
    await ask(github, 'POST /repos/octo/hello/issues/1/comments', { token: 'right', body: { body: hostile } })
    const file = { message: hostile, content: Buffer.from(hostile).toString('base64'), branch: '<b>' }
    await createBranch(octokitFor(github, 'right').rest, { owner: 'octo', repo: 'hello' }, '<b>')
    await ask(github, `PUT /repos/octo/hello/contents/${encodeURIComponent('<i>')}`, { token: 'right', body: file })
    await github.idle()
    const paths = [root, `${root}?branch=%3Cb%3E`, `${root}/blob/%3Cb%3E/%3Ci%3E`, `${root}/issues`, `${root}/pulls`]
    const deliveries = github.deliveries(hook).map(({ id }) => `/settings/hooks/${hook.id}/deliveries/${id}`)
    expect(deliveries).toHaveLength(5)
    for (const path of [...paths, `${root}/issues/1`, `/settings/hooks/${hook.id}`, ...deliveries]) {
      const { status, text } = await get(github, path)
      expect([path, status]).toEqual([path, 200])
      expect(text).not.toMatch(/<script|<b>|<i>|<\/textarea><\/pre>/)
    }
  })

  test('could not run a script', async () => {
    const { headers } = await get(await scene(), root)
    const policy = headers.get('content-security-policy')
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/]+='; base-uri 'none'; frame-ancestors 'none'/)
    expect(policy).toContain("form-action 'self'")
  })
})

describe('a request of another site', () => {
  test('cannot send a form, except a manifest', async () => {
    const github = await scene()
    const host = new URL(github.webUrl).host
    const from = (path: string, origin: string) => statusWith(github, 'POST', path, { origin, host })
    expect(await from(`${root}/issues`, 'https://other.example')).toBe(403)
    expect(await from(`${root}/issues`, 'null')).toBe(403)
    expect(await from('/settings/apps', 'https://other.example')).toBe(403)
    expect(await from('/settings/apps/new', 'https://other.example')).toBe(422) // the manifest is missing
    expect(await from(`${root}/issues`, github.webUrl)).toBe(422) // the title is missing
  })

  test('cannot create an organization', async () => {
    const github = await scene()
    const [path, { host }] = ['/organizations/new-org/settings/apps/new', new URL(github.webUrl)]
    const manifest = JSON.stringify({ url: 'https://bot.example.com' })
    expect(await statusWith(github, 'GET', `${path}?manifest=${encodeURIComponent(manifest)}`, { host })).toBe(200)
    expect((await get(github, path)).status).toBe(200)
    const app = github.addApp({ id: 3 })
    const installation = `/apps/${app.slug}/installations/new`
    expect((await get(github, installation)).text).not.toContain('new-org')
    await post(github, path.replace(/\/new$/, ''), { manifest, name: 'Hello' })
    expect((await get(github, installation)).text).toContain('<option>new-org</option>')
  })

  test('cannot read a page or the API by a name of its own for this machine', async () => {
    const github = await scene()
    for (const path of [root, '/repos/octo/hello/issues']) {
      const get = (host: string) => statusWith(github, 'GET', path, { host, 'user-agent': 'a test' })
      expect(await get('other.example')).toBe(403)
      for (const host of ['localhost:3003', '127.0.0.1', '[::1]:80']) expect(await get(host)).toBe(200)
    }
  })
})

test('a page shows why the API rejects a form, and keeps its fields', async () => {
  const github = await scene()
  const { status, text } = await post(github, `${root}/issues`, { title: 'x'.repeat(257), body: 'Kept' })
  expect([status, text]).toEqual([422, expect.stringContaining('title is too long (maximum is 256 characters)')])
  expect(text).toContain('Kept')
  const missing = await post(github, `${root}/issues/7`, { action: 'close' })
  expect(missing.status).toBe(404)
  await post(github, `${root}/issues`, { title: 'New' })
  expect((await post(github, `${root}/issues/1`, { action: 'explode' })).status).toBe(404)
  const empty = await post(github, `${root}/issues/1`, { action: 'comment', body: '' })
  expect([empty.status, empty.text]).toEqual([422, expect.stringContaining('role="alert"')])
})

test('a commit replaces the content of a file, with the line breaks of Unix', async () => {
  const github = await scene()
  const fields = { path: '/README.md', branch: 'main', content: 'One\r\nTwo', message: '' }
  expect(await post(github, `${root}/commits`, fields)).toMatchObject({ status: 302, location: `${root}?branch=main` })
  const { json } = await ask(github, 'GET /repos/octo/hello/contents/README.md', { token: 'right' })
  expect(Buffer.from(json.content, 'base64').toString()).toBe('One\nTwo')
  expect((await get(github, root)).text).toContain('Update README.md')
})

test('a commit to a new branch creates the branch from main', async () => {
  const github = await scene()
  const fields = { path: 'new.md', branch: 'next', content: 'New', message: '' }
  expect(await post(github, `${root}/commits`, { ...fields, path: '/' })).toMatchObject({ status: 404 })
  expect((await ask(github, 'GET /repos/octo/hello/branches/next')).status).toBe(404)
  expect(await post(github, `${root}/commits`, fields)).toMatchObject({ status: 302, location: `${root}?branch=next` })
  const { json } = await ask(github, 'GET /repos/octo/hello/commits?sha=next')
  const messages = json.map(({ commit }: { commit: { message: string } }) => commit.message)
  expect(messages).toEqual(['Create new.md', 'Create README.md'])
})

test('a webhook gets a ping and deliveries, which can be sent again', async () => {
  const [github, receiver] = [await scene(), await startPlain(503, { 'x-answer': 'one' })]
  const added = await post(github, `${root}/settings/hooks`, { url: `${receiver.url}/hooks`, secret })
  expect(added.location).toMatch(/^\/settings\/hooks\/\d+$/)
  await github.idle()
  const [hook] = github.webhooks
  const [ping] = github.deliveries(hook as never)
  expect(ping).toMatchObject({ event: 'ping', statusCode: 503 })
  const page = await get(github, `${added.location}/deliveries/${ping?.id}`)
  expect(page.text).toContain('Failed: 503')
  expect(page.text).toContain('x-answer: one')
  expect(page.text).toContain('an answer')
  const { action } = formOf(page.text)
  expect(await post(github, action ?? '', {})).toMatchObject({ status: 302, location: added.location })
  await github.idle()
  expect((await get(github, added.location ?? '')).text).toContain('Redelivery')
  expect(receiver.got).toHaveLength(2)
})

test('the addresses of issues and pull requests in the API lead to their pages', async () => {
  const github = await scene()
  const write = (what: string, body: object) => ask(github, what, { token: 'right', body })
  const issue = await write('POST /repos/octo/hello/issues', { title: 'New' })
  const pull = await write('POST /repos/octo/hello/pulls', { title: 'Newer', head: 'next', base: 'main' })
  expect((await fetch(issue.json.html_url)).status).toBe(200)
  expect((await fetch(pull.json.html_url)).status).toBe(200)
  const other = await fetch(issue.json.html_url.replace('issues/1', 'issues/2'))
  expect(other.url).toBe(pull.json.html_url)
})

test('a page hides no route: a path is that of a repository only if the repository exists', async () => {
  const github = await scene()
  expect((await get(github, '/repos/octo')).text).toContain('The local GitHub has no route GET /repos/octo')
  expect((await get(github, '/repos/octo/hello')).headers.get('content-type')).toContain('application/json')
})
