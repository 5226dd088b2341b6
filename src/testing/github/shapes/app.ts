import { timestamp } from '../clock.ts'
import type { App, Installation } from '../world/app.ts'
import type { World } from '../world/world.ts'
import { nodeId, settingsOf, simpleUser } from './user.ts'

export function appShape(world: World, app: App): object {
  const { id, slug, name, clientId, owner, description, permissions, events, installations, createdAt } = app
  const created = timestamp(createdAt)
  return {
    ...{ id, slug, client_id: clientId, node_id: nodeId('Integration', id), owner: simpleUser(world, owner) },
    ...{ name, description: description ?? null, external_url: app.homepage ?? world.origin },
    html_url: `${world.origin}/apps/${slug}`,
    ...{ created_at: created, updated_at: created, permissions, events, installations_count: installations.length },
  }
}

export function installationShape(
  world: World,
  app: App,
  { id, account, repositories, createdAt, suspendedAt }: Installation,
): object {
  const created = timestamp(createdAt)
  return {
    ...{ id, client_id: app.clientId, app_id: app.id, app_slug: app.slug },
    ...{ account: simpleUser(world, account), target_id: account.id, target_type: account.type },
    repository_selection: repositories ? 'selected' : 'all',
    access_tokens_url: `${world.api}/app/installations/${id}/access_tokens`,
    repositories_url: `${world.api}/installation/repositories`,
    html_url: `${world.origin}${settingsOf(account)}/installations/${id}`,
    ...{ permissions: app.permissions, events: app.events, created_at: created, updated_at: created },
    ...{ single_file_name: null, has_multiple_single_files: false, single_file_paths: [] },
    suspended_by: suspendedAt === undefined ? null : simpleUser(world, world.user),
    suspended_at: suspendedAt === undefined ? null : timestamp(suspendedAt),
  }
}
