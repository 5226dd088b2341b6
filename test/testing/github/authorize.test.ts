/** The login of users by OAuth, without a browser. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { LocalGitHub } from '../../../src/testing/index.ts'
import { formOf, send } from './browser.ts'
import { ask, octokitFor, start } from './scene.ts'

const callback = 'http://127.0.0.1:8001/callback'
const verifier = 'a-verifier-of-more-than-43-characters-for-the-tests'
const challenge = createHash('sha256').update(verifier).digest('base64url')
const asked = { state: 's', redirect_uri: callback, code_challenge: challenge, code_challenge_method: 'S256' }

async function scene() {
  const github = await start()
  const app = github.addApp({ id: 7, callbackUrls: [callback], installations: [{ id: 9, account: 'acme' }] })
  const client = { client_id: app.clientId, client_secret: app.clientSecret }
  return { github, app, client, request: { client_id: app.clientId, ...asked } }
}

const show = (github: LocalGitHub, parameters: Record<string, string>) =>
  fetch(`${github.webUrl}/login/oauth/authorize?${new URLSearchParams(parameters)}`, { redirect: 'manual' })

/** The address to which the page sends the browser. */
async function answer(github: LocalGitHub, request: Record<string, string>, authorize = '1'): Promise<URL> {
  const page = await show(github, request)
  const direct = page.headers.get('location')
  if (direct) return new URL(direct)
  const { action, fields } = formOf(await page.text())
  return new URL((await send(github.webUrl + action, { ...fields, authorize })).location ?? '')
}

const codeFor = async (github: LocalGitHub, request: Record<string, string>) =>
  (await answer(github, request)).searchParams.get('code') ?? ''

async function exchange(github: LocalGitHub, fields: Record<string, string>): Promise<Record<string, string>> {
  const init = { method: 'POST', body: new URLSearchParams(fields), headers: { accept: 'application/json' } }
  const response = await fetch(`${github.webUrl}/login/oauth/access_token`, init)
  expect(response.status).toBe(200)
  return (await response.json()) as Record<string, string>
}

describe('the page that authorizes an App', () => {
  test('asks the user once, and sends the browser back with a code and the state', async () => {
    const { github, request } = await scene()
    expect((await show(github, request)).status).toBe(200)
    const target = await answer(github, request)
    expect(target.href).toMatch(/^http:\/\/127\.0\.0\.1:8001\/callback\?code=\w{20}&state=s$/)
    expect((await show(github, request)).status).toBe(302)
    github.signIn('mona')
    expect((await show(github, request)).status).toBe(200)
  })

  test('sends the browser back with an error if the user cancels', async () => {
    const { github, request } = await scene()
    const { searchParams } = await answer(github, request, '0')
    expect([searchParams.get('error'), searchParams.get('state'), searchParams.get('code')]).toEqual([
      ...['access_denied', 's', null],
    ])
  })

  test.each([
    ['an unknown App', { client_id: 'unknown' }, 404],
    ['another address', { redirect_uri: 'https://evil.example/callback' }, 400],
    ['another path', { redirect_uri: `${callback}/more` }, 400],
    ['a challenge in plain text', { code_challenge_method: 'plain' }, 400],
    ['a challenge that is no hash', { code_challenge: 'short' }, 400],
  ])('does not send the browser anywhere for %s', async (_name, changed, status) => {
    const { github, request } = await scene()
    const response = await show(github, { ...request, ...changed })
    expect([response.status, response.headers.get('location')]).toEqual([status, null])
  })

  test('accepts another port of the loopback interface', async () => {
    const { github, request } = await scene()
    const target = await answer(github, { ...request, redirect_uri: 'http://127.0.0.1:9/callback' })
    expect(target.port).toBe('9')
  })
})

describe('a code', () => {
  test('is exchanged for a token that expires after eight hours', async () => {
    const { github, client, request } = await scene()
    const code = await codeFor(github, request)
    const fields = { ...client, code, code_verifier: verifier, redirect_uri: callback }
    const { access_token: token = '', ...answer } = await exchange(github, fields)
    expect(answer).toMatchObject({ token_type: 'bearer', scope: '', expires_in: 28_800 })
    expect(token).toMatch(/^ghu_\w{36}$/)
    expect((await octokitFor(github, token).rest.users.getAuthenticated()).data.login).toBe('octocat')
    github.clock.advance(8 * 60 * 60 * 1000)
    expect(await ask(github, 'GET /user', { token })).toMatchObject({ status: 401 })
  })

  const wrong = { error: 'bad_verification_code' }

  test('is good for one exchange, also if the exchange fails', async () => {
    const { github, client, request } = await scene()
    const code = await codeFor(github, request)
    expect(await exchange(github, { ...client, code, code_verifier: 'wrong' })).toMatchObject(wrong)
    expect(await exchange(github, { ...client, code, code_verifier: verifier })).toMatchObject(wrong)
    const other = await codeFor(github, request)
    expect(await exchange(github, { ...client, code: other, code_verifier: verifier })).toHaveProperty('access_token')
    expect(await exchange(github, { ...client, code: other, code_verifier: verifier })).toMatchObject(wrong)
  })

  test('needs the verifier, the secret and the address of its request, within ten minutes', async () => {
    const { github, client, request } = await scene()
    const attempt = async (fields: Record<string, string>, wait = 0) => {
      const code = await codeFor(github, request)
      github.clock.advance(wait)
      return exchange(github, { ...client, code, code_verifier: verifier, ...fields })
    }
    const code = await codeFor(github, request)
    expect(await exchange(github, { ...client, code })).toMatchObject(wrong)
    expect(await attempt({ code: 'guessed' })).toMatchObject(wrong)
    expect(await attempt({}, 10 * 60 * 1000)).toMatchObject(wrong)
    expect(await attempt({ client_secret: 'wrong' })).toMatchObject({ error: 'incorrect_client_credentials' })
    expect(await attempt({ redirect_uri: `${callback}/2` })).toMatchObject({ error: 'redirect_uri_mismatch' })
    const other = github.addApp({ id: 8 })
    const others = { client_id: other.clientId, client_secret: other.clientSecret }
    expect(await attempt(others)).toMatchObject(wrong)
  })
})

describe('the token of a user for an App', () => {
  async function signedIn() {
    const { github, client, request } = await scene()
    const code = await codeFor(github, request)
    const { access_token: token = '' } = await exchange(github, { ...client, code, code_verifier: verifier })
    return { github, token, rest: octokitFor(github, token).rest }
  }

  test('shows the memberships of the user where the App is installed', async () => {
    const { github, token, rest } = await signedIn()
    github.addOrganizationMember('acme', 'octocat')
    const { data } = await rest.orgs.getMembershipForAuthenticatedUser({ org: 'Acme' })
    expect(data).toMatchObject({ state: 'active', organization: { login: 'acme' }, user: { login: 'octocat' } })
    github.addTeamMember('acme/ops', 'octocat', { pending: true })
    expect((await rest.orgs.getMembershipForAuthenticatedUser({ org: 'acme' })).data.state).toBe('pending')
    github.removeOrganizationMember('acme', 'octocat')
    expect(await ask(github, 'GET /user/memberships/orgs/acme', { token })).toMatchObject({ status: 404 })
    expect(await ask(github, 'GET /orgs/acme/teams/ops/memberships/octocat', { token })).toMatchObject({ status: 404 })
    github.addOrganizationMember('other', 'octocat')
    expect(await ask(github, 'GET /user/memberships/orgs/other', { token })).toMatchObject({ status: 403 })
  })

  test('is rejected after it was revoked', async () => {
    const { github, token } = await signedIn()
    github.revokeToken(token)
    expect(await ask(github, 'GET /user', { token })).toMatchObject({ status: 401 })
    expect(() => github.revokeToken(token)).toThrow('no such token')
  })
})
