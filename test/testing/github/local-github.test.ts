import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request, Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { LocalGitHub } from '../../../src/testing/index.ts'
import { compileCache } from '../../compile-cache.ts'
import { addIssue, ask, octokitFor, secret, sha, start, startReceiver } from './scene.ts'

const token = 'right'

async function fetchText(url: string, init: RequestInit) {
  const response = await fetch(url, init)
  return { status: response.status, headers: response.headers, text: await response.text() }
}

describe('every answer', () => {
  test("has GitHub's headers, a date and a request id", async () => {
    const github = await start()
    github.clock.set(Date.UTC(2026, 0, 2, 3, 4, 5))
    const answers = [await ask(github, 'GET /meta'), await ask(github, 'GET /meta'), await ask(github, 'GET /nothing')]
    for (const { headers } of answers) {
      expect(headers.get('server')).toBe('github.com')
      expect(headers.get('date')).toMatch(/^Fri, 02 Jan 2026 03:04:0\d GMT$/)
    }
    expect(new Set(answers.map(({ headers }) => headers.get('x-github-request-id'))).size).toBe(3)
  })

  test.each(['GET /nothing', 'PUT /meta', 'GET /repos/octo/none/stargazers', 'GET //127.0.0.1/meta'])(
    'is 404 for a route that the local GitHub does not have, and names the route: %s',
    async (what) => {
      const { status, json } = await ask(await start(), `${what}?page=2`)
      const message = `The local GitHub has no route ${what}. Its routes are in docs/local-github-api.md of hookserver, and route() of LocalGitHub adds one.`
      expect([status, json]).toEqual([404, { message, documentation_url: expect.any(String), status: '404' }])
    },
  )

  test('is 404 for a query of GraphQL, unless a route of the test answers it', async () => {
    const github = await start({ token })
    const { graphql } = octokitFor(github, token)
    await expect(graphql('{ viewer { login } }')).rejects.toThrow(
      'The local GitHub has no GraphQL API. Its routes are in',
    )
    github.route('POST', '/graphql', ({ login }) => ({ body: { data: { viewer: { login } } } }))
    const headers = { authorization: `Bearer ${token}`, 'user-agent': 'a test' }
    const asked = await fetch(`${github.url}/graphql`, {
      method: 'POST',
      headers,
      body: '{"query":"{ viewer { login } }"}',
    })
    expect(await asked.json()).toEqual({ data: { viewer: { login: 'octocat' } } })
  })

  test.each(['GET /repos/octo/none', 'GET /repos/%E0%A4%A/hello'])(
    'is 404 for something that does not exist: %s',
    async (what) => {
      const { status, json } = await ask(await start(), what)
      expect([status, json]).toEqual([
        404,
        { message: 'Not Found', documentation_url: expect.any(String), status: '404' },
      ])
    },
  )

  test.each(['{', '"text"', '[]'])('is 400 if the body of the request is not a JSON object: %s', async (body) => {
    const github = await start({ token })
    github.addRepository('octo/hello')
    expect(await ask(github, 'POST /repos/octo/hello/statuses/a', { token, body })).toMatchObject({ status: 400 })
  })

  test('is 400 if a text of the body has half of a surrogate pair', async () => {
    const github = await start({ token })
    github.addRepository('octo/hello')
    const body = '{"message":"Add","content":"SGk=","branch":"\\ud800"}'
    const { status, json } = await ask(github, 'PUT /repos/octo/hello/contents/x', { token, body })
    expect([status, json.message]).toEqual([400, 'Problems parsing JSON'])
  })

  test('is 500 if the local GitHub fails, which it reports, and the server continues', async () => {
    const reported = vi.spyOn(console, 'error').mockReturnValue()
    onTestFinished(() => reported.mockRestore())
    const github = await start()
    github.fail({ status: 200, headers: { 'x-text': 'two\nlines' } })
    const { status, text } = await fetchText(`${github.url}/meta`, {})
    expect([status, text]).toEqual([500, expect.stringContaining('The local GitHub failed: TypeError')])
    const error = expect.objectContaining({ code: 'ERR_INVALID_CHAR' })
    expect(reported).toHaveBeenCalledExactlyOnceWith('%s', 'The local GitHub failed to answer GET /meta:', error)
    expect(github.requests).toMatchObject([{ status: 500 }])
    expect(await ask(github, 'GET /meta')).toMatchObject({ status: 200 })
  })

  test('is not sent if the body is too large or never ends, and the server continues', async () => {
    const github = await start({ token })
    const body = { state: 'x'.repeat(1024 * 1024) }
    await expect(ask(github, 'POST /repos/octo/hello/statuses/a', { token, body })).rejects.toThrow()
    const { hostname, port } = new URL(github.url)
    const outgoing = request({ hostname, port, method: 'POST', path: '/meta', headers: { 'content-length': 10 } })
    outgoing.flushHeaders()
    await vi.waitFor(() => expect(github.requests).toHaveLength(2))
    outgoing.destroy()
    await once(outgoing, 'error')
    expect(await ask(github, 'GET /meta')).toMatchObject({ status: 200 })
  })
})

describe('a HEAD request', () => {
  test('gets the status and headers of a GET, without the body, and costs as many points', async () => {
    const github = await start({ token, limits: { points: 4 } })
    const send = async (method: string, path: string) => {
      const { status, headers, text } = await fetchText(github.url + path, {
        method,
        headers: { authorization: `Bearer ${token}` },
      })
      return { status, etag: headers.get('etag'), text }
    }
    const shown = await send('GET', '/user')
    expect(await send('HEAD', '/user')).toEqual({ ...shown, text: '' })
    expect(await send('HEAD', '/repos/octo/none')).toEqual({ status: 404, etag: null, text: '' })
    expect(await send('HEAD', '/meta')).toMatchObject({ status: 200, text: '' })
    expect(await send('HEAD', '/meta')).toMatchObject({ status: 403, text: '' })
    expect(github.requests.map(({ method }) => method)).toEqual(['GET', 'HEAD', 'HEAD', 'HEAD', 'HEAD'])
  })
})

describe('a request without a user agent', () => {
  test.each([{}, { 'user-agent': '' }])('is rejected with a text: %j', async (headers) => {
    const github = await start({ token })
    const outgoing = request(`${github.url}/user`, { headers: { ...headers, authorization: `Bearer ${token}` } })
    const [response] = (await once(outgoing.end(), 'response')) as [IncomingMessage]
    expect([response.statusCode, response.headers['content-type']]).toEqual([403, 'text/html'])
    expect(response.headers['x-ratelimit-limit']).toBe(undefined)
    const text = (await response.toArray()).join('')
    expect(text).toContain('Please make sure your request has a User-Agent header')
  })
})

describe('the version of the API', () => {
  test.each([undefined, '2022-11-28', '2026-03-10'])('is that of the request, or the oldest: %s', async (version) => {
    const github = await start()
    const headers: Record<string, string> = version === undefined ? {} : { 'x-github-api-version': version }
    const answer = await ask(github, 'GET /meta', { headers })
    expect([answer.status, answer.headers.get('x-github-api-version-selected')]).toEqual([200, version ?? '2022-11-28'])
  })

  test('must be one that GitHub supports', async () => {
    const github = await start()
    const { status, json } = await ask(github, 'GET /meta', { headers: { 'x-github-api-version': '1999-01-01' } })
    expect([status, json]).toMatchObject([400, { message: 'Bad Request', status: '400' }])
    expect(json.errors).toBe(
      'The version you specified in the "X-GitHub-API-Version" request header, "1999-01-01", is not a supported version. ' +
        'The following versions are currently supported: "2026-03-10" (most recent) and "2022-11-28".',
    )
  })
})

describe('writes of bots', () => {
  test('are answered with the written values, and recorded among the requests', async () => {
    const github = await start({ token })
    github.addRepository('octo/hello')
    const { rest } = octokitFor(github, token)
    await addIssue(github, 'octo/hello', 7)
    const where = { owner: 'octo', repo: 'hello' }
    const status = { state: 'success' as const, context: 'ci/test', description: 'All good' }
    const { data } = await rest.repos.createCommitStatus({ ...where, sha, ...status })
    expect(data).toMatchObject({ ...status, creator: { login: 'octocat' }, target_url: null })
    expect((await rest.issues.createComment({ ...where, issue_number: 7, body: 'Hi' })).data.body).toBe('Hi')
    expect(github.requests.map(({ path, body }) => [path, body])).toEqual([
      [`/repos/octo/hello/statuses/${sha}`, status],
      ['/repos/octo/hello/issues/7/comments', { body: 'Hi' }],
    ])
  })

  test.each([
    ['issues/1/comments', {}, 'body'],
    ['issues/1/comments', { body: '' }, 'body'],
    [`statuses/${sha}`, { state: 'fine' }, 'state'],
    [`statuses/${sha.slice(0, 7)}`, { state: 'success' }, 'sha'],
    ['statuses/main', { state: 'success' }, 'sha'],
  ])('are rejected if they are invalid: %s %j', async (path, body, field) => {
    const github = await start({ token })
    github.addRepository('octo/hello')
    const { status, json } = await ask(github, `POST /repos/octo/hello/${path}`, { token, body })
    expect([status, json]).toMatchObject([422, { message: 'Validation Failed', errors: [{ field }] }])
  })

  test('find the repository that a delivery has created', async () => {
    const [github, { url, deliveries }] = [await start({ token }), await startReceiver()]
    github.addHook({ repository: 'octo/hello', url, secret })
    await github.deliver('issues.opened')
    const { repository, payload } = deliveries[0] ?? {}
    const { json } = await ask(github, `GET /repos/${repository}`, { token })
    expect(json.id).toBe((payload as { repository: { id: number } }).repository.id)
  })
})

test('has its API also under /api/v3, where clients look for that of another server than github.com', async () => {
  const github = await start({ token })
  github.addRepository('octo/hello')
  const ids = ['', '/api/v3'].map(async (prefix) => {
    const headers = { authorization: `Bearer ${token}` }
    return ((await (await fetch(`${github.url}${prefix}/repos/octo/hello`, { headers })).json()) as { id: number }).id
  })
  const [first, second] = await Promise.all(ids)
  expect([first, typeof first]).toEqual([second, 'number'])
})

describe('a route of a test', () => {
  test('gets the parts of the request, and replaces an existing route', async () => {
    const github = await start({ token, enterprise: true })
    github.addRepository('octo/hello')
    github.route('PUT', '/repos/{owner}/{repo}/topics', ({ parameters, query, body, headers, login }) => ({
      ...{ status: 201, headers: { 'x-more': String(headers['x-given']) } },
      body: { repository: parameters.repo, page: query.get('page'), names: body.names, login },
    }))
    const send = (path: string) =>
      fetch(github.url + path, {
        ...{ method: 'PUT', body: JSON.stringify({ names: ['bot'] }) },
        headers: { authorization: `Bearer ${token}`, 'x-given': 'yes' },
      })
    const response = await send('/repos/octo/hello/topics?page=2')
    expect([response.status, response.headers.get('x-more')]).toEqual([201, 'yes'])
    expect(await response.json()).toEqual({ repository: 'hello', page: '2', names: ['bot'], login: 'octocat' })
    expect((await send('/repos/octo/none/topics')).status).toBe(404)
    github.route('GET', '/meta', () => ({ body: 'mine' }))
    expect(await (await fetch(`${github.url}/meta`)).json()).toBe('mine')
  })

  test('may require a permission', async () => {
    const github = await start()
    github.addRepository('octo/hello')
    const [reader, writer] = ['read', 'write'].map((pages) =>
      github.addToken({ permissions: { pages: pages as 'read' | 'write' } }),
    )
    for (const method of ['GET', 'POST'] as const)
      github.route(method, '/repos/{owner}/{repo}/pages', () => ({ status: 204 }), { permission: 'pages' })
    const statusOf = async (method: string, auth: string | undefined) => {
      const headers = { authorization: `Bearer ${auth}` }
      return (await fetch(`${github.url}/repos/octo/hello/pages`, { method, headers })).status
    }
    expect([await statusOf('GET', reader), await statusOf('POST', reader)]).toEqual([204, 403])
    expect(await statusOf('POST', writer)).toBe(204)
  })

  test('that throws is answered with its error', async () => {
    const github = await start()
    github.route('GET', '/broken', () => {
      throw new Error('as planned')
    })
    const response = await fetch(`${github.url}/broken`)
    expect([response.status, await response.json()]).toEqual([
      500,
      { message: 'The route GET /broken failed: as planned' },
    ])
  })
})

describe('failures', () => {
  test('affect the given route, once each, in order', async () => {
    const github = await start({ token })
    const hook = github.addHook({ repository: 'octo/hello', url: 'http://127.0.0.1:1/hooks' })
    const [delivery] = github.record(hook, [{ event: 'push' }])
    const list = `/repos/octo/hello/hooks/${hook.id}/deliveries`
    github.failAt(/^GET .*deliveries/, { status: 502 }, 'cut')
    github.failAt(/attempts$/, { status: 503, headers: { 'retry-after': '1' }, body: { message: 'later' } })
    expect(await ask(github, `GET ${list.replace('/deliveries', '')}`, { token })).toMatchObject({ status: 200 })
    const look = () => fetch(github.url + list, { headers: { authorization: `Bearer ${token}` } })
    expect((await look()).status).toBe(502)
    await expect(look()).rejects.toThrow()
    expect((await look()).status).toBe(200)
    const attempts = `${github.url}${list}/${delivery?.id}/attempts`
    const failed = await fetch(attempts, { method: 'POST' })
    expect([failed.status, failed.headers.get('retry-after'), await failed.json()]).toEqual([
      503,
      '1',
      { message: 'later' },
    ])
    expect(github.deliveries(hook)).toHaveLength(1)
  })
})

describe('an Enterprise Server', () => {
  test('has its API below /api/v3, its headers, and no limits by default', async () => {
    const github = await start({ token, enterprise: true })
    expect(github.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api\/v3$/)
    const { headers, json } = await ask(github, 'GET /user', { token })
    expect(headers.get('x-github-enterprise-version')).toBe('enterprise-server@3.19.0')
    expect(headers.get('x-ratelimit-limit')).toBe(null)
    expect(json.url).toBe(`${github.url}/users/octocat`)
    expect((await fetch(github.url.replace('/api/v3', '/user'))).status).toBe(404)
    const limited = await start({ enterprise: '3.18.1', limits: { anonymous: 1 } })
    const first = await fetch(`${limited.url}/meta`)
    expect([first.headers.get('x-ratelimit-limit'), await first.json()]).toMatchObject([
      '1',
      { installed_version: '3.18.1' },
    ])
  })

  test('adds its headers to deliveries', async () => {
    const [github, { url, deliveries }] = [await start({ enterprise: '3.18.1' }), await startReceiver()]
    github.addHook({ repository: 'octo/hello', url, secret })
    expect(await github.deliver('push')).toMatchObject([{ status: 'OK' }])
    expect(deliveries[0]?.headers).toMatchObject({
      'x-github-enterprise-host': '127.0.0.1',
      'x-github-enterprise-version': '3.18.1',
    })
  })
})

describe('an open local GitHub', () => {
  test('keeps the process alive until it is closed', async () => {
    const unref = vi.spyOn(Server.prototype, 'unref')
    onTestFinished(() => unref.mockRestore())
    await start()
    expect(unref).not.toHaveBeenCalled()
  })

  test('does not keep node --test from the report of a failed test', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hookserver-node-test-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'failing.test.mjs')
    const testing = new URL('../../../dist/testing/index.js', import.meta.url)
    writeFileSync(
      file,
      `import { test } from 'node:test'
      import { LocalGitHub } from '${testing}'
      test('fails', async () => {
        const github = await LocalGitHub.start()
        throw new Error('answered with ' + (await fetch(github.url + '/meta')).status)
      })`,
    )
    const child = spawn(process.execPath, ['--test', '--test-reporter=tap', file], { env: compileCache })
    onTestFinished(() => void child.kill())
    const ended = once(child, 'exit')
    expect(await text(child.stdout)).toContain('answered with 200')
    expect(await ended).toEqual([1, null])
  })

  test('closes at the end of a block with `await using`, and once if it was closed before', async () => {
    let url: string
    {
      await using github = await LocalGitHub.start()
      url = github.url
      await Promise.all([github.close(), github.close()])
    }
    await expect(fetch(url)).rejects.toThrow()
  })
})

describe('the clock', () => {
  test('moves forward with `advance`, and back only when it is set', async () => {
    const { clock } = await start()
    clock.set(Date.UTC(2026, 0, 1))
    clock.advance(60_000)
    expect(Math.floor(clock.now() / 60_000) * 60_000).toBe(Date.UTC(2026, 0, 1, 0, 1))
    for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => clock.advance(ms)).toThrow(RangeError)
  })
})
