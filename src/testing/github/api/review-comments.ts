import { type Json, textIn, wholeNumberIn } from '../../../runtime/json.ts'
import { paged } from '../http/paging.ts'
import { created, HttpError, invalid, notFound, ok, type Reply } from '../http/reply.ts'
import { limitedTextIn } from '../http/request-body.ts'
import { type Call, numberOf } from '../http/route.ts'
import { reviewCommentShape } from '../shapes/pull.ts'
import { foreignCommit, type PlaceProblem, placeIn } from '../world/place.ts'
import type { Pull, RepositoryContent, ReviewComment } from '../world/repository-content.ts'
import { authorIn, repositoryIn } from './author.ts'
import { issueOfPull, pullIn } from './pulls.ts'
import { type NewReviewComment, sendReviewComment, submitReview } from './submit-review.ts'

/** Lists the review comments of a repository. */
export const listRepositoryReviewComments = (call: Call): Reply => list(call, () => true)

/** Lists the review comments of a pull request. */
export function listReviewComments(call: Call): Reply {
  const issue = issueOfPull(call)
  return list(call, (comment) => comment.issue === issue)
}

/** Lists the comments of one review. */
export function listCommentsOfReview(call: Call): Reply {
  const id = numberOf(call, 'review_id')
  if (!pullIn(call).reviews.some((review) => review.id === id)) throw notFound()
  const all = [...call.world.contentOf(repositoryIn(call)).reviewComments.values()].filter(
    ({ review }) => review === id,
  )
  return paged(call.url, all, (some) => some.map((comment) => reviewCommentShape(call.world, comment)))
}

/** Oldest first unless `sort` and `direction` say otherwise. With `since`: those changed since then. */
function list(call: Call, wanted: (comment: ReviewComment) => boolean): Reply {
  const { world, url } = call
  const [sort, since] = [url.searchParams.get('sort'), Date.parse(url.searchParams.get('since') ?? '') || 0]
  const time = sort === 'updated' ? 'updatedAt' : 'createdAt'
  const all = [...world.contentOf(repositoryIn(call)).reviewComments.values()]
    .filter((comment) => wanted(comment) && comment.updatedAt >= since)
    .toSorted((one, other) => one[time] - other[time] || one.id - other.id)
  const ordered = sort !== null && url.searchParams.get('direction') === 'desc' ? all.toReversed() : all
  return paged(url, ordered, (some) => some.map((comment) => reviewCommentShape(world, comment)))
}

export const getReviewComment = (call: Call): Reply => ok(reviewCommentShape(call.world, commentIn(call)))

/** Comments on a line of the diff or on a file, or with `in_reply_to` answers a comment. The comment gets its own review. */
export function createReviewComment(call: Call): Reply {
  const body = suppliedIn(call.body, 'body')
  limitedTextIn(call.body, 'body', 'PullRequestReviewComment')
  const parent = wholeNumberIn(call.body, 'in_reply_to')
  if (parent !== undefined) return reply(call, body, parent)
  const [sha] = [suppliedIn(call.body, 'commit_id'), suppliedIn(call.body, 'path')]
  checkPositioning(call.body)
  const content = call.world.contentOf(repositoryIn(call))
  const place = hasCommit(content, pullIn(call), sha)
    ? placeIn(call.body, content.changesOf(pullIn(call)).files)
    : foreignCommit
  if (!('path' in place)) throw rejected(place)
  return write(call, sha, { body, place })
}

export function createReviewCommentReply(call: Call): Reply {
  const body = suppliedIn(call.body, 'body')
  limitedTextIn(call.body, 'body', 'PullRequestReviewComment')
  return reply(call, body, numberOf(call, 'comment_id'))
}

export function updateReviewComment(call: Call): Reply {
  const body = suppliedIn(call.body, 'body')
  limitedTextIn(call.body, 'body', 'PullRequestReviewComment')
  const [author, comment] = [authorIn(call), commentIn(call)]
  const changes = { body: { from: comment.body } }
  Object.assign(comment, { body, updatedAt: author.now })
  sendReviewComment(author, comment, 'edited', { changes })
  return ok(reviewCommentShape(author.world, comment))
}

export function deleteReviewComment(call: Call): Reply {
  const [author, comment] = [authorIn(call), commentIn(call)]
  author.content.reviewComments.delete(comment.id)
  sendReviewComment(author, comment, 'deleted')
  return { status: 204 }
}

/** @throws {HttpError} if the pull request does not have the comment, or the comment is an answer itself. */
function reply(call: Call, body: string, id: number): Reply {
  const issue = issueOfPull(call)
  const parent = call.world.contentOf(repositoryIn(call)).reviewComments.get(id)
  if (parent?.issue !== issue) throw notFound()
  // GitHub documents that it does not support answers to answers. The error is an assumption.
  if (parent.inReplyTo !== undefined) throw invalid('PullRequestReviewComment', 'in_reply_to', 'invalid')
  return write(call, parent.sha, { body, place: parent.place, inReplyTo: id })
}

function write(call: Call, sha: string, comment: NewReviewComment): Reply {
  const [author, issue, pull] = [authorIn(call), issueOfPull(call), pullIn(call)]
  const { written } = submitReview(author, issue, pull, { body: '', state: 'COMMENTED', sha, comments: [comment] })
  const [first] = written as [ReviewComment]
  return created(reviewCommentShape(author.world, first))
}

/** Whether a pull request has a commit. The commits of a pull request in a delivery are unknown, except for its head. */
export const hasCommit = (content: RepositoryContent, pull: Pull, sha: string): boolean =>
  pull.head.sha === sha || content.changesOf(pull).commits.some((commit) => commit.sha === sha)

const rejected = (problems: readonly PlaceProblem[]): HttpError =>
  new HttpError(422, 'Validation Failed', {
    errors: problems.map(({ field: name, code, text }) => {
      const field = `pull_request_review_thread.${name}`
      return {
        resource: 'PullRequestReviewComment',
        code,
        field,
        ...(text !== undefined && { message: `${field} ${text}` }),
      }
    }),
  })

/** @throws {HttpError} unless the body has exactly one of `line`, `position` and `subject_type`. */
function checkPositioning(body: Json): void {
  const has = (name: string) => body[name] !== undefined && body[name] !== null
  if (['line', 'position', 'subject_type'].filter(has).length === 1) return
  const problemOf = (name: string) => `"${name}" ${has(name) ? 'is not a permitted key' : "wasn't supplied"}.`
  const names = ['positioning', 'position', 'in_reply_to', 'subject_type', 'line']
  throw new HttpError(422, `Invalid request.\n\nNo subschema in "oneOf" matched.\n${names.map(problemOf).join('\n')}`)
}

function suppliedIn(body: Json, name: string): string {
  const text = textIn(body, name)
  if (!text) throw new HttpError(422, `Invalid request.\n\n"${name}" wasn't supplied.`)
  return text
}

function commentIn(call: Call): ReviewComment {
  const comment = call.world.contentOf(repositoryIn(call)).reviewComments.get(numberOf(call, 'comment_id'))
  if (!comment) throw notFound()
  return comment
}
