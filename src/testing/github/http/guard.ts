import type { Caller } from '../auth/caller.ts'
import { undecodable } from '../auth/jwt.ts'
import { allows, type Permissions, permittedBy } from '../auth/permissions.ts'
import { covers } from '../world/app.ts'
import type { Repository } from '../world/repository.ts'
import { HttpError, notFound } from './reply.ts'
import type { Access, RequiredPermission } from './route.ts'

/**
 * Checks that the caller may use a route.
 * @throws {HttpError} with the status that GitHub sends, which for some missing permissions is 404.
 */
export function guard(access: Access, caller: Caller, repository: Repository | undefined): void {
  if (typeof access === 'object') {
    guardPermission(access, caller, repository)
    return // skips the check of private repositories below, because guardPermission has its own
  }
  if (access === 'app') {
    if (caller.kind !== 'app') throw undecodable()
  } else if (access === 'user') {
    if (caller.kind === 'anonymous') throw unauthenticated()
    if (caller.kind !== 'user') throw inaccessible('integration')
  } else if (access === 'installation') {
    if (caller.kind === 'anonymous') throw unauthenticated()
    if (caller.kind !== 'installation') throw notInstalled()
  }
  if (repository?.private && !sees(caller, repository)) throw notFound()
}

function guardPermission(required: RequiredPermission, caller: Caller, repository: Repository | undefined): void {
  if (caller.kind === 'app') throw inaccessible('integration')
  if (isOpen(required, repository)) return
  if (caller.kind === 'anonymous')
    throw required.permission.endsWith('_hooks') || repository?.private ? notFound() : unauthenticated()
  if (caller.kind === 'user' && caller.scopes) {
    // GitHub does not tell a classic token which scope is missing.
    if (!isGranted(required, permittedBy(usableScopes(caller.scopes, repository)))) throw notFound()
    return
  }
  const seen = !repository || sees(caller, repository)
  if (seen && isGranted(required, caller.permissions)) return
  throw repository?.private && !seen ? notFound() : inaccessible(nameOf(caller))
}

/** Whether a route needs neither authentication nor a permission: reading a public repository, but not its webhooks. */
const isOpen = ({ permission, level }: RequiredPermission, repository: Repository | undefined): boolean =>
  level === 'read' && repository?.private === false && !permission.endsWith('_hooks')

const usableScopes = (scopes: readonly string[], repository: Repository | undefined): readonly string[] =>
  repository?.private ? scopes.filter((scope) => scope !== 'public_repo') : scopes

const isGranted = ({ permission, alternatives = [], level }: RequiredPermission, granted: Permissions): boolean =>
  [permission, ...alternatives].some((name) => allows(granted, name, level))

/**
 * Whether a caller sees a private repository. A user sees all, except with a classic token without the scope `repo`.
 * An App sees the repositories of its installations. An installation token sees the repositories that it is for.
 */
export function sees(caller: Caller, repository: Repository): boolean {
  if (caller.kind === 'anonymous') return false
  if (caller.kind === 'user') return caller.scopes?.includes('repo') ?? true
  if (caller.kind === 'app') return caller.app.installations.some((one) => covers(one, repository))
  return covers(caller.installation, repository) && (caller.repositories?.includes(repository) ?? true)
}

const nameOf = (caller: Caller): string =>
  caller.kind === 'installation' || (caller.kind === 'user' && caller.app) ? 'integration' : 'personal access token'

const unauthenticated = () => new HttpError(401, 'Requires authentication')
const inaccessible = (by: string) => new HttpError(403, `Resource not accessible by ${by}`)
const notInstalled = () =>
  new HttpError(
    403,
    'You must authenticate with an installation access token in order to list repositories for an installation.',
  )
