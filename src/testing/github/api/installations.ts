import type { AppCaller } from '../auth/caller.ts'
import { paged } from '../http/paging.ts'
import { notFound, ok, type Reply } from '../http/reply.ts'
import { type Call, numberOf } from '../http/route.ts'
import { type InstallationAction, sendInstallationEvent } from '../sending/lifecycle-events.ts'
import { installationShape } from '../shapes/app.ts'
import { type App, covers, type Installation } from '../world/app.ts'

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

/** The installation on the account of an organization or a user. */
export function getAccountInstallation(call: Call): Reply {
  const { world, parameters } = call
  const type = parameters.org === undefined ? 'User' : 'Organization'
  const account = world.findAccount(parameters.org ?? parameters.username ?? '')
  const installation = appIn(call).installations.find((one) => one.account === account)
  if (!installation || account?.type !== type) throw notFound()
  return ok(installationShape(world, appIn(call), installation))
}

/** Uninstalls the App: the tokens of the installation no longer work. */
export function deleteInstallation(call: Call): Reply {
  const [app, installation] = [appIn(call), installationIn(call)]
  notify(call, installation, 'deleted')
  app.installations.splice(app.installations.indexOf(installation), 1)
  return { status: 204 }
}

export const suspendInstallation = (call: Call): Reply => suspend(call, call.world.clock.now())
export const unsuspendInstallation = (call: Call): Reply => suspend(call, undefined)

function suspend(call: Call, suspendedAt: number | undefined): Reply {
  const installation = installationIn(call)
  installation.suspendedAt = suspendedAt
  notify(call, installation, suspendedAt === undefined ? 'unsuspend' : 'suspend')
  return { status: 204 }
}

function notify(call: Call, installation: Installation, action: InstallationAction): void {
  void sendInstallationEvent(call, appIn(call), installation, action)
}

/** The App that sends the request. */
export const appIn = ({ caller }: Call): App => (caller as AppCaller).app // the routes require it

/** @throws {HttpError} if the App has no such installation. */
export function installationIn(call: Call): Installation {
  const found = appIn(call).installations.find(({ id }) => id === numberOf(call, 'installation_id'))
  if (!found) throw notFound()
  return found
}
