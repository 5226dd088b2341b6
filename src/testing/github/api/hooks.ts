import { knownEvents } from '../../../events.ts'
import { isAvailable } from '../../../github/webhooks/webhook-events.ts'
import { type Json, objectIn, textIn } from '../../../runtime/json.ts'
import { paged } from '../http/paging.ts'
import { created, HttpError, invalid, notFound, ok, type Reply } from '../http/reply.ts'
import { textsIn } from '../http/request-body.ts'
import { type Call, numberOf } from '../http/route.ts'
import { ping } from '../sending/lifecycle-events.ts'
import { hookConfig, hookShape } from '../shapes/hook.ts'
import type { Hook, HookOwner, NewHook } from '../world/hook.ts'
import type { World } from '../world/world.ts'

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
  const { url, events = ['push'], ...settings } = { ...settingsIn(body), ...wholeConfigIn(body) }
  const owner = ownerIn(call)
  const others = world.hooksOf(owner.of)
  checkUrl(owner, url, others)
  checkEvents(world, owner, events)
  checkCount(world, events, others)
  const hook = world.makeHook(owner, { ...settings, events, url })
  ping(world, sender, hook)
  return created(hookShape(world, hook))
}

/** If the body has a `config`, it replaces the whole configuration. So without a secret in it, the secret is removed. */
export function updateHook(call: Call): Reply {
  const { world, body } = call
  const hook = hookIn(call)
  const more = textsIn(body, 'add_events', 'Hook') ?? []
  const less = textsIn(body, 'remove_events', 'Hook') ?? []
  const { events: given = hook.events, ...settings } = settingsIn(body)
  const config: Partial<NewHook> = body.config === undefined ? {} : wholeConfigIn(body)
  const events = [...new Set([...given, ...more])].filter((event) => !less.includes(event))
  const added = events.filter((event) => !hook.events.includes(event))
  const others = otherHooks(call, hook)
  checkUrl(hook.owner, config.url, others)
  checkEvents(world, hook.owner, added)
  checkCount(world, added, others)
  change(call, hook, { ...settings, ...config, events })
  return ok(hookShape(world, hook))
}

export function deleteHook(call: Call): Reply {
  call.world.removeHook(hookIn(call))
  return { status: 204 }
}

export const getConfig = (call: Call): Reply => ok(hookConfig(hookIn(call)))

export function updateConfig(call: Call): Reply {
  const hook = hookIn(call)
  const config = settingsIn({ config: call.body })
  checkUrl(hook.owner, config.url, otherHooks(call, hook))
  change(call, hook, config)
  return ok(hookConfig(hook))
}

export function pingHook(call: Call): Reply {
  ping(call.world, call.sender, hookIn(call))
  return { status: 204 }
}

const otherHooks = ({ world }: Call, hook: Hook): Hook[] =>
  world.hooksOf(hook.owner.of).filter((other) => other !== hook)

/** @throws {HttpError} if another webhook of the owner has the URL. */
function checkUrl({ type }: HookOwner, url: string | undefined, others: readonly Hook[]): void {
  if (others.some((other) => other.url === url)) {
    throw invalid('Hook', 'url', 'custom', `Hook already exists on this ${type}`)
  }
}

/**
 * GitHub rejects events that it does not have, and events that only other webhooks get. The text is one that GitHub has
 * sent for the latter. That it is the same for the former is an assumption, and so is that `ping` is allowed. An event
 * that `addHook()` has named counts as one that GitHub added after this version.
 * @param added The new events of a webhook.
 * @throws {HttpError} if GitHub does not send one of them to webhooks of the owner.
 */
function checkEvents({ hooks }: World, { type }: HookOwner, added: readonly string[]): void {
  const known = new Set(['*', ...knownEvents(), ...hooks.flatMap(({ events }) => events)])
  const rejected = added.filter((event) => !known.has(event) || (type !== 'integration' && !isAvailable(event, type)))
  if (rejected.length > 0) throw invalidHook(`These events are not allowed for this hook: ${rejected.join(', ')}`)
}

/**
 * GitHub allows 20 webhooks for each event of an owner, and an Enterprise Server 250. The text is one that GitHub has sent.
 * That a webhook for all events (`*`) counts for each event is an assumption, and so is that inactive webhooks count.
 * @param added The new events of a webhook.
 * @param others The other webhooks of the same owner.
 * @throws {HttpError} if there are too many.
 */
function checkCount({ enterprise }: World, added: readonly string[], others: readonly Hook[]): void {
  const most = enterprise === undefined ? 20 : 250
  const full = added.find(
    (event) => others.filter(({ events }) => events.includes(event) || events.includes('*')).length >= most,
  )
  if (full === undefined) return
  throw invalidHook(`The "${full}" event cannot have more than ${most} hooks`)
}

const invalidHook = (message: string): HttpError =>
  new HttpError(422, 'Validation Failed', { errors: [{ resource: 'Hook', code: 'custom', message }] })

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

/**
 * The whole configuration in a body, with GitHub's defaults for missing properties.
 * @throws {HttpError} if it has no URL.
 */
function wholeConfigIn(body: Json): Pick<NewHook, 'url' | 'secret' | 'contentType' | 'insecureSsl'> {
  const { url, secret, contentType = 'form', insecureSsl = '0' } = settingsIn(body)
  if (url === undefined) throw invalid('Hook', 'url', 'missing_field')
  return { url, secret, contentType, insecureSsl }
}
