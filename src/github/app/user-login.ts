/**
 * Identifies a user by the OAuth flow of a GitHub App, and finds the organizations and teams of the user:
 * https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
 */
import { type Json, parseObject, textIn } from '../../runtime/json.ts'
import { version } from '../../runtime/platform.ts'
import { parseExhaustedLimit, parseRetryAfter } from '../../runtime/rate-limit.ts'
import { responseText } from '../../runtime/untrusted-text.ts'
import { apiVersion } from '../octokit-requester.ts'
import { isCuredByPermission, singleSignOnCure } from '../requester.ts'

/** The App that users authorize. */
export interface LoginApp {
  clientId: string
  clientSecret: string
  /** The address of GitHub's pages. */
  github: string
  apiUrl: string
}

/** An organization, or one of its teams. */
export interface Group {
  organization: string
  team?: string
}

/** Parses `acme` or `acme/ops`. @returns `undefined` for other texts: `acme/..` would name another path of the API. */
export function parseGroup(text: string): Group | undefined {
  const [, organization, team] = /^([\w-]{1,39})(?:\/(\w[\w.-]{0,99}))?$/.exec(text) ?? []
  if (organization === undefined) return undefined
  return team === undefined ? { organization } : { organization, team }
}

/** The text that `parseGroup` parses. */
export const formatGroup = ({ organization, team }: Group): string =>
  team === undefined ? organization : `${organization}/${team}`

/**
 * Why GitHub did not identify the user. `rejected`: the code or the token is not valid, or no longer. `failed`: GitHub
 * does not answer as expected, or the App lacks access. No message contains a code, a token or a secret.
 */
export class UserLoginError extends Error {
  readonly code: 'rejected' | 'failed'

  constructor(code: UserLoginError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** The page on which the user authorizes the App. @param challenge The hash of the verifier, for PKCE. */
export function authorizationUrl(
  { github, clientId }: LoginApp,
  { redirectUri, state, challenge }: { redirectUri: string; state: string; challenge: string },
): string {
  const parameters = new URLSearchParams({
    ...{ client_id: clientId, redirect_uri: redirectUri, state },
    ...{ code_challenge: challenge, code_challenge_method: 'S256' },
  })
  return `${github}/login/oauth/authorize?${parameters}`
}

/** A signal for all requests of one login. A person waits for the page. */
export const loginSignal = (): AbortSignal => AbortSignal.timeout(20_000)

/** Exchanges a code for a token of the user. @throws {UserLoginError} */
export async function exchangeUserCode(
  { github, clientId, clientSecret }: LoginApp,
  { code, verifier, redirectUri }: { code: string; verifier: string; redirectUri: string },
  signal: AbortSignal,
): Promise<string> {
  const body = new URLSearchParams({
    ...{ client_id: clientId, client_secret: clientSecret },
    ...{ code, code_verifier: verifier, redirect_uri: redirectUri },
  })
  const { status, json } = await ask(`${github}/login/oauth/access_token`, { method: 'POST', body, signal })
  const token = textIn(json, 'access_token')
  if (status === 200 && token) return token
  const error = textIn(json, 'error')
  if (error === 'bad_verification_code') throw new UserLoginError('rejected', 'GitHub does not accept the code')
  if (error === 'incorrect_client_credentials') {
    const cure = 'check GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET'
    throw new UserLoginError('failed', `GitHub does not accept the client secret of the App: ${cure}`)
  }
  const reason = error !== undefined && /^\w{1,100}$/.test(error) ? error : `status ${status}`
  throw new UserLoginError('failed', `GitHub did not exchange the code: ${reason}`)
}

/** A user of GitHub, with the token that the App has got. */
export class GitHubUser {
  readonly login: string
  readonly #token: string
  readonly #apiUrl: string
  readonly #signal: AbortSignal

  private constructor(login: string, token: string, apiUrl: string, signal: AbortSignal) {
    this.login = login
    this.#token = token
    this.#apiUrl = apiUrl
    this.#signal = signal
  }

  /** @param signal Ends the requests about this user. @throws {UserLoginError} */
  static async identify(token: string, apiUrl: string, signal: AbortSignal): Promise<GitHubUser> {
    const { status, json } = await askApi(`${apiUrl}/user`, token, signal)
    const login = textIn(json, 'login')
    if (status === 200 && login !== undefined && /^[\w-]{1,100}$/.test(login)) {
      return new GitHubUser(login, token, apiUrl, signal)
    }
    throw new UserLoginError('failed', `GitHub did not say who the user is: status ${status}`)
  }

  /** Whether the user is an active member of an organization or a team. @throws {UserLoginError} */
  async isMember({ organization, team }: Group): Promise<boolean> {
    const path =
      team === undefined
        ? `/user/memberships/orgs/${organization}`
        : `/orgs/${organization}/teams/${team}/memberships/${this.login}`
    const { status, json, signOn } = await askApi(this.#apiUrl + path, this.#token, this.#signal)
    if (status === 200) return textIn(json, 'state') === 'active'
    if (status === 404) return false
    const message = textIn(json, 'message') ?? ''
    let reason = signOn ?? (message === '' ? `status ${status}` : `status ${status}: ${message}`)
    if (status === 403 && signOn === undefined && isCuredByPermission({ message })) {
      const cure = `install it on ${organization} with the permission "Members" (read)`
      reason = `the App may not read the members of ${organization}: ${cure}`
    }
    throw new UserLoginError('failed', `GitHub did not show the membership of ${this.login}: ${reason}`)
  }
}

async function askApi(url: string, token: string, signal: AbortSignal): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, 'x-github-api-version': apiVersion }
  const answer = await ask(url, { headers, signal })
  if (answer.status === 401) throw new UserLoginError('rejected', 'GitHub has revoked the token of the user')
  if (answer.isLimited) throw new UserLoginError('failed', 'a rate limit of GitHub is exhausted: try again later')
  return answer
}

interface Answer {
  status: number
  json: Json | undefined
  /** Whether a rate limit is the reason of the status. */
  isLimited: boolean
  /** What to do if the organization requires single sign-on. */
  signOn: string | undefined
}

const maxResponse = 1024 * 1024

async function ask(
  url: string,
  { headers, ...init }: RequestInit & { headers?: Record<string, string>; signal: AbortSignal },
): Promise<Answer> {
  try {
    const response = await fetch(url, {
      ...init,
      headers: { accept: 'application/json', 'user-agent': `hookserver/${version}`, ...headers },
      redirect: 'error', // another server must not get the code or the token
    })
    const json = parseObject(await responseText(response, maxResponse))
    const signOn = singleSignOnCure({ response: { headers: Object.fromEntries(response.headers) } })
    return { status: response.status, json, isLimited: isLimited(response), signOn }
  } catch (error) {
    const { name, cause } = error as Error
    const reason = name === 'TimeoutError' ? 'no answer in time' : (cause as { code?: string } | undefined)?.code
    throw new UserLoginError('failed', `Cannot reach ${new URL(url).origin}: ${reason ?? 'the connection failed'}`)
  }
}

function isLimited({ status, headers }: Response): boolean {
  const now = Date.now()
  const says = parseRetryAfter(headers, now) !== undefined || parseExhaustedLimit(status, headers, now) !== undefined
  return status === 429 || (status === 403 && says)
}
