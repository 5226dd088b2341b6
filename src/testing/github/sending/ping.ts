import { randomUUID } from 'node:crypto'
import { hookShape } from '../shapes/hook.ts'
import { repositoryShape } from '../shapes/repository.ts'
import { simpleUser } from '../shapes/user.ts'
import type { Hook } from '../world/hook.ts'
import type { World } from '../world/world.ts'
import type { DeliverySender } from './delivery-sender.ts'

/** Sends a ping, even if the webhook is inactive or does not subscribe to pings. */
export function ping(world: World, sender: DeliverySender, hook: Hook): void {
  const { owner } = hook
  const about =
    owner.type === 'repository'
      ? { repository: repositoryShape(world, owner.of), sender: simpleUser(world, owner.of.owner) }
      : owner.type === 'organization'
        ? { organization: simpleUser(world, owner.of) }
        : {}
  const payload = { zen: 'Keep it logically awesome.', hook_id: hook.id, hook: hookShape(world, hook), ...about }
  void sender.send(hook, { event: 'ping', guid: randomUUID(), payload })
}
