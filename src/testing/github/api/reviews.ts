import { isObject, type Json, textIn } from '../../../runtime/json.ts'
import { paged } from '../http/paging.ts'
import { HttpError, notFound, ok, type Reply } from '../http/reply.ts'
import { textsIn } from '../http/request-body.ts'
import { type Call, numberOf } from '../http/route.ts'
import { pullItem, reviewShape } from '../shapes/pull.ts'
import { simpleUser } from '../shapes/user.ts'
import type { ChangedFile } from '../world/branches.ts'
import { foreignCommit, type PlaceProblem, placeIn } from '../world/place.ts'
import type { Account } from '../world/repository.ts'
import type { Review } from '../world/repository-content.ts'
import { authorIn, sendIssueAction } from './author.ts'
import { issueOfPull, pullIn } from './pulls.ts'
import { hasCommit } from './review-comments.ts'
import { type NewReviewComment, submitReview } from './submit-review.ts'

const states: Readonly<Record<string, Review['state']>> = {
  ...{ APPROVE: 'APPROVED', REQUEST_CHANGES: 'CHANGES_REQUESTED', COMMENT: 'COMMENTED' },
}

/** Lists the reviews of a pull request, oldest first. */
export function listReviews(call: Call): Reply {
  const [issue, pull] = [issueOfPull(call), pullIn(call)]
  return paged(call.url, pull.reviews, (some) => some.map((review) => reviewShape(call.world, issue, review)))
}

export function getReview(call: Call): Reply {
  const review = pullIn(call).reviews.find(({ id }) => id === numberOf(call, 'review_id'))
  if (!review) throw notFound()
  return ok(reviewShape(call.world, issueOfPull(call), review))
}

/** Submits a review. Unlike GitHub, the local GitHub has no pending reviews. */
export function createReview(call: Call): Reply {
  const [event, body = ''] = [textIn(call.body, 'event') ?? 'COMMENT', textIn(call.body, 'body')]
  const state = Object.hasOwn(states, event) ? states[event] : undefined
  if (!state) throw unprocessable('event must be APPROVE, REQUEST_CHANGES or COMMENT')
  const [author, issue, pull] = [authorIn(call), issueOfPull(call), pullIn(call)]
  const sha = textIn(call.body, 'commit_id') ?? pull.head.sha
  if (!hasCommit(author.content, pull, sha)) throw unplaced(foreignCommit)
  const comments = commentsIn(call.body, author.content.changesOf(pull).files)
  const isEmpty = body === '' && (state === 'CHANGES_REQUESTED' || comments.length === 0)
  if (isEmpty && state !== 'APPROVED') throw unprocessable('body must not be empty')
  const { world, user } = author
  if (user.login === issue.user.login && state !== 'COMMENTED') {
    const what = state === 'APPROVED' ? 'approve' : 'request changes on'
    throw unprocessable(`Can not ${what} your own pull request`)
  }
  pull.requestedReviewers = pull.requestedReviewers.filter((one) => one !== user)
  const { review } = submitReview(author, issue, pull, { body, state, sha, comments })
  return ok(reviewShape(world, issue, review))
}

/** @throws {HttpError} if the diff does not have the place of a comment. */
function commentsIn({ comments: given = [] }: Json, files: readonly ChangedFile[]): NewReviewComment[] {
  if (!Array.isArray(given)) throw unprocessable('comments must be an array')
  return given.map((comment: unknown) => {
    const [body, path] = isObject(comment) ? [textIn(comment, 'body'), textIn(comment, 'path')] : []
    if (!isObject(comment) || !body || !path) throw unprocessable('each comment must have a path and a body')
    const place = placeIn(comment, files)
    if ('path' in place) return { body, place }
    throw unplaced(place)
  })
}

/** GitHub describes the problems in one sentence: `Pull request review thread line must be part of the diff and …`. */
function unplaced(problems: readonly PlaceProblem[]): HttpError {
  const texts = problems.map(({ field, code, text = code === 'invalid' ? 'is invalid' : "can't be blank" }) => {
    return `Pull request review thread ${field.replaceAll('_', ' ')} ${text}`
  })
  return unprocessable(new Intl.ListFormat('en-US').format(texts))
}

/** GitHub describes the errors of this route as texts. The texts about missing members are ours. */
const unprocessable = (error: string): HttpError => new HttpError(422, 'Unprocessable Entity', { errors: [error] })

export function listRequestedReviewers(call: Call): Reply {
  const { requestedReviewers } = pullIn(call)
  return ok({ users: requestedReviewers.map((user) => simpleUser(call.world, user)), teams: [] })
}

export function requestReviewers(call: Call): Reply {
  const users = reviewersIn(call)
  const [author, issue, pull] = [authorIn(call), issueOfPull(call), pullIn(call)]
  for (const user of users.filter((one) => !pull.requestedReviewers.includes(one))) {
    pull.requestedReviewers.push(user)
    sendIssueAction(author, issue, 'review_requested', { requested_reviewer: simpleUser(author.world, user) })
  }
  return { status: 201, body: pullItem(author.world, issue, pull) }
}

export function removeReviewers(call: Call): Reply {
  const users = reviewersIn(call)
  const [author, issue, pull] = [authorIn(call), issueOfPull(call), pullIn(call)]
  for (const user of pull.requestedReviewers.filter((one) => users.includes(one))) {
    pull.requestedReviewers = pull.requestedReviewers.filter((one) => one !== user)
    sendIssueAction(author, issue, 'review_request_removed', { requested_reviewer: simpleUser(author.world, user) })
  }
  return ok(pullItem(author.world, issue, pull))
}

/** @throws {HttpError} if the body names an unknown user, or the author of the pull request. */
function reviewersIn(call: Call): Account[] {
  const logins = textsIn(call.body, 'reviewers', 'PullRequest') ?? []
  const { user: author } = issueOfPull(call)
  return logins.map((login) => {
    const user = call.world.findAccount(login)
    if (user === author) throw new HttpError(422, 'Review cannot be requested from pull request author.')
    if (user?.type === 'User') return user
    throw new HttpError(
      422,
      'Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the repository.',
    )
  })
}
