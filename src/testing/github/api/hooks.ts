import { type Json, objectIn, textIn } from '../../../runtime/json.ts'
import { paged } from '../http/paging.ts'
import { created, invalid, notFound, ok, type Reply } from '../http/reply.ts'
import { textsIn } from '../http/request-body.ts'
import { type Call, numberOf } from '../http/route.ts'
import { ping } from '../sending/lifecycle-events.ts'
import { hookConfig, hookShape } from '../shapes/hook.ts'
import type { Hook, HookOwner, NewHook } from '../world/hook.ts'

/**
 * The owner of the webhooks that the path names: a repository, an organization, or the App that sends the request.
 * @throws {HttpError} if the organization does not exist.
 */
function ownerIn({ world, caller, repository, parameters: { org } }: Call): HookOwner {
  if (repository) return { type: 'repository', of: repository }
  const account = org === undefined ? undefined : world.findAccount(org)
  if (account?.type === 'Organization') return { type: 'organization', of: account }
  if (org === undefined && caller.kind === 'app') return { type: 'integration', of: caller.app }
  throw notFound()
}

/**
 * The webhook that the path names by its id, or the only webhook of the App that sends the request.
 * @throws {HttpError} if the webhook does not exist.
 */
export function hookIn(call: Call): Hook {
  const hooks = call.world.hooksOf(ownerIn(call).of)
  const hook = call.caller.kind === 'app' ? hooks[0] : hooks.find(({ id }) => id === numberOf(call, 'hook_id'))
  if (!hook) throw notFound()
  return hook
}

export function listHooks(call: Call): Reply {
  const hooks = call.world.hooksOf(ownerIn(call).of)
  return paged(call.url, hooks, (some) => some.map((hook) => hookShape(call.world, hook)))
}

export const getHook = (call: Call): Reply => ok(hookShape(call.world, hookIn(call)))

/** GitHub pings a new webhook. */
export function createHook(call: Call): Reply {
  const { world, sender, body } = call
  const { url, ...settings } = settingsIn(body)
  if (url === undefined) throw invalid('Hook', 'url', 'missing_field')
  const owner = ownerIn(call)
  const same = world.hooksOf(owner.of).some((hook) => hook.url === url)
  if (same) throw invalid('Hook', 'url', 'custom', `Hook already exists on this ${owner.type}`)
  const hook = world.makeHook(owner, { events: ['push'], contentType: 'form', ...settings, url })
  ping(world, sender, hook)
  return created(hookShape(world, hook))
}

export function updateHook(call: Call): Reply {
  const hook = hookIn(call)
  const more = textsIn(call.body, 'add_events', 'Hook') ?? []
  const less = textsIn(call.body, 'remove_events', 'Hook') ?? []
  change(call, hook, settingsIn(call.body))
  hook.events = [...new Set([...hook.events, ...more])].filter((event) => !less.includes(event))
  return ok(hookShape(call.world, hook))
}

export function deleteHook(call: Call): Reply {
  call.world.removeHook(hookIn(call))
  return { status: 204 }
}

export const getConfig = (call: Call): Reply => ok(hookConfig(hookIn(call)))

export function updateConfig(call: Call): Reply {
  const hook = hookIn(call)
  change(call, hook, settingsIn({ config: call.body }))
  return ok(hookConfig(hook))
}

export function pingHook(call: Call): Reply {
  ping(call.world, call.sender, hookIn(call))
  return { status: 204 }
}

function change({ world }: Call, hook: Hook, settings: Partial<NewHook>): void {
  Object.assign(hook, settings, { updatedAt: world.clock.now() })
}

/**
 * The properties of a webhook that a body contains.
 * @throws {HttpError} if the URL or the list of events is invalid.
 */
function settingsIn(body: Json): Partial<NewHook> {
  const config = objectIn(body, 'config')
  const [url, secret] = [textIn(config, 'url'), textIn(config, 'secret')]
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw invalid('Hook', 'url', 'custom', 'url must be an address of http or https')
  }
  const { active } = body
  const events = textsIn(body, 'events', 'Hook')
  return {
    ...(url !== undefined && { url }),
    ...(secret !== undefined && { secret }),
    ...(config?.content_type !== undefined && { contentType: config.content_type === 'json' ? 'json' : 'form' }),
    ...(config?.insecure_ssl !== undefined && { insecureSsl: String(config.insecure_ssl) === '1' ? '1' : '0' }),
    ...(typeof active === 'boolean' && { active }),
    ...(events && { events }),
  }
}
