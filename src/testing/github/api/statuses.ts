import { textIn } from '../../../runtime/json.ts'
import { timestamp } from '../clock.ts'
import { paged } from '../http/paging.ts'
import { created, invalid, type Reply } from '../http/reply.ts'
import { limitedTextIn } from '../http/request-body.ts'
import type { Call } from '../http/route.ts'
import { repositoryUrl } from '../shapes/repository.ts'
import { nodeId, simpleUser } from '../shapes/user.ts'
import { isSha } from '../world/branches.ts'
import type { Status } from '../world/repository-content.ts'
import type { World } from '../world/world.ts'
import { authorIn, repositoryIn } from './author.ts'

const states = ['error', 'failure', 'pending', 'success']

export function createStatus(call: Call): Reply {
  const { body, parameters } = call
  const { sha = '' } = parameters
  if (!isSha(sha)) throw invalid('Status', 'sha', 'custom', 'sha must be a 40 character SHA1')
  const state = textIn(body, 'state') ?? ''
  if (!states.includes(state)) throw invalid('Status', 'state', 'custom', `state must be one of ${states.join(', ')}`)
  const description = limitedTextIn(body, 'description', 'Status') ?? null
  const { world, repository, content, user, now } = authorIn(call)
  const status: Status = {
    ...{ id: world.newId(), repository, sha, user, createdAt: now, state },
    ...{ context: textIn(body, 'context') ?? 'default', description },
    targetUrl: textIn(body, 'target_url') ?? null,
  }
  content.statuses.push(status)
  return created(statusShape(world, status))
}

/** Lists the statuses of a commit, newest first. The `ref` must be the SHA of the commit. */
export function listStatuses(call: Call): Reply {
  const { world, url, parameters } = call
  const all = world.contentOf(repositoryIn(call)).statuses.filter(({ sha }) => sha === parameters.ref)
  return paged(url, all.toReversed(), (some) => some.map((status) => statusShape(world, status)))
}

function statusShape(world: World, status: Status): object {
  const { id, repository, sha, user, createdAt, state, context, description, targetUrl } = status
  const creator = simpleUser(world, user) as { avatar_url: string }
  const date = timestamp(createdAt)
  return {
    ...{ url: `${repositoryUrl(world, repository)}/statuses/${sha}`, avatar_url: creator.avatar_url },
    ...{ id, node_id: nodeId('Status', id), state, context, description, target_url: targetUrl },
    ...{ created_at: date, updated_at: date, creator },
  }
}
