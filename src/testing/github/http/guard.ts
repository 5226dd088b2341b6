import type { Caller } from '../auth/caller.ts'
import { undecodable } from '../auth/jwt.ts'
import { allows } from '../auth/permissions.ts'
import { covers } from '../world/app.ts'
import type { Repository } from '../world/repository.ts'
import { notFound, Refusal } from './reply.ts'
import type { Access } from './route.ts'

type Permission = Exclude<Access, string>

/**
 * Checks that the caller may use a route.
 * @throws {Refusal} with the status that GitHub sends, which for some missing permissions is 404.
 */
export function guard(access: Access, caller: Caller, repository: Repository | undefined): void {
  if (access === 'app') {
    if (caller.kind !== 'app') throw undecodable()
  } else if (access === 'user') {
    if (caller.kind === 'anonymous') throw unauthenticated()
    if (caller.kind !== 'user') throw inaccessible('integration')
  } else if (access === 'installation') {
    if (caller.kind === 'anonymous') throw unauthenticated()
    if (caller.kind !== 'installation') throw notInstalled()
  } else if (access !== 'anyone') {
    guardPermission(access, caller, repository)
  }
  if (repository?.private && !sees(caller, repository)) throw notFound()
}

function guardPermission({ permission, level }: Permission, caller: Caller, repository: Repository | undefined): void {
  if (caller.kind === 'anonymous') throw permission.endsWith('_hooks') ? notFound() : unauthenticated()
  if (caller.kind === 'app') throw inaccessible('integration')
  const reached = !repository || sees(caller, repository)
  if (reached && allows(caller.permissions, permission, level)) return
  if (caller.kind === 'installation') throw inaccessible('integration')
  // GitHub does not tell a classic token which scope is missing.
  throw caller.scopes ? notFound() : inaccessible('personal access token')
}

/** A user sees all repositories, an App those of its installations, and an installation token only its own. */
function sees(caller: Caller, repository: Repository): boolean {
  if (caller.kind === 'anonymous') return false
  if (caller.kind === 'user') return true
  if (caller.kind === 'app') return caller.app.installations.some((one) => covers(one, repository))
  return caller.repositories?.includes(repository) ?? covers(caller.installation, repository)
}

const unauthenticated = () => new Refusal(401, 'Requires authentication')
const inaccessible = (by: string) => new Refusal(403, `Resource not accessible by ${by}`)
const notInstalled = () =>
  new Refusal(
    403,
    'You must authenticate with an installation access token in order to list repositories for an installation.',
  )
