import { simpleUser } from '../shapes/user.ts'
import { partsOf } from '../world/repository.ts'
import type { World } from '../world/world.ts'
import { sendAction } from './action-event.ts'
import type { DeliverySender } from './delivery-sender.ts'

/**
 * Gives a repository another name, or another owner, and sends `repository.renamed` or `repository.transferred`.
 * @throws {TypeError} if the repository does not exist, or if another one has the new name.
 */
export function renameRepository(
  { world, sender }: { world: World; sender: DeliverySender },
  fullName: string,
  newName: string,
): void {
  const repository = world.findRepository(fullName)
  if (!repository) throw new TypeError(`There is no repository ${fullName}`)
  const [owner] = partsOf(newName)
  const other = world.findRepository(newName)
  if (other && other !== repository) throw new TypeError(`There is a repository ${newName} already`)
  const former = { ...repository }
  world.move(repository, newName)
  const isTransferred = owner.toLowerCase() !== former.owner.login.toLowerCase()
  const user = { [former.owner.type === 'Organization' ? 'organization' : 'user']: simpleUser(world, former.owner) }
  const changes = isTransferred ? { owner: { from: user } } : { repository: { name: { from: former.name } } }
  const action = { world, sender, repository, actor: world.user }
  sendAction(action, `repository.${isTransferred ? 'transferred' : 'renamed'}`, { changes })
}
