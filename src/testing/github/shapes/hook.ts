import { timestamp } from '../clock.ts'
import type { Hook } from '../world/hook.ts'
import type { World } from '../world/world.ts'
import { repositoryUrl } from './repository.ts'

/** Hides the secret. */
export function hookConfig({ url, contentType, insecureSsl, secret }: Hook): object {
  const more = secret === undefined ? {} : { secret: '********' }
  return { content_type: contentType, insecure_ssl: insecureSsl, ...more, url }
}

/** A webhook in the API and in a ping. Only webhooks of repositories have a `last_response` and a `test_url`. */
export function hookShape(world: World, hook: Hook): object {
  const { id, owner, active, events, createdAt, updatedAt, lastResponse } = hook
  const common = {
    ...{ id, name: 'web', active, events, config: hookConfig(hook) },
    ...{ updated_at: timestamp(updatedAt), created_at: timestamp(createdAt) },
  }
  if (owner.type === 'integration') {
    return { type: 'App', ...common, app_id: owner.of.id, deliveries_url: `${world.api}/app/hook/deliveries` }
  }
  const root = owner.type === 'repository' ? repositoryUrl(world, owner.of) : `${world.api}/orgs/${owner.of.login}`
  const url = `${root}/hooks/${id}`
  const urls = { url, ping_url: `${url}/pings`, deliveries_url: `${url}/deliveries` }
  if (owner.type === 'organization') return { type: 'Organization', ...common, ...urls }
  return { type: 'Repository', ...common, ...urls, test_url: `${url}/test`, last_response: lastResponse }
}
