/**
 * Explains why GitHub denies access to webhooks: which permission or scope the token lacks, that the token is not
 * authorized for single sign-on, or that the repository is archived.
 */
import {
  gitHubMessage,
  isCuredByPermission,
  type RequestError,
  rateLimitWait,
  singleSignOnCure,
  withMessage,
} from '../requester.ts'
import { nameOfTarget, type Target } from '../target.ts'

export type Access = 'read' | 'write'

/** What GitHub's pages call these permissions and levels. */
const pageNames: Readonly<Record<string, string>> = {
  repository_hooks: 'the repository permission "Webhooks"',
  organization_hooks: 'the organization permission "Webhooks"',
}
const levels: Readonly<Record<string, string>> = { read: 'Read-only', write: 'Read and write' }

/**
 * Whether GitHub answered with status 403 or 404 for a reason other than a rate limit. False for the errors that
 * `Installations` creates. Their status is 403 or 404 too, but they have no `response`, and their messages already name
 * the reason.
 */
function isAccessDenied(error: unknown): boolean {
  const { status, response } = error as RequestError
  const isDenied = response !== undefined && (status === 403 || status === 404)
  return isDenied && rateLimitWait(error as RequestError) === undefined
}

/**
 * What happened and what to do, if GitHub denied access. `undefined` for other errors.
 * @param access The access that the request needed.
 */
export function explainDeniedAccess(error: unknown, target: Target, access: Access): string | undefined {
  const { status, response } = error as RequestError
  if (!isAccessDenied(error)) return undefined
  const name = nameOfTarget(target)
  if (target === 'app') return `GitHub does not show the webhook of the App (${status}): check that the App has one`
  const headers = (response?.headers ?? {}) as Readonly<Record<string, string | undefined>>
  const verb = access === 'read' ? 'read' : 'change'
  const denial = `GitHub does not allow this token to ${verb} the webhooks of ${name}`
  const signOn = singleSignOnCure(error as RequestError)
  if (signOn !== undefined) return `${denial} (${status}). ${signOn}`
  if (status === 403 && /\barchived\b/i.test(gitHubMessage(error as RequestError) ?? '')) {
    return `GitHub does not allow changes to ${name} (403), because the repository is archived: unarchive it first`
  }
  if (status === 403 && !isCuredByPermission(error as RequestError)) {
    return withMessage(`${denial} (403)`, error as RequestError)
  }
  const need = neededAccess(headers, target, access)
  if (status === 404) {
    return `GitHub shows no webhooks of ${name} (404): check its spelling, and that ${need}`
  }
  return `${denial} (${withMessage('403', error as RequestError)}): make sure that ${need}`
}

/** A clause such as `the token has the scope admin:repo_hook`. */
function neededAccess(
  headers: Readonly<Record<string, string | undefined>>,
  target: Exclude<Target, 'app'>,
  access: Access,
): string {
  const ofRepository = 'repository' in target
  // Only responses for classic tokens have this header. It lists the scopes of the token, and may be empty.
  const scopes = headers['x-oauth-scopes']
  if (scopes !== undefined) {
    const scope = ofRepository ? `${access === 'read' ? 'read' : 'write'}:repo_hook` : 'admin:org_hook'
    return `the classic token has the scope ${scope} (it has ${scopes || 'none'})`
  }
  const fallback = `${ofRepository ? 'repository_hooks' : 'organization_hooks'}=${access}`
  const accepted = headers['x-accepted-github-permissions'] || fallback
  return `the token or the App has ${accepted.split(/; */).map(describeAll).join(', or ')}`
}

const describeAll = (permissions: string): string => permissions.split(/, */).map(describe).join(' and ')

/** @param text Such as `repository_hooks=write`. */
function describe(text: string): string {
  const [permission = '', level = ''] = text.split('=')
  const shown = pageNames[permission] ?? `the permission "${permission}"`
  return `${shown} with ${levels[level] ?? level} (${text})`
}

/** GitHub's reasons for a rejected change (422), as one text. `undefined` for other errors. */
export function explainInvalid(error: unknown): string | undefined {
  const { status, response } = error as RequestError
  if (status !== 422) return undefined
  const { errors } = (response?.data ?? {}) as { errors?: unknown }
  const reasons = (Array.isArray(errors) ? errors : []).map((one) => reasonIn(one)).filter((one) => one !== undefined)
  if (reasons.length > 0) return `GitHub rejected the webhook (422): ${reasons.join('; ')}`
  return withMessage('GitHub rejected the webhook (422)', error as RequestError)
}

function reasonIn(error: unknown): string | undefined {
  if (typeof error === 'string') return error
  const { message, field, code } = (error ?? {}) as { message?: string; field?: string; code?: string }
  return message ?? (field === undefined ? undefined : `${field} is ${code ?? 'invalid'}`)
}
