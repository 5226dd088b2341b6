import { textIn } from '../../../runtime/json.ts'
import { paged } from '../http/paging.ts'
import { HttpError, ok, type Reply } from '../http/reply.ts'
import { textsIn } from '../http/request-body.ts'
import type { Call } from '../http/route.ts'
import { sendAction } from '../sending/action-event.ts'
import { pullItem, reviewShape } from '../shapes/pull.ts'
import { simpleUser } from '../shapes/user.ts'
import type { Account } from '../world/repository.ts'
import type { Review } from '../world/repository-content.ts'
import { authorIn, sendIssueAction } from './author.ts'
import { issueOfPull, pullIn } from './pulls.ts'

const states: Readonly<Record<string, Review['state']>> = {
  ...{ APPROVE: 'APPROVED', REQUEST_CHANGES: 'CHANGES_REQUESTED', COMMENT: 'COMMENTED' },
}

/** Lists the reviews of a pull request, oldest first. */
export function listReviews(call: Call): Reply {
  const [issue, pull] = [issueOfPull(call), pullIn(call)]
  return paged(call.url, pull.reviews, (some) => some.map((review) => reviewShape(call.world, issue, review)))
}

/** Submits a review. Unlike GitHub, the local GitHub has no pending reviews, and ignores comments on lines. */
export function createReview(call: Call): Reply {
  const [event, body = ''] = [textIn(call.body, 'event') ?? 'COMMENT', textIn(call.body, 'body')]
  const state = Object.hasOwn(states, event) ? states[event] : undefined
  if (!state) throw unprocessable('event must be APPROVE, REQUEST_CHANGES or COMMENT')
  if (body === '' && state !== 'APPROVED') throw unprocessable('body must not be empty')
  const [author, issue, pull] = [authorIn(call), issueOfPull(call), pullIn(call)]
  const { world, user, now } = author
  if (user.login === issue.user.login && state !== 'COMMENTED') {
    const what = state === 'APPROVED' ? 'approve' : 'request changes on'
    throw unprocessable(`Can not ${what} your own pull request`)
  }
  const review = { id: world.newId(), user, body, state, submittedAt: now, sha: pull.head.sha }
  pull.reviews.push(review)
  pull.requestedReviewers = pull.requestedReviewers.filter((one) => one !== user)
  const shape = reviewShape(world, issue, review)
  sendAction(author, 'pull_request_review.submitted', {
    review: { ...shape, state: state.toLowerCase() }, // the API has the state in capitals
    pull_request: pullItem(world, issue, pull),
  })
  return ok(shape)
}

/** GitHub describes the errors of this route as texts. Except for that of an own pull request, the texts are ours. */
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
