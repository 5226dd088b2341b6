/**
 * The login of users by OAuth:
 * https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Reply } from '../http/reply.ts'
import type { App } from '../world/app.ts'
import { html, missingPage, page, redirect } from './html.ts'
import type { Visit } from './visit.ts'

/** In seconds. */
const [tokenLifetime, refreshLifetime] = [8 * 60 * 60, 184 * 24 * 60 * 60]

/** Asks the user to authorize an App. If the user has done so before, sends the browser back at once. */
export function showAuthorization(visit: Visit): Reply {
  const { world, url } = visit
  const request = requestIn(visit, url.searchParams)
  if ('status' in request) return request
  if (world.authorizations.has({ app: request.app, user: world.visitor })) return authorized(visit, request)
  const fields = [...url.searchParams].map(([name, value]) => {
    return html`<input type="hidden" name="${name}" value="${value}">`
  })
  const content = html`<p>${request.app.name} by ${request.app.owner.login} wants to verify the identity of ${world.visitor.login}.</p>
<form method="post" action="/login/oauth/authorize">${fields}
<button name="authorize" value="0">Cancel</button>
<button name="authorize" value="1">Authorize ${request.app.name}</button>
</form>`
  return page(200, `Authorize ${request.app.name}`, content, { formsLeave: true, user: world.visitor.login })
}

/** Sends the browser back with a code, or with an error if the user cancels. */
export function authorize(visit: Visit): Reply {
  const { form } = visit
  const request = requestIn(visit, form)
  if ('status' in request) return request
  if (form.get('authorize') === '1') return authorized(visit, request)
  const error = {
    error: 'access_denied',
    error_description: 'The user has denied your application access.',
    error_uri: `${documentation}#access-denied`,
  }
  return redirect(addressWith(request, error))
}

interface AuthorizationRequest {
  app: App
  /** Where the browser is sent back. */
  target: string
  redirectUri: string | undefined
  challenge: string | undefined
  state: string | undefined
}

/** @returns A page, if the browser must not be sent back. */
function requestIn({ world }: Visit, parameters: URLSearchParams): AuthorizationRequest | Reply {
  const app = world.apps.find(({ clientId }) => clientId === parameters.get('client_id'))
  if (!app) return missingPage()
  const redirectUri = parameters.get('redirect_uri') ?? undefined
  const target = redirectUri ?? app.callbackUrls[0]
  if (target === undefined || !app.callbackUrls.some((known) => isCallback(target, known))) {
    return page(400, 'Be careful!', html`<p>The redirect_uri is not associated with this application.</p>`)
  }
  const challenge = parameters.get('code_challenge') ?? undefined
  const isS256 = parameters.get('code_challenge_method') === 'S256' && /^[\w-]{43}$/.test(challenge ?? '')
  if (challenge !== undefined && !isS256) {
    return page(400, 'Invalid request', html`<p>The code_challenge_method must be S256.</p>`)
  }
  return { app, target, redirectUri, challenge, state: parameters.get('state') ?? undefined }
}

/** Whether an address is a registered one. On the loopback interface, the port may differ. */
function isCallback(address: string, registered: string): boolean {
  const [one, other] = [URL.parse(address), URL.parse(registered)]
  if (!one || !other) return false
  if (['127.0.0.1', '[::1]'].includes(one.hostname)) one.port = other.port
  return one.href === other.href
}

function authorized({ world }: Visit, request: AuthorizationRequest): Reply {
  const { app, redirectUri, challenge } = request
  const code = world.authorizations.add({ app, user: world.visitor, redirectUri, challenge })
  return redirect(addressWith(request, { code }))
}

function addressWith({ target, state }: AuthorizationRequest, parameters: Readonly<Record<string, string>>): URL {
  const address = new URL(target)
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value)
  if (state !== undefined) address.searchParams.set('state', state)
  return address
}

/** Exchanges a code for a token of the user. Errors have status 200, as on GitHub. */
export function createUserToken({ world, form, headers }: Visit): Reply {
  const answer = (members: Readonly<Record<string, string | number>>): Reply => {
    if (headers.accept?.includes('json')) return { status: 200, body: members }
    const text = new URLSearchParams(
      Object.entries(members).map(([name, value]): [string, string] => [name, String(value)]),
    )
    return { status: 200, headers: { 'content-type': 'application/x-www-form-urlencoded' }, page: text.toString() }
  }
  const failed = (error: keyof typeof descriptions) => {
    const anchor = error.replaceAll('_', '-')
    return answer({ error, error_description: descriptions[error], error_uri: `${documentation}#${anchor}` })
  }
  const app = world.apps.find(({ clientId }) => clientId === form.get('client_id'))
  if (!app || !isEqual(form.get('client_secret') ?? '', app.clientSecret)) return failed('incorrect_client_credentials')
  const found = world.authorizations.redeem(form.get('code') ?? '', app, form.get('code_verifier') ?? undefined)
  if (!found) return failed('bad_verification_code')
  const redirectUri = form.get('redirect_uri') ?? undefined
  if (redirectUri !== undefined && redirectUri !== (found.redirectUri ?? app.callbackUrls[0])) {
    return failed('redirect_uri_mismatch')
  }
  const { user } = found
  const expiresAt = world.clock.now() + tokenLifetime * 1000
  const budget = user === world.user ? 'authorized' : `user ${user.id}`
  const token = { kind: 'user', budget, user, permissions: app.permissions, scopes: undefined, app, expiresAt } as const
  return answer({
    ...{ access_token: world.tokens.add(token), expires_in: tokenLifetime, token_type: 'bearer', scope: '' },
    ...{ refresh_token: `ghr_${randomBytes(38).toString('hex')}`, refresh_token_expires_in: refreshLifetime },
  })
}

const documentation =
  'https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/'

const descriptions = {
  incorrect_client_credentials: 'The client_id and/or client_secret passed are incorrect.',
  bad_verification_code: 'The code passed is incorrect or expired.',
  redirect_uri_mismatch: 'The redirect_uri MUST match the registered callback URL for this application.',
} as const

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b) // the same number of characters may have more bytes
}
