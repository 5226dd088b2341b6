import type { UserToken } from '../auth/caller.ts'
import { ok, type Reply } from '../http/reply.ts'
import type { Call } from '../http/route.ts'
import { fullRepository } from '../shapes/repository.ts'
import { publicUser } from '../shapes/user.ts'
import type { Repository } from '../world/repository.ts'

/** The addresses that deliveries come from. Most other members of GitHub's response are missing here. */
export function getMeta({ world: { ranges, enterprise } }: Call): Reply {
  const version = enterprise === undefined ? {} : { installed_version: enterprise }
  return ok({ verifiable_password_authentication: false, ...version, hooks: ranges })
}

export const getUser = ({ world, caller }: Call): Reply => ok(publicUser(world, (caller as UserToken).user))

export const getRepository = ({ world, repository }: Call): Reply => ok(fullRepository(world, repository as Repository))
