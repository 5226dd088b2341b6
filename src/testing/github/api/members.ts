import { HttpError, notFound, ok, type Reply } from '../http/reply.ts'
import type { Call } from '../http/route.ts'
import { organizationShape, simpleUser } from '../shapes/user.ts'
import type { Account } from '../world/repository.ts'
import type { LocalRole } from '../world/repository-content.ts'
import { repositoryIn } from './author.ts'

const roles: readonly (LocalRole | 'none')[] = ['none', 'read', 'triage', 'write', 'maintain', 'admin']

/** `permission` has only the roles that GitHub had first. */
const legacyRoles: Partial<Record<LocalRole | 'none', LocalRole>> = { triage: 'read', maintain: 'write' }

/** The permission of a user in a repository, for a bot of an App, and for users who may write. */
export function getPermission(call: Call): Reply {
  const { world, caller } = call
  if (caller.kind === 'anonymous') throw new HttpError(401, 'Requires authentication')
  if (caller.kind === 'user' && !includes(roleOf(call, caller.user), 'write'))
    throw new HttpError(403, 'Must have push access to view collaborator permission.')
  const user = userIn(call)
  const role = roleOf(call, user)
  const has = (level: LocalRole) => includes(role, level)
  const permissions = {
    ...{ pull: has('read'), triage: has('triage'), push: has('write'), maintain: has('maintain'), admin: has('admin') },
  }
  const shown = { ...simpleUser(world, user), permissions, role_name: role }
  return ok({ permission: legacyRoles[role] ?? role, role_name: role, user: shown })
}

/** `admin` for the owner, the role of `addCollaborator()`, or else `read` if the repository is public. */
function roleOf(call: Call, user: Account): LocalRole | 'none' {
  const repository = repositoryIn(call)
  if (user === repository.owner) return 'admin'
  return call.world.contentOf(repository).roles.get(user) ?? (repository.private ? 'none' : 'read')
}

const includes = (role: LocalRole | 'none', level: LocalRole): boolean => roles.indexOf(role) >= roles.indexOf(level)

export function getMembership(call: Call): Reply {
  requireInstallation(call)
  const { org, team_slug: slug, username } = call.parameters
  const state = call.world.teams.get(`${org}/${slug}`.toLowerCase())?.get(userIn(call))
  if (!state) throw notFound()
  const url = `${call.world.api}/orgs/${org}/teams/${slug}/memberships/${username}`
  return ok({ url, role: 'member', state })
}

/** The membership of the user who sends the request. */
export function getOwnMembership(call: Call): Reply {
  const { world, caller, parameters } = call
  if (caller.kind !== 'user') throw new HttpError(403, 'Resource not accessible by integration')
  requireInstallation(call)
  const organization = world.findAccount(parameters.org ?? '')
  const state = organization && world.members.get(organization.login.toLowerCase())?.get(caller.user)
  if (!organization || !state) throw notFound()
  const url = `${world.api}/orgs/${organization.login}`
  const user = simpleUser(world, caller.user)
  const shown = organizationShape(world, organization)
  return ok({
    url: `${url}/memberships/${caller.user.login}`,
    ...{ state, role: 'member', organization_url: url, organization: shown, user },
  })
}

/** The token of a user for an App sees only organizations that have installed the App. */
function requireInstallation({ caller, parameters: { org = '' } }: Call): void {
  if (caller.kind !== 'user' || !caller.app) return
  const isInstalled = caller.app.installations.some(({ account }) => account.login.toLowerCase() === org.toLowerCase())
  if (!isInstalled) throw new HttpError(403, 'Resource not accessible by integration')
}

function userIn({ world, parameters: { username = '' } }: Call): Account {
  const user = world.findAccount(username)
  if (!user) throw notFound()
  return user
}
