import { textIn } from '../../../runtime/json.ts'
import { timestamp } from '../clock.ts'
import { paged } from '../http/paging.ts'
import { created, invalid, notFound, ok, type Reply } from '../http/reply.ts'
import { type Call, numberOf } from '../http/route.ts'
import { reactionNames } from '../shapes/issue.ts'
import { nodeId, simpleUser } from '../shapes/user.ts'
import type { ReactionEntry } from '../world/repository-content.ts'
import type { World } from '../world/world.ts'
import { authorIn, issueIn, repositoryIn } from './author.ts'

export function listIssueReactions(call: Call): Reply {
  issueIn(call)
  return listReactions(call)
}

export function createIssueReaction(call: Call): Reply {
  issueIn(call)
  return createReaction(call)
}

export function listCommentReactions(call: Call): Reply {
  checkComment(call)
  return listReactions(call)
}

export function createCommentReaction(call: Call): Reply {
  checkComment(call)
  return createReaction(call)
}

export function deleteIssueReaction(call: Call): Reply {
  issueIn(call)
  return deleteReaction(call)
}

export function deleteCommentReaction(call: Call): Reply {
  checkComment(call)
  return deleteReaction(call)
}

/** @throws {HttpError} if neither an issue nor a review has the comment, as the path says. */
function checkComment(call: Call): void {
  const { comments, reviewComments } = call.world.contentOf(repositoryIn(call))
  const known = listIn(call).startsWith('pulls/') ? reviewComments : comments
  if (!known.has(numberOf(call, 'comment_id'))) throw notFound()
}

function listReactions(call: Call): Reply {
  const all = call.world.contentOf(repositoryIn(call)).reactions.get(listIn(call)) ?? []
  return paged(call.url, all, (some) => some.map((reaction) => reactionShape(call.world, reaction)))
}

/** A user can add each reaction once. */
function createReaction(call: Call): Reply {
  const content = textIn(call.body, 'content')
  if (content === undefined || !reactionNames.some((name) => name === content))
    throw invalid('Reaction', 'content', 'invalid')
  const { world, content: repositoryContent, user, now } = authorIn(call)
  const all = repositoryContent.reactions.get(listIn(call)) ?? []
  const found = all.find((one) => one.user.id === user.id && one.content === content)
  if (found) return ok(reactionShape(world, found))
  const reaction = { id: world.newId(), user, content, createdAt: now }
  repositoryContent.reactions.set(listIn(call), [...all, reaction])
  return created(reactionShape(world, reaction))
}

function deleteReaction(call: Call): Reply {
  const { reactions } = call.world.contentOf(repositoryIn(call))
  const all = reactions.get(listIn(call)) ?? []
  const left = all.filter(({ id }) => id !== numberOf(call, 'reaction_id'))
  if (left.length === all.length) throw notFound()
  reactions.set(listIn(call), left)
  return { status: 204 }
}

/** The path of a list of reactions, without that of the repository. */
const listIn = ({ url }: Call): string =>
  url.pathname
    .replace(/(?<=\/reactions)\/\d+$/, '')
    .split('/')
    .slice(-4)
    .join('/')
    .replace(/^[^/]+\/(?=issues\/\d)/, '')

const reactionShape = (world: World, { id, user, content, createdAt }: ReactionEntry): object => ({
  ...{ id, node_id: nodeId('Reaction', id), user: simpleUser(world, user), content },
  created_at: timestamp(createdAt),
})
