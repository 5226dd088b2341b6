import { randomUUID } from 'node:crypto'
import { splitName } from '../../../events.ts'
import type { Json } from '../../../runtime/json.ts'
import { sample } from '../../../samples/index.ts'
import { isSentEventsOf } from '../world/app.ts'
import type { LocalDelivery } from '../world/delivery.ts'
import { type Hook, type LocalHook, subscribes } from '../world/hook.ts'
import type { World } from '../world/world.ts'
import { payloadIn } from './delivery-request.ts'
import type { DeliverySender } from './delivery-sender.ts'
import { rememberContent } from './known-content.ts'

/** How `LocalGitHub.deliver()` sends an event. */
export interface DeliverOptions {
  /**
   * The receiving webhooks. Default: every active webhook that subscribes to the event, except that of an App whose
   * installations are all suspended.
   */
  hooks?: readonly LocalHook[]
  /** Default: a new GUID. */
  guid?: string
  /** When GitHub held the delivery back, in milliseconds since 1970: `throttled_at` in the API. Default: it did not. */
  throttledAt?: number
}

/**
 * Sends one event. All webhooks get the same GUID and payload, but the payload for an App also has an installation. A
 * payload that is given as text is sent unchanged, so it gets no installation and no action.
 */
export async function deliver(
  { world, sender }: { world: World; sender: DeliverySender },
  name: string,
  given: object | string | undefined,
  { hooks: chosen, guid = randomUUID(), throttledAt }: DeliverOptions,
): Promise<LocalDelivery[]> {
  const [event] = splitName(name)
  const { payload, payloadText } = payloadIn(name, given ?? sample(name))
  rememberContent(world, payload as Json)
  const hooks = world.hooks.filter((hook) => {
    return chosen ? chosen.includes(hook) : subscribes(hook, event) && !isSuspended(hook)
  })
  const complete = payloadText !== undefined || (given !== undefined && 'installation' in payload)
  const sent = hooks.map((hook) => {
    const message = { event, guid, payload: complete ? payload : withInstallation(world, hook, payload), payloadText }
    return sender.send(hook, message, { throttledAt })
  })
  return (await Promise.all(sent)).filter((delivery) => delivery !== undefined)
}

function isSuspended({ owner }: Hook): boolean {
  if (owner.type !== 'integration') return false
  const { installations } = owner.of
  return installations.length > 0 && installations.every(({ suspendedAt }) => suspendedAt !== undefined)
}

/** Adds the installation to an App's payload: the one that covers the repository, or the first. */
function withInstallation(world: World, { owner }: Hook, payload: object): object {
  if (owner.type !== 'integration') return payload
  const { full_name: name } = ((payload as Json).repository ?? {}) as { full_name?: string }
  const repository = name === undefined ? undefined : world.findRepository(name)
  const { installations } = owner.of
  const one = installations.find((candidate) => repository && isSentEventsOf(candidate, repository)) ?? installations[0]
  return one ? { ...payload, installation: { id: one.id, node_id: `MDIz${one.id}` } } : payload
}
