import { randomUUID } from 'node:crypto'
import { splitName } from '../../../events.ts'
import type { Json } from '../../../runtime/json.ts'
import { sample } from '../../../samples/index.ts'
import { covers } from '../world/app.ts'
import type { LocalDelivery } from '../world/delivery.ts'
import { type Hook, type LocalHook, subscribes } from '../world/hook.ts'
import type { World } from '../world/world.ts'
import type { Courier } from './courier.ts'

export interface DeliverOptions {
  /** Who gets it. Default: every active hook that subscribes to the event. */
  hooks?: readonly LocalHook[]
  /** Default: a new one. */
  guid?: string
}

/** Has one event happen: the same payload and GUID for every hook, but for what Apps are told beside. */
export async function deliver(
  { world, courier }: { world: World; courier: Courier },
  name: string,
  given: object | undefined,
  { hooks: chosen, guid = randomUUID() }: DeliverOptions,
): Promise<LocalDelivery[]> {
  const [event] = splitName(name)
  const payload = given ?? sample(name)
  meet(world, payload)
  const hooks = world.hooks.filter((hook) => (chosen ? chosen.includes(hook) : subscribes(hook, event)))
  const own = given !== undefined && 'installation' in given
  const sent = hooks.map((hook) =>
    courier.send(hook, { event, guid, payload: own ? payload : withInstallation(world, hook, payload) }),
  )
  return (await Promise.all(sent)).filter((delivery) => delivery !== undefined)
}

/** The repository that it is about exists from now on, so that the receiver can ask for it. */
function meet(world: World, payload: object): void {
  const { repository } = payload as { repository?: { full_name?: unknown; id: number; private: boolean } }
  if (typeof repository?.full_name === 'string') world.repository(repository.full_name, repository)
}

/** To an App GitHub says by which installation it is told: the repository's, or its first. */
function withInstallation(world: World, { owner }: Hook, payload: object): object {
  if (owner.type !== 'integration') return payload
  const { full_name: name } = ((payload as Json).repository ?? {}) as { full_name?: string }
  const repository = name === undefined ? undefined : world.findRepository(name)
  const { installations } = owner.of
  const one = installations.find((candidate) => repository && covers(candidate, repository)) ?? installations[0]
  return one ? { ...payload, installation: { id: one.id, node_id: `MDIz${one.id}` } } : payload
}
