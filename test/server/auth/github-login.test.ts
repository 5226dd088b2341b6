import { describe, expect, test } from 'vitest'
import { openInbox, storeIn, withMembers } from '../../inbox/stores.ts'
import { openAdmin, token } from '../administered.ts'
import { openGitHubScene } from './github-scene.ts'

const entriesOf = async ({ inbox }: Awaited<ReturnType<typeof openGitHubScene>>['admin']) => {
  const { entries } = await inbox.auditEntries({})
  return entries.map(({ action, access, person }) => ({ action, access, person }))
}

describe('the login with GitHub', () => {
  test('makes a member of the operators an operator, and the audit log names the member', async () => {
    const { admin, browser } = await openGitHubScene()
    const mona = browser('mona')
    expect(await mona.logIn()).toBe(`http://${admin.host}/`)
    const { json } = await mona.ask('/api/v1/session')
    expect(json).toMatchObject({ readOnly: false, person: 'mona' })
    expect(json.expiresAt).toBeLessThanOrEqual(Date.now() + 3_600_000)
    expect((await mona.ask('/api/v1/handlers/pause', 'POST', { all: true })).status).toBe(200)
    expect((await mona.ask('/api/v1/session', 'DELETE')).status).toBe(204)
    expect((await mona.ask('/api/v1/session')).status).toBe(401)
    const who = { access: 'github', person: 'mona' }
    expect(await entriesOf(admin)).toEqual([
      { action: 'logout', ...who },
      { action: 'pause', ...who },
      { action: 'login', ...who },
    ])
  })

  test('lets a member of the viewers read only', async () => {
    const { admin, browser } = await openGitHubScene()
    const lisa = browser('lisa')
    await lisa.logIn()
    const id = await storeIn(admin.inbox, {})
    expect((await lisa.ask(`/api/v1/deliveries/${id}`)).status).toBe(200)
    const { status, headers, json } = await lisa.ask(`/api/v1/deliveries/${id}/retry`, 'POST')
    expect([status, headers['content-type'], json.code]).toEqual([403, 'application/problem+json', 'read_only'])
    expect(json.detail).toBe('lisa may only read: changes need a member of --admin-github-operators')
    expect(await entriesOf(admin)).toEqual([{ action: 'login', access: 'github', person: 'lisa' }])
  })

  test.each([
    ['a member of another organization', 'hubot'],
    ['a user who was only invited', 'ada'],
    ['a user without an organization', 'octocat'],
  ])('rejects %s', async (_name, login) => {
    const { admin, browser } = await openGitHubScene()
    const user = browser(login)
    expect(await user.logIn()).toBe(`http://${admin.host}/#login=forbidden`)
    expect([(await user.ask('/api/v1/session')).status, user.cookies.size]).toEqual([401, 0])
    expect(await entriesOf(admin)).toEqual([])
  })

  test('succeeds while the inbox cannot write, and logs the entry', async () => {
    const inbox = withMembers(openInbox(), { recordAction: () => Promise.reject(new Error('The disk is full')) })
    const { admin, browser } = await openGitHubScene({ inbox })
    const mona = browser('mona')
    expect(await mona.logIn()).toBe(`http://${admin.host}/`)
    expect((await mona.ask('/api/v1/session')).json.person).toBe('mona')
    const fields = expect.objectContaining({ action: 'login', person: 'mona' })
    expect(admin.recorder.lines).toContainEqual(expect.objectContaining({ level: 'error', fields }))
  })

  test('ends a session after an hour, and does not begin another for a removed member', async () => {
    const { admin, github, browser } = await openGitHubScene()
    const mona = browser('mona')
    await mona.logIn()
    github.removeOrganizationMember('acme', 'mona')
    const [name = '', cookie = ''] = [...mona.cookies][0] ?? []
    const [role, end, ...rest] = cookie.split('.')
    expect([role, Number(end) <= Date.now() + 3_600_000]).toEqual(['operator', true])
    mona.cookies.set(name, [role, Number(end) + 1000, ...rest].join('.')) // a longer life is not signed
    expect((await mona.ask('/api/v1/session')).status).toBe(401)
    expect(await mona.logIn()).toBe(`http://${admin.host}/#login=forbidden`)
  })

  test('shows a session no other role, and ends it when the settings of the access change', async () => {
    const { admin, browser, github, app } = await openGitHubScene()
    const lisa = browser('lisa')
    await lisa.logIn()
    const [name = '', cookie = ''] = [...lisa.cookies][0] ?? []
    for (const changed of [
      cookie.replace(/^viewer/, 'operator'),
      cookie.replace(/^viewer/, 'act'),
      cookie.replace('.lisa.', '.mona.'),
    ]) {
      lisa.cookies.set(name, changed)
      expect((await lisa.ask('/api/v1/session')).status).toBe(401)
    }
    const { clientId, clientSecret } = app
    const access = { app: { clientId, clientSecret, github: github.webUrl, apiUrl: github.url }, operators: [] }
    const sessionIn = async (viewers: { organization: string }[]) => {
      const other = await openAdmin({ github: { ...access, viewers }, inbox: openInbox() })
      const headers = { authorization: undefined, cookie: `hookserver-${other.port}=${cookie}` }
      return (await other.ask('/api/v1/session', { headers })).status
    }
    expect(await sessionIn([{ organization: 'octo' }])).toBe(401)
    const without = await openAdmin()
    const headers = { authorization: undefined, cookie: `hookserver-${without.port}=${cookie}` }
    expect((await without.ask('/api/v1/session', { headers })).status).toBe(401)
    expect((await without.get('/api/v1/session/methods')).json).toEqual({ github: false })
    expect((await admin.get('/api/v1/session/methods')).json).toEqual({ github: true })
  })

  test('keeps no token of GitHub, and sends the browser to no address from a request', async () => {
    const { admin, browser, github } = await openGitHubScene()
    const mona = browser('mona')
    const callback = await mona.authorize(await mona.start())
    const target = await mona.finish(
      `${callback}&redirect_uri=https://evil.example&next=//evil.example&url=https://evil.example`,
    )
    expect(target).toBe(`http://${admin.host}/`)
    expect(mona.cookieHeader).not.toMatch(/ghu_|ghr_/)
    const shown = JSON.stringify([admin.recorder.lines, await admin.inbox.auditEntries({})])
    expect(shown).not.toMatch(/ghu_|ghr_/)
    expect(github.requests.filter(({ path }) => path.includes('access_token')).length).toBe(1)
    const authorize = new URL(await browser('mona').start())
    expect(authorize.searchParams.get('redirect_uri')).toBe(`http://${admin.host}/login/github/callback`)
    expect(authorize.searchParams.get('code_challenge_method')).toBe('S256')
  })
})

describe('a callback', () => {
  test('with a forged state, or in a browser that has not started the login, starts no session', async () => {
    const { admin, browser, github } = await openGitHubScene()
    const [mona, attacker] = [browser('mona'), browser('hubot')]
    const expired = `http://${admin.host}/#login=expired`
    const callback = await mona.authorize(await mona.start())
    expect(await mona.finish(callback.replace(/state=[^&]+/, 'state=forged'))).toBe(expired)
    expect(mona.cookies.size).toBe(1)
    const other = await mona.authorize(await mona.start())
    expect(await attacker.finish(other)).toBe(expired)
    // The attacker makes the browser of mona finish the attacker's own login.
    const own = await attacker.authorize(await attacker.start())
    await mona.start()
    expect(await mona.finish(own)).toBe(expired)
    expect(github.requests.filter(({ path }) => path.includes('access_token'))).toEqual([])
    expect(await entriesOf(admin)).toEqual([])
  })

  test('succeeds after a callback with a forged state, and beside a cookie of another server', async () => {
    const { admin, browser } = await openGitHubScene()
    const mona = browser('mona')
    const callback = await mona.authorize(await mona.start())
    await mona.finish(callback.replace(/state=[^&]+/, 'state=forged'))
    const { pathname, search } = new URL(callback)
    const [name = ''] = [...mona.cookies.keys()]
    const headers = { authorization: undefined, cookie: `${name}=planted; ${mona.cookieHeader}` }
    const answered = await admin.ask(pathname + search, { headers })
    expect(answered.headers.location).toBe(`http://${admin.host}/`)
    expect(answered.headers['set-cookie']?.filter((cookie) => /Max-Age=0/.test(cookie))).toHaveLength(1)
  })

  test('that is replayed with its cookie starts no second session, because the code was used', async () => {
    const { admin, browser } = await openGitHubScene()
    const mona = browser('mona')
    const callback = await mona.authorize(await mona.start())
    const copy = new Map(mona.cookies)
    await mona.finish(callback)
    const thief = browser('mona')
    for (const [name, value] of copy) thief.cookies.set(name, value)
    expect(await thief.finish(callback)).toBe(`http://${admin.host}/#login=expired`)
    expect((await thief.ask('/api/v1/session')).status).toBe(401)
  })

  test('with a cookie that this server has not signed starts no session', async () => {
    const { admin, browser } = await openGitHubScene()
    const mona = browser('mona')
    const callback = await mona.authorize(await mona.start())
    const [name = '', value = ''] = [...mona.cookies][0] ?? []
    const [, ...rest] = value.split('.')
    mona.cookies.set(name, ['chosen', ...rest].join('.'))
    expect(await mona.finish(callback.replace(/state=[\w-]+/, 'state=chosen'))).toMatch(/#login=expired$/)
    expect(await entriesOf(admin)).toEqual([])
  })

  test('replaces a session that another user has planted', async () => {
    const { browser, admin } = await openGitHubScene()
    const [mona, lisa] = [browser('mona'), browser('lisa')]
    await lisa.logIn()
    for (const [name, value] of lisa.cookies) mona.cookies.set(name, value)
    await mona.logIn()
    expect((await mona.ask('/api/v1/session')).json.person).toBe('mona')
    expect((await lisa.ask('/api/v1/session')).json.person).toBe('lisa')
    expect(new Set([...mona.cookies.values(), ...lisa.cookies.values()]).size).toBe(2)
    expect(await entriesOf(admin)).toHaveLength(2)
  })

  test('says so if the user cancels', async () => {
    const { admin, browser } = await openGitHubScene()
    const mona = browser('mona')
    expect(await mona.finish(await mona.authorize(await mona.start(), '0'))).toBe(`http://${admin.host}/#login=denied`)
  })

  test('asks for the other groups if GitHub does not answer for one, and logs the reason', async () => {
    const { admin, browser, github } = await openGitHubScene({ operators: 'other,acme/ops' })
    github.failAt(/^GET \/user\/memberships\/orgs\/other$/, { status: 403, body: {} })
    const mona = browser('mona')
    expect(await mona.logIn()).toBe(`http://${admin.host}/`)
    expect((await mona.ask('/api/v1/session')).json.readOnly).toBe(false)
    const message = expect.stringContaining('the App may not read the members of other')
    expect(admin.recorder.lines).toContainEqual(expect.objectContaining({ level: 'warn', message }))
  })

  test.each([
    [
      'that requires single sign-on',
      { 'x-github-sso': 'required; url=https://github.com/orgs/other/sso' },
      'Resource protected by organization SAML enforcement.',
      'requires SAML single sign-on: authorize the token at https://github.com/orgs/other/sso',
    ],
    [
      'with an IP allow list',
      {},
      'the `other` organization has an IP allow list enabled',
      'status 403: the `other` organization has an IP allow list enabled',
    ],
  ])('names the reason of an organization %s, and no permission', async (_what, headers, message, reason) => {
    const { admin, browser, github } = await openGitHubScene({ operators: 'other,acme/ops' })
    github.failAt(/^GET \/user\/memberships\/orgs\/other$/, { status: 403, body: { message }, headers })
    await browser('mona').logIn()
    const messages = admin.recorder.lines.map((line) => line.message).join('\n')
    expect(messages).toContain(reason)
    expect(messages).not.toContain('permission')
  })

  test('does not call an exhausted rate limit a missing permission', async () => {
    const { admin, browser, github } = await openGitHubScene({ operators: 'acme', viewers: 'other' })
    const lisa = browser('lisa')
    const callback = await lisa.authorize(await lisa.start())
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1796082000' }
    github.failAt(/^GET \/user\/memberships/, { status: 403, body: {}, headers })
    expect(await lisa.finish(callback)).toBe(`http://${admin.host}/#login=failed`)
    const messages = admin.recorder.lines.map((line) => line.message).join('\n')
    expect(messages).toContain('a rate limit of GitHub is exhausted')
    expect(messages).not.toContain('permission')
  })

  test.each([
    ['GitHub revokes the token', /^GET \/user$/, 401, 'expired', 'GitHub has revoked the token of the user'],
    [
      'GitHub has an outage',
      /^GET \/user\/memberships/,
      503,
      'failed',
      'did not show the membership of lisa: status 503',
    ],
    [
      'the App lacks the permission',
      /^GET \/user\/memberships/,
      403,
      'failed',
      'install it on acme with the permission "Members"',
    ],
    ['GitHub does not answer', /access_token/, 'cut', 'failed', 'Cannot reach http://127.0.0.1'],
  ] as const)('starts no session if %s', async (_name, where, failure, reason, message) => {
    const { admin, browser, github } = await openGitHubScene({ operators: 'acme', viewers: 'other' })
    const lisa = browser('lisa')
    const callback = await lisa.authorize(await lisa.start())
    github.failAt(where, failure === 'cut' ? 'cut' : { status: failure, body: {} })
    expect(await lisa.finish(callback)).toBe(`http://${admin.host}/#login=${reason}`)
    expect((await lisa.ask('/api/v1/session')).status).toBe(401)
    expect(admin.recorder.lines.map((line) => line.message)).toContainEqual(expect.stringContaining(message))
  })

  test('with ten codes that GitHub rejects within a minute must wait', async () => {
    const { browser, github } = await openGitHubScene()
    const mona = browser('mona')
    const attempt = async (code: string) => {
      const state = new URL(await mona.start()).searchParams.get('state')
      return (await mona.finish(`http://127.0.0.1/login/github/callback?code=${code}&state=${state}`)).split('=')[1]
    }
    for (let i = 0; i < 10; i++) expect(await attempt(`guess${i}`)).toBe('expired')
    const before = github.requests.length
    expect([await attempt('guess10'), github.requests.length]).toEqual(['wait', before])
  })

  test('sends no more than ten codes at the same time to GitHub', async () => {
    const { browser, github } = await openGitHubScene()
    const attempt = async (code: string) => {
      const user = browser('mona')
      const state = new URL(await user.start()).searchParams.get('state')
      return () => user.finish(`http://127.0.0.1/login/github/callback?code=${code}&state=${state}`)
    }
    const attempts = await Promise.all(Array.from({ length: 15 }, (_, index) => attempt(`guess${index}`)))
    const results = await Promise.all(attempts.map((finish) => finish()))
    expect(results.filter((target) => target.endsWith('#login=wait'))).toHaveLength(5)
    expect(github.requests.filter(({ path }) => path.includes('access_token'))).toHaveLength(10)
  })

  test('does not count failures of GitHub', async () => {
    const { admin, browser, github } = await openGitHubScene()
    const mona = browser('mona')
    for (let i = 0; i < 10; i++) {
      const callback = await mona.authorize(await mona.start())
      github.failAt(/access_token/, { status: 503, body: {} })
      expect(await mona.finish(callback)).toBe(`http://${admin.host}/#login=failed`)
    }
    expect(await mona.logIn()).toBe(`http://${admin.host}/`)
  })

  test('without a code is logged with the error of GitHub, at most ten times a minute', async () => {
    const { admin, browser } = await openGitHubScene()
    const mona = browser('mona')
    const attempt = async (error: string) => {
      const state = new URL(await mona.start()).searchParams.get('state')
      return mona.finish(`http://127.0.0.1/login/github/callback?error=${error}&state=${state}`)
    }
    expect(await attempt('application_suspended')).toMatch(/#login=failed$/)
    for (let i = 0; i < 9; i++) expect(await attempt('not+a+code')).toMatch(/#login=failed$/)
    expect(await attempt('other')).toMatch(/#login=wait$/)
    const lines = admin.recorder.lines.filter(({ message }) => message.startsWith('Login with GitHub failed'))
    const start = 'Login with GitHub failed: GitHub sent the browser back with'
    expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      `warn ${start} application_suspended`,
      ...Array(9).fill(`warn ${start} no code`),
    ])
  })
})

test('another site can neither start a login, nor read or frame its pages', async () => {
  const { admin } = await openGitHubScene()
  const headers = {
    authorization: undefined,
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  }
  expect((await admin.ask('/login/github', { headers })).status).toBe(403)
  const framed = { ...headers, 'sec-fetch-dest': 'iframe' }
  expect((await admin.ask('/login/github/callback?code=x&state=y', { headers: framed })).status).toBe(403)
  const foreign = { ...headers, host: 'evil.example' }
  expect((await admin.ask('/login/github/callback', { headers: foreign })).json.code).toBe('forbidden_host')
  const malformed = { authorization: undefined, host: 'localhost:99999' }
  const rejected = await admin.ask('/login/github', { headers: malformed })
  expect([rejected.status, admin.recorder.lines]).toEqual([400, []])
})

test('the cookies are short, signed, hidden from scripts and bound to the site', async () => {
  const { admin, browser } = await openGitHubScene()
  const headers = { authorization: undefined, 'sec-fetch-site': 'same-origin' }
  const started = await admin.ask('/login/github', { headers })
  expect(attributes(started.headers['set-cookie']?.[0])).toEqual([
    'HttpOnly',
    'Max-Age=600',
    'Path=/login',
    'SameSite=Lax',
  ])
  const mona = browser('mona')
  const callback = new URL(await mona.authorize(await mona.start()))
  const answered = await admin.ask(callback.pathname + callback.search, {
    headers: { ...headers, cookie: mona.cookieHeader },
  })
  const session = answered.headers['set-cookie']?.find((cookie) => cookie.includes('operator'))
  expect(attributes(session)).toEqual(['HttpOnly', 'Max-Age=3600', 'Path=/api', 'SameSite=Strict'])
  expect(session).not.toContain(token)
})

test('behind a proxy, the login uses --admin-url, and cookies that no other server of the domain can set', async () => {
  const { admin, browser } = await openGitHubScene({ adminUrl: 'https://hooks.example/admin' })
  const headers = { authorization: undefined, 'sec-fetch-site': 'same-origin' }
  const started = await admin.ask('/login/github', { headers })
  const [cookie = ''] = started.headers['set-cookie'] ?? []
  expect(cookie).toMatch(/^__Host-hookserver-login-\d+=/)
  expect(attributes(cookie)).toEqual(['HttpOnly', 'Max-Age=600', 'Path=/', 'SameSite=Lax', 'Secure'])
  const mona = browser('mona')
  const callback = new URL(await mona.authorize(await mona.start()))
  expect(callback.origin + callback.pathname).toBe('https://hooks.example/admin/login/github/callback')
  const back = `/login/github/callback${callback.search}` // the proxy has removed the path
  const answered = await admin.ask(back, { headers: { ...headers, cookie: mona.cookieHeader } })
  expect(answered.headers.location).toBe('https://hooks.example/admin/')
  const session = answered.headers['set-cookie']?.find((one) => one.includes('operator'))
  expect(attributes(session)).toEqual(['HttpOnly', 'Max-Age=3600', 'Path=/admin/api', 'SameSite=Strict', 'Secure'])
})

const attributes = (cookie = '') => cookie.split('; ').slice(1).toSorted()
