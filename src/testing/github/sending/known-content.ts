import { isObject, type Json, objectIn, textIn, wholeNumberIn } from '../../../runtime/json.ts'
import type { Account, Repository } from '../world/repository.ts'
import {
  type Branch,
  type Issue,
  moveHead,
  newPull,
  type Pull,
  type ReviewComment,
  reviewStates,
} from '../world/repository-content.ts'
import type { World } from '../world/world.ts'

/**
 * Creates the sender, the repository, the issue or pull request, the review and the comment of a payload, so that the
 * receiver can request and change them through the API. Also edits and deletes a comment. With the action `deleted`: creates
 * only the sender and the repository.
 */
export function rememberContent(world: World, payload: Json): void {
  const sender = objectIn(payload, 'sender')
  if (textIn(sender, 'type') === 'User') accountIn(world, sender)
  const named = objectIn(payload, 'repository')
  const fullName = textIn(named, 'full_name')
  if (!named || fullName === undefined) return
  const repository = world.repository(fullName, named as { id: number; private: boolean })
  const comment = objectIn(payload, 'comment')
  const id = wholeNumberIn(comment, 'id')
  const { comments, reviewComments } = world.contentOf(repository)
  if (payload.action === 'deleted') {
    for (const all of [comments, reviewComments]) all.delete(id ?? 0)
    return
  }
  const issue = rememberIssue(world, repository, payload)
  if (issue?.pull) rememberReview(world, issue.pull, objectIn(payload, 'review'))
  if (!issue || !comment || id === undefined) return
  const now = world.clock.now()
  const known = comments.get(id) ?? reviewComments.get(id)
  if (known) {
    const body = textIn(comment, 'body') ?? known.body
    if (payload.action === 'edited' && body !== known.body) Object.assign(known, { body, updatedAt: now })
    return
  }
  const user = accountIn(world, objectIn(comment, 'user')) ?? world.account('ghost')
  const written = {
    id,
    issue,
    user,
    app: undefined,
    body: textIn(comment, 'body') ?? '',
    createdAt: now,
    updatedAt: now,
  }
  if (objectIn(payload, 'issue')) comments.set(id, written)
  else reviewComments.set(id, { ...written, ...reviewPartOf(comment) })
}

function rememberReview(world: World, pull: Pull, shown: Json | undefined): void {
  const id = wholeNumberIn(shown, 'id')
  const state = reviewStates.find((one) => one === textIn(shown, 'state')?.toUpperCase())
  if (id === undefined || !state || pull.reviews.some((review) => review.id === id)) return
  const submittedAt = Date.parse(textIn(shown, 'submitted_at') ?? '') || world.clock.now()
  const [body, sha] = [textIn(shown, 'body') ?? '', textIn(shown, 'commit_id') ?? pull.head.sha]
  const user = accountIn(world, objectIn(shown, 'user')) ?? world.account('ghost')
  pull.reviews.push({ id, user, body, state, submittedAt, sha })
}

/** The members that only a comment of a review has. */
function reviewPartOf(comment: Json): Pick<ReviewComment, 'review' | 'inReplyTo' | 'sha' | 'place'> {
  const number = (name: string) => wholeNumberIn(comment, name)
  const sideIn = (name: string) => (textIn(comment, name) === 'LEFT' ? 'LEFT' : 'RIGHT')
  const place = {
    ...{ path: textIn(comment, 'path') ?? '', diffHunk: textIn(comment, 'diff_hunk') ?? '' },
    ...({ position: number('position') ?? 1, line: number('line'), side: sideIn('side') } as const),
    ...({ startLine: number('start_line'), startSide: sideIn('start_side') } as const),
  }
  const sha = textIn(comment, 'commit_id') ?? ''
  return { review: number('pull_request_review_id') ?? null, inReplyTo: number('in_reply_to_id'), sha, place }
}

function rememberIssue(world: World, repository: Repository, payload: Json): Issue | undefined {
  const shown = objectIn(payload, 'issue') ?? objectIn(payload, 'pull_request')
  const number = wholeNumberIn(shown, 'number')
  if (!shown || number === undefined) return undefined
  const found = world.contentOf(repository).issues.get(number)
  const [head, base] = ['head', 'base'].map((name) => {
    const branch = objectIn(shown, name)
    const fork = name === 'head' ? forkIn(world, repository, branch) : undefined
    return { ref: textIn(branch, 'ref') ?? name, sha: textIn(branch, 'sha') ?? '', fork }
  })
  if (found) {
    // A push has moved the branch of the pull request.
    if (found.pull && head && payload.action === 'synchronize') moveHead(found, found.pull, head, world.clock.now())
    return found
  }
  const user = accountIn(world, objectIn(shown, 'user'))
  const issue = world.issue(repository, number, {
    ...{ title: textIn(shown, 'title') ?? '', body: textIn(shown, 'body') ?? null },
    ...(user && { user }),
    // In a payload of `issue_comment`, a pull request is the member `issue`, which does not contain the branches. The
    // branches then have the names `head` and `base`, from the code above.
    ...(head && base && isPull(payload) && { pull: newPull(head, base, shown.draft === true) }),
  })
  if (shown.state === 'closed') issue.state = 'closed'
  issue.assignees = objectsIn(shown, 'assignees').flatMap((assignee) => accountIn(world, assignee) ?? [])
  const labels = objectsIn(shown, 'labels').flatMap((label) => textIn(label, 'name') ?? [])
  issue.labels = labels.map((name) => world.label(repository, name))
  return issue
}

/** The repository of the head of a pull request, if it is another one. */
function forkIn(world: World, repository: Repository, head: Json | undefined): Branch['fork'] {
  if (head?.repo === null) return 'deleted'
  const named = objectIn(head, 'repo')
  const fullName = textIn(named, 'full_name')
  const found =
    fullName === undefined ? repository : world.repository(fullName, named as { id: number; private: boolean })
  return found === repository ? undefined : found
}

/** The objects in a list. */
function objectsIn(shown: Json, list: string): Json[] {
  const items: unknown[] = Array.isArray(shown[list]) ? shown[list] : []
  return items.filter(isObject)
}

const isPull = (payload: Json): boolean =>
  objectIn(payload, 'issue') === undefined || objectIn(objectIn(payload, 'issue'), 'pull_request') !== undefined

function accountIn(world: World, user: Json | undefined): Account | undefined {
  const login = textIn(user, 'login')
  return login === undefined ? undefined : world.account(login, undefined, wholeNumberIn(user, 'id'))
}
