import { timestamp } from '../clock.ts'
import type { Branch, Issue, Label, Pull, Review, ReviewComment } from '../world/repository-content.ts'
import type { World } from '../world/world.ts'
import { fileShape, statsOf } from './commit.ts'
import { associationOf, labelShape, pageOf, reactionCounts } from './issue.ts'
import { repositoryShape, repositoryUrl } from './repository.ts'
import { nodeId, simpleUser } from './user.ts'

/** A pull request in a list. */
export function pullItem(world: World, issue: Issue, pull: Pull): object {
  const { id, number, repository, title, body, user, state, labels, closedAt, createdAt, updatedAt } = issue
  const { head, base, draft, merge } = pull
  const assignees = issue.assignees.map((one) => simpleUser(world, one))
  // Unlike the labels of an issue, those of a pull request always have a description.
  const labelOf = (label: Label) => labelShape(world, repository, { ...label, description: label.description ?? '' })
  const root = repositoryUrl(world, repository)
  const [url, issueUrl, page] = [`${root}/pulls/${number}`, `${root}/issues/${number}`, pageOf(world, issue)]
  const urls = {
    ...{ issue: issueUrl, commits: `${url}/commits`, review_comments: `${url}/comments` },
    ...{ review_comment: `${root}/pulls/comments{/number}`, comments: `${issueUrl}/comments` },
    statuses: `${root}/statuses/${head.sha}`,
  }
  const links = Object.entries({ ...urls, self: url, html: page }).map(([name, href]) => [name, { href }])
  return {
    ...{ id, node_id: nodeId('PullRequest', id), number, state, locked: false, title, body, draft, url },
    ...{ html_url: page, diff_url: `${page}.diff`, patch_url: `${page}.patch` },
    ...Object.fromEntries(Object.entries(urls).map(([name, address]) => [`${name}_url`, address])),
    ...{ user: simpleUser(world, user), labels: labels.map(labelOf) },
    ...{ milestone: null, active_lock_reason: null, assignee: assignees[0] ?? null, assignees },
    requested_reviewers: pull.requestedReviewers.map((one) => simpleUser(world, one)),
    ...{ requested_teams: [], auto_merge: null, merge_commit_sha: merge?.sha ?? null },
    merged_at: merge ? timestamp(merge.at) : null,
    ...{ created_at: timestamp(createdAt), updated_at: timestamp(updatedAt) },
    closed_at: closedAt === undefined ? null : timestamp(closedAt),
    ...{ head: branchShape(world, issue, head), base: branchShape(world, issue, base) },
    ...{ _links: Object.fromEntries(links), author_association: associationOf(user, repository) },
  }
}

/** A single pull request. A branch without commits of its own counts as one commit. */
export function pullShape(world: World, issue: Issue, pull: Pull): object {
  const { repository, state } = issue
  const { head, merge } = pull
  const content = world.contentOf(repository)
  const { commits, files } = content.changesOf(pull)
  const { additions, deletions } = statsOf(files.map((file) => fileShape(world, repository, head.sha, file)))
  const isOpen = state === 'open'
  return {
    ...pullItem(world, issue, pull),
    ...{ merged: merge !== undefined, merged_by: merge ? simpleUser(world, merge.by) : null },
    ...{ mergeable: isOpen ? true : null, mergeable_state: isOpen ? 'clean' : 'unknown' },
    comments: [...content.comments.values()].filter((one) => one.issue === issue).length,
    review_comments: [...content.reviewComments.values()].filter((one) => one.issue === issue).length,
    maintainer_can_modify: false,
    commits: Math.max(1, commits.length),
    ...{ additions, deletions, changed_files: files.length },
  }
}

export function reviewShape(world: World, issue: Issue, review: Review): object {
  const { repository, number } = issue
  const { id, user, body, state, submittedAt, sha } = review
  const page = `${pageOf(world, issue)}#pullrequestreview-${id}`
  const url = `${repositoryUrl(world, repository)}/pulls/${number}`
  return {
    ...{ id, node_id: nodeId('PullRequestReview', id), user: simpleUser(world, user), body, state, commit_id: sha },
    ...{ html_url: page, pull_request_url: url, _links: { html: { href: page }, pull_request: { href: url } } },
    ...{ submitted_at: timestamp(submittedAt), author_association: associationOf(user, repository) },
  }
}

export function reviewCommentShape(world: World, comment: ReviewComment): object {
  const { id, issue, user, body, createdAt, updatedAt, review, inReplyTo, sha, place } = comment
  const { path, diffHunk, position, line, side, startLine = null, startSide } = place
  const { repository, number } = issue
  const root = `${repositoryUrl(world, repository)}/pulls`
  const [url, pull, page] = [`${root}/comments/${id}`, `${root}/${number}`, `${pageOf(world, issue)}#discussion_r${id}`]
  return {
    ...{ id, node_id: nodeId('PullRequestReviewComment', id), url, html_url: page, pull_request_url: pull },
    ...{ _links: { self: { href: url }, html: { href: page }, pull_request: { href: pull } } },
    ...{ pull_request_review_id: review, ...(inReplyTo !== undefined && { in_reply_to_id: inReplyTo }) },
    ...{ user: simpleUser(world, user), body, author_association: associationOf(user, repository) },
    ...{ path, diff_hunk: diffHunk, commit_id: sha, original_commit_id: sha, position, original_position: position },
    ...(line !== undefined && { line, original_line: line }),
    ...{ side, start_line: startLine, original_start_line: startLine },
    start_side: startLine === null ? null : startSide,
    subject_type: line === undefined ? 'file' : 'line',
    ...{ created_at: timestamp(createdAt), updated_at: timestamp(updatedAt) },
    reactions: reactionCounts(world, repository, `pulls/comments/${id}`),
  }
}

function branchShape(world: World, { repository, user }: Issue, { ref, sha, fork }: Branch): object {
  const shown = fork === 'deleted' ? undefined : (fork ?? repository)
  const owner = shown?.owner ?? user
  const repo = shown ? { ...repositoryShape(world, shown), fork: fork !== undefined } : null
  return { label: `${owner.login}:${ref}`, ref, sha, user: simpleUser(world, owner), repo }
}
