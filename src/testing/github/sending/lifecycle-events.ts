import { randomUUID } from 'node:crypto'
import { installationShape } from '../shapes/app.ts'
import { hookShape } from '../shapes/hook.ts'
import { repositoryShape } from '../shapes/repository.ts'
import { nodeId, simpleUser } from '../shapes/user.ts'
import type { App, Installation } from '../world/app.ts'
import type { Hook } from '../world/hook.ts'
import type { World } from '../world/world.ts'
import { deliver } from './deliver.ts'
import type { DeliverySender } from './delivery-sender.ts'

export type InstallationAction = 'created' | 'deleted' | 'suspend' | 'unsuspend'

/** Sends an event about an installation to the webhook of its App, if active. Resolves when the delivery has ended. */
export async function sendInstallationEvent(
  context: { world: World; sender: DeliverySender },
  app: App,
  installation: Installation,
  action: InstallationAction,
): Promise<void> {
  const { world } = context
  const repositories = world.repositoriesOf(installation).map(({ id, name, fullName, private: hidden }) => {
    return { id, node_id: nodeId('Repository', id), name, full_name: fullName, private: hidden }
  })
  const about = { installation: installationShape(world, app, installation), repositories, requester: null }
  const payload = { action, ...about, sender: simpleUser(world, world.user) }
  await deliver(context, `installation.${action}`, payload, {
    hooks: world.hooksOf(app).filter(({ active }) => active),
  })
}

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
