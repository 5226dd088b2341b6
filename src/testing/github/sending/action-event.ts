import { repositoryShape } from '../shapes/repository.ts'
import { organizationShape, simpleUser } from '../shapes/user.ts'
import { isSentEventsOf } from '../world/app.ts'
import { type Hook, subscribes } from '../world/hook.ts'
import type { Account, Repository } from '../world/repository.ts'
import type { World } from '../world/world.ts'
import { deliver } from './deliver.ts'
import type { DeliverySender } from './delivery-sender.ts'

/** An action of a user or a bot in a repository. */
export interface Action {
  world: World
  sender: DeliverySender
  repository: Repository
  actor: Account
}

/**
 * Sends the event of an action to the webhooks that subscribe to it: those of the repository, of its organization, and
 * of the Apps that are installed on it.
 * @param name With the action, if the event has one: `issues.opened`, `push`.
 * @param about The other members of the payload. They take precedence over those that every event has.
 */
export function sendAction({ world, sender, repository, actor }: Action, name: string, about: object): void {
  const [event = '', action] = name.split('.')
  const hooks = world.hooks.filter((hook) => subscribes(hook, event) && concerns(hook, repository))
  if (hooks.length === 0) return
  const organization = repository.owner.type === 'Organization' && {
    organization: organizationShape(world, repository.owner),
  }
  const place = { repository: repositoryShape(world, repository), ...organization, sender: simpleUser(world, actor) }
  const payload = { ...(action !== undefined && { action }), ...place, ...about }
  void deliver({ world, sender }, name, payload, { hooks })
}

function concerns({ owner }: Hook, repository: Repository): boolean {
  if (owner.type === 'integration') return owner.of.installations.some((one) => isSentEventsOf(one, repository))
  return owner.type === 'repository' ? owner.of === repository : owner.of === repository.owner
}
