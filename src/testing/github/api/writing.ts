import { textIn } from '../../../runtime/json.ts'
import { actorOf, type InstallationToken, type UserToken } from '../auth/caller.ts'
import { timestamp } from '../clock.ts'
import { created, invalid, type Reply } from '../http/reply.ts'
import type { Call } from '../http/route.ts'
import { repositoryUrl } from '../shapes/repository.ts'
import { nodeId, simpleUser } from '../shapes/user.ts'
import type { Account, Repository } from '../world/repository.ts'

/** Comments and statuses are not stored: a test finds the requests that create them in `requests`. */

export function createComment(call: Call): Reply {
  const { world, parameters } = call
  const body = textIn(call.body, 'body')
  if (!body) throw invalid('IssueComment', 'body', 'missing_field')
  const { id, repository, actor, now } = about(call)
  const [url, page] = [repositoryUrl(world, repository), `${world.origin}/${repository.fullName}`]
  const number = parameters.issue_number
  return created({
    ...{ id, node_id: nodeId('IssueComment', id), url: `${url}/issues/comments/${id}`, body },
    ...{ html_url: `${page}/issues/${number}#issuecomment-${id}`, issue_url: `${url}/issues/${number}` },
    ...{ user: simpleUser(world, actor), created_at: now, updated_at: now, author_association: 'NONE' },
    performed_via_github_app: null,
  })
}

const states = ['error', 'failure', 'pending', 'success']

export function createStatus(call: Call): Reply {
  const { world, parameters, body } = call
  const state = textIn(body, 'state') ?? ''
  if (!states.includes(state)) throw invalid('Status', 'state', 'custom', `state must be one of ${states.join(', ')}`)
  const { id, repository, actor, now } = about(call)
  const creator = simpleUser(world, actor) as { avatar_url: string }
  return created({
    ...{ url: `${repositoryUrl(world, repository)}/statuses/${parameters.sha}`, avatar_url: creator.avatar_url },
    ...{ id, node_id: nodeId('Status', id), state, context: textIn(body, 'context') ?? 'default' },
    ...{ description: textIn(body, 'description') ?? null, target_url: textIn(body, 'target_url') ?? null },
    ...{ created_at: now, updated_at: now, creator },
  })
}

/** The author, repository and time. The route accepts only authenticated callers and existing repositories. */
function about({ world, caller, repository }: Call): {
  id: number
  repository: Repository
  actor: Account
  now: string
} {
  const actor = actorOf(caller as UserToken | InstallationToken)
  return { id: world.newId(), repository: repository as Repository, actor, now: timestamp(world.clock.now()) }
}
