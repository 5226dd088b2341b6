import { textIn } from '../../../runtime/json.ts'
import { timestamp } from '../clock.ts'
import { paged } from '../http/paging.ts'
import { created, invalid, type Reply } from '../http/reply.ts'
import { limitedTextIn } from '../http/request-body.ts'
import type { Call } from '../http/route.ts'
import { repositoryShape, repositoryUrl } from '../shapes/repository.ts'
import { nodeId, simpleUser } from '../shapes/user.ts'
import { isSha } from '../world/branches.ts'
import type { Status } from '../world/repository-content.ts'
import type { World } from '../world/world.ts'
import { authorIn, repositoryIn } from './author.ts'
import { commitAt } from './commits.ts'

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

/** The latest status of each context of a commit, and the state that they have together. */
export function getCombinedStatus(call: Call): Reply {
  const { world, url, parameters } = call
  const repository = repositoryIn(call)
  const { ref = '' } = parameters
  const sha = isSha(ref) ? ref : commitAt(call, ref).sha // a delivery may name a commit that the repository lacks
  const ofCommit = world.contentOf(repository).statuses.filter((status) => status.sha === sha)
  const latest = [...new Map(ofCommit.map((status) => [status.context, status])).values()]
  const root = `${repositoryUrl(world, repository)}/commits/${sha}`
  return paged(url, latest, (some) => ({
    ...{ state: combinedState(latest.map(({ state }) => state)), sha, total_count: latest.length },
    statuses: some.map((status) => combinedShape(world, status)),
    ...{ repository: repositoryShape(world, repository), commit_url: root, url: `${root}/status` },
  }))
}

/** `failure` if a context has failed, and `pending` if none has and there is no status, or one is pending. */
function combinedState(states: readonly string[]): string {
  if (states.some((state) => state === 'error' || state === 'failure')) return 'failure'
  return states.length === 0 || states.includes('pending') ? 'pending' : 'success'
}

/** Unlike other answers, the combined status does not say who created a status. */
function combinedShape(world: World, status: Status): object {
  const { creator: _, ...shape } = statusShape(world, status)
  return { ...shape, required: false }
}

function statusShape(world: World, status: Status) {
  const { id, repository, sha, user, createdAt, state, context, description, targetUrl } = status
  const creator = simpleUser(world, user) as { avatar_url: string }
  const date = timestamp(createdAt)
  return {
    ...{ url: `${repositoryUrl(world, repository)}/statuses/${sha}`, avatar_url: creator.avatar_url },
    ...{ id, node_id: nodeId('Status', id), state, context, description, target_url: targetUrl },
    ...{ created_at: date, updated_at: date, creator },
  }
}
