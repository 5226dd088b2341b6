import { sendAction } from '../sending/action-event.ts'
import { pullItem, reviewCommentShape, reviewShape } from '../shapes/pull.ts'
import type { Place } from '../world/place.ts'
import type { Issue, Pull, Review, ReviewComment } from '../world/repository-content.ts'
import type { Author } from './author.ts'

/** A comment of a new review. */
export interface NewReviewComment {
  body: string
  place: Place
  inReplyTo?: number
}

/** Adds a review with its comments to a pull request, and sends an event for each of them. */
export function submitReview(
  author: Author,
  issue: Issue,
  pull: Pull,
  { comments, ...facts }: Pick<Review, 'body' | 'state' | 'sha'> & { comments: readonly NewReviewComment[] },
): { review: Review; written: ReviewComment[] } {
  const { world, user, now } = author
  const review = { id: world.newId(), user, ...facts, submittedAt: now }
  pull.reviews.push(review)
  sendAction(author, 'pull_request_review.submitted', {
    review: { ...reviewShape(world, issue, review), state: review.state.toLowerCase() }, // the API has the state in capitals
    pull_request: pullItem(world, issue, pull),
  })
  const written = comments.map(({ inReplyTo, ...comment }) =>
    addComment(author, issue, review, { ...comment, inReplyTo }),
  )
  return { review, written }
}

function addComment(
  author: Author,
  issue: Issue,
  { id: review, sha }: Review,
  given: Pick<ReviewComment, 'body' | 'place' | 'inReplyTo'>,
): ReviewComment {
  const { world, content, user, app, now } = author
  const written = { issue, user, app, createdAt: now, updatedAt: now }
  const comment = { id: world.newId(), ...written, review, sha, ...given }
  content.reviewComments.set(comment.id, comment)
  sendReviewComment(author, comment, 'created')
  return comment
}

export function sendReviewComment(author: Author, comment: ReviewComment, action: string, about: object = {}): void {
  const { world } = author
  const { issue } = comment
  const pull = issue.pull && pullItem(world, issue, issue.pull)
  const shapes = { pull_request: pull, comment: reviewCommentShape(world, comment) }
  sendAction(author, `pull_request_review_comment.${action}`, { ...about, ...shapes })
}
