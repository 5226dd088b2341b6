import { objectIn } from '../../../runtime/json.ts'
import type { InstallationToken } from '../auth/caller.ts'
import { allows, type Permissions } from '../auth/permissions.ts'
import { statelessText } from '../auth/tokens.ts'
import { timestamp } from '../clock.ts'
import { paged } from '../http/paging.ts'
import { created, HttpError, notFound, ok, type Reply, suspended } from '../http/reply.ts'
import { textsIn } from '../http/request-body.ts'
import type { Call } from '../http/route.ts'
import { appShape } from '../shapes/app.ts'
import { repositoryShape } from '../shapes/repository.ts'
import type { App, Installation } from '../world/app.ts'
import type { Repository } from '../world/repository.ts'
import { appIn, installationIn } from './installations.ts'

const hour = 60 * 60 * 1000

export const getApp = (call: Call): Reply => ok(appShape(call.world, appIn(call)))

/** The public profile of an App. Only the App itself can read the profile of a private App. */
export function getAppBySlug({ world, caller, parameters }: Call): Reply {
  const app = world.apps.find(({ slug }) => slug === parameters.app_slug)
  if (!app || !(app.public || (caller.kind === 'app' && caller.app === app))) throw notFound()
  return ok(appShape(world, app))
}

/** The last step of the manifest flow: the client sends a code, and receives the new App and its secrets. */
export function convertManifest({ world, parameters }: Call): Reply {
  const registration = world.codes.redeem(parameters.code ?? '')
  if (!registration) throw notFound()
  const { app, webhookSecret } = registration
  const secrets = { client_secret: app.clientSecret, webhook_secret: webhookSecret ?? null, pem: app.privateKey }
  return created({ ...appShape(world, app), ...secrets })
}

/** A token that is valid for an hour, with the permissions that the body requests, by default all those of the App. */
export function createToken(call: Call): Reply {
  const { world } = call
  const [app, installation] = [appIn(call), installationIn(call)]
  if (installation.suspendedAt !== undefined) throw suspended()
  const permissions = permissionsIn(call, app)
  const chosen = repositoriesIn(call, installation)
  const expiresAt = world.clock.now() + hour
  const token = { app, installation, permissions, repositories: chosen, expiresAt }
  const text = world.tokens.add(
    { kind: 'installation', budget: `installation ${installation.id}`, ...token },
    isStateless(call) ? statelessText(token) : undefined,
  )
  return created({
    ...{ token: text, expires_at: timestamp(expiresAt), permissions },
    repository_selection: chosen || installation.repositories ? 'selected' : 'all',
    ...(chosen && { repositories: chosen.map((repository) => repositoryShape(world, repository)) }),
  })
}

/**
 * Whether the new token has the format `stateless` (see the option `installationTokens`). A header of the request
 * overrides the option.
 */
function isStateless({ world, headers }: Call): boolean {
  const wanted = headers['x-github-stateless-s2s-token']
  return wanted === 'enabled' || (wanted !== 'disabled' && world.statelessTokens)
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

function permissionsIn({ body }: Call, app: App): Permissions {
  const requested = objectIn(body, 'permissions') as Permissions | undefined
  if (!requested) return app.permissions
  if (Object.entries(requested).every(([name, level]) => allows(app.permissions, name, level))) return requested
  throw new HttpError(422, 'The permissions requested are not granted to this installation.')
}

/** The installation's repositories that a body lists by name or id; `undefined` if it lists none. */
function repositoriesIn({ world, body }: Call, installation: Installation): Repository[] | undefined {
  const names = textsIn(body, 'repositories', 'Installation')
  const ids = Array.isArray(body.repository_ids) ? body.repository_ids : undefined
  if (!names && !ids) return undefined
  const all = world.repositoriesOf(installation)
  const chosen = all.filter(({ name, id }) => names?.includes(name) || ids?.includes(id))
  if (chosen.length === (names?.length ?? 0) + (ids?.length ?? 0)) return chosen
  throw new HttpError(
    422,
    'There is at least one repository that does not exist or is not accessible to the parent installation.',
  )
}
