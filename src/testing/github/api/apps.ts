import { objectIn } from '../../../runtime/json.ts'
import type { AppCaller, InstallationToken } from '../auth/caller.ts'
import { allows, type Permissions } from '../auth/permissions.ts'
import { timestamp } from '../clock.ts'
import { paged } from '../http/paging.ts'
import { created, notFound, ok, Refusal, type Reply } from '../http/reply.ts'
import { textsIn } from '../http/request-body.ts'
import { type Call, numberOf } from '../http/route.ts'
import { appShape, installationShape } from '../shapes/app.ts'
import { repositoryShape } from '../shapes/repository.ts'
import { type App, covers, type Installation } from '../world/app.ts'
import type { Account, Repository } from '../world/repository.ts'

const hour = 60 * 60 * 1000

export const getApp = (call: Call): Reply => ok(appShape(call.world, appIn(call)))

/** Exchanges the code of the manifest flow for the App with its secrets. */
export function convertManifest({ world, parameters }: Call): Reply {
  const registration = world.codes.redeem(parameters.code ?? '')
  if (!registration) throw notFound()
  const { app, clientSecret, webhookSecret } = registration
  const secrets = { client_secret: clientSecret, webhook_secret: webhookSecret ?? null, pem: app.privateKey }
  return created({ ...appShape(world, app), ...secrets })
}

export function listInstallations(call: Call): Reply {
  const app = appIn(call)
  return paged(call.url, app.installations, (some) => some.map((one) => installationShape(call.world, app, one)))
}

export const getInstallation = (call: Call): Reply =>
  ok(installationShape(call.world, appIn(call), installationIn(call)))

/** The installation that covers the repository. */
export function getRepositoryInstallation(call: Call): Reply {
  const { world, repository } = call
  const installation = appIn(call).installations.find((one) => repository && covers(one, repository))
  if (!installation) throw notFound()
  return ok(installationShape(world, appIn(call), installation))
}

export const getOrganizationInstallation = (call: Call): Reply => accountInstallation(call, 'org', 'Organization')

export const getUserInstallation = (call: Call): Reply => accountInstallation(call, 'username', 'User')

/** The installation on the account that a parameter of the path names. */
function accountInstallation(call: Call, parameter: string, type: Account['type']): Reply {
  const { world, parameters } = call
  const account = world.findAccount(parameters[parameter] ?? '')
  const installation = appIn(call).installations.find((one) => one.account === account && account.type === type)
  if (!installation) throw notFound()
  return ok(installationShape(world, appIn(call), installation))
}

/** A token that is valid for an hour, with the permissions that the body requests, by default all those of the App. */
export function createToken(call: Call): Reply {
  const { world } = call
  const [app, installation] = [appIn(call), installationIn(call)]
  const permissions = permissionsIn(call, app)
  const chosen = repositoriesIn(call, installation)
  const expiresAt = world.clock.now() + hour
  const text = world.tokens.add({
    ...{ kind: 'installation', budget: `installation ${installation.id}` },
    ...{ app, installation, permissions, repositories: chosen, expiresAt },
  })
  return created({
    ...{ token: text, expires_at: timestamp(expiresAt), permissions },
    repository_selection: chosen || installation.repositories ? 'selected' : 'all',
    ...(chosen && { repositories: chosen.map((repository) => repositoryShape(world, repository)) }),
  })
}

export function listInstallationRepositories(call: Call): Reply {
  const { world } = call
  const { installation, repositories } = call.caller as InstallationToken // the route requires it
  const all = repositories ?? world.repositoriesOf(installation)
  return paged(call.url, all, (some) => ({
    total_count: all.length,
    repository_selection: repositories || installation.repositories ? 'selected' : 'all',
    repositories: some.map((repository) => repositoryShape(world, repository)),
  }))
}

const appIn = ({ caller }: Call): App => (caller as AppCaller).app // the routes require it

function installationIn(call: Call): Installation {
  const found = appIn(call).installations.find(({ id }) => id === numberOf(call, 'installation_id'))
  if (!found) throw notFound()
  return found
}

function permissionsIn({ body }: Call, app: App): Permissions {
  const requested = objectIn(body, 'permissions') as Permissions | undefined
  if (!requested) return app.permissions
  if (Object.entries(requested).every(([name, level]) => allows(app.permissions, name, level))) return requested
  throw new Refusal(422, 'The permissions requested are not granted to this installation.')
}

/** The installation's repositories that a body lists by name or id; `undefined` if it lists none. */
function repositoriesIn({ world, body }: Call, installation: Installation): Repository[] | undefined {
  const names = textsIn(body, 'repositories', 'Installation')
  const ids = Array.isArray(body.repository_ids) ? body.repository_ids : undefined
  if (!names && !ids) return undefined
  const all = world.repositoriesOf(installation)
  const chosen = all.filter(({ name, id }) => names?.includes(name) || ids?.includes(id))
  if (chosen.length === (names?.length ?? 0) + (ids?.length ?? 0)) return chosen
  throw new Refusal(
    422,
    'There is at least one repository that does not exist or is not accessible to the parent installation.',
  )
}
