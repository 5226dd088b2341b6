import { textIn } from '../../../runtime/json.ts'
import { paged } from '../http/paging.ts'
import { created, invalid, notFound, ok, type Reply } from '../http/reply.ts'
import { isTooLong, maxLength } from '../http/request-body.ts'
import { type Call, numberOf } from '../http/route.ts'
import { sendAction } from '../sending/action-event.ts'
import { commentShape, issueItem } from '../shapes/issue.ts'
import type { Comment } from '../world/repository-content.ts'
import { type Author, authorIn, issueIn, repositoryIn } from './author.ts'

/** Lists the comments of an issue or a pull request, oldest first. With `since`: those changed since then. */
export function listComments(call: Call): Reply {
  const { world, url } = call
  const issue = issueIn(call)
  const since = Date.parse(url.searchParams.get('since') ?? '') || 0
  const all = [...world.contentOf(repositoryIn(call)).comments.values()].filter(
    (comment) => comment.issue === issue && comment.updatedAt >= since,
  )
  return paged(url, all, (some) => some.map((comment) => commentShape(world, comment)))
}

export const getComment = (call: Call): Reply => ok(commentShape(call.world, commentIn(call)))

export function createComment(call: Call): Reply {
  const body = commentBodyIn(call)
  const [author, issue] = [authorIn(call), issueIn(call)]
  const { world, content, user, app, now } = author
  const comment = { id: world.newId(), issue, user, app, body, createdAt: now, updatedAt: now }
  content.comments.set(comment.id, comment)
  issue.updatedAt = now
  send(author, comment, 'created')
  return created(commentShape(world, comment))
}

export function updateComment(call: Call): Reply {
  const body = commentBodyIn(call)
  const [author, comment] = [authorIn(call), commentIn(call)]
  const changes = { body: { from: comment.body } }
  Object.assign(comment, { body, updatedAt: author.now })
  send(author, comment, 'edited', { changes })
  return ok(commentShape(author.world, comment))
}

export function deleteComment(call: Call): Reply {
  const [author, comment] = [authorIn(call), commentIn(call)]
  author.content.comments.delete(comment.id)
  send(author, comment, 'deleted')
  return { status: 204 }
}

function commentBodyIn(call: Call): string {
  const body = textIn(call.body, 'body')
  if (!body) throw invalid('IssueComment', 'body', 'missing_field')
  if (!isTooLong(body, maxLength.body)) return body
  throw invalid('IssueComment', 'data', 'unprocessable', `Body is too long (maximum is ${maxLength.body} characters)`)
}

function commentIn(call: Call): Comment {
  const comment = call.world.contentOf(repositoryIn(call)).comments.get(numberOf(call, 'comment_id'))
  if (!comment) throw notFound()
  return comment
}

function send(author: Author, comment: Comment, action: string, about: object = {}): void {
  const { world } = author
  const shapes = { issue: issueItem(world, comment.issue), comment: commentShape(world, comment) }
  sendAction(author, `issue_comment.${action}`, { ...about, ...shapes })
}
