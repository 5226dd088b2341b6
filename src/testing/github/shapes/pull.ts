import { timestamp } from '../clock.ts'
import type { Repository } from '../world/repository.ts'
import { type Branch, blobSha, type Issue, type Label, type Pull } from '../world/repository-content.ts'
import type { World } from '../world/world.ts'
import { associationOf, labelShape, pageOf } from './issue.ts'
import { repositoryShape, repositoryUrl } from './repository.ts'
import { nodeId, simpleUser } from './user.ts'

/** A pull request in a list. */
export function pullItem(world: World, issue: Issue, pull: Pull): object {
  const { id, number, repository, title, body, user, state, labels, closedAt, createdAt, updatedAt } = issue
  const { head, base, draft } = pull
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
    ...{ requested_reviewers: [], requested_teams: [], auto_merge: null, merge_commit_sha: null, merged_at: null },
    ...{ created_at: timestamp(createdAt), updated_at: timestamp(updatedAt) },
    closed_at: closedAt === undefined ? null : timestamp(closedAt),
    ...{ head: branchShape(world, issue, head), base: branchShape(world, issue, base) },
    ...{ _links: Object.fromEntries(links), author_association: associationOf(user, repository) },
  }
}

/** A single pull request. The local GitHub neither compares nor merges branches. */
export function pullShape(world: World, issue: Issue, pull: Pull): object {
  const comments = [...world.contentOf(issue.repository).comments.values()].filter((one) => one.issue === issue)
  return {
    ...pullItem(world, issue, pull),
    ...{ merged: false, mergeable: true, mergeable_state: 'clean', merged_by: null },
    ...{ comments: comments.length, review_comments: 0, maintainer_can_modify: false },
    ...{ commits: 1, additions: 0, deletions: 0, changed_files: 0 },
  }
}

/** A file that a pull request changes. Its lines count as added. */
export function fileShape(
  world: World,
  repository: Repository,
  head: Branch,
  { path, content, status }: { path: string; content: Uint8Array; status: string },
): object {
  const encoded = path.split('/').map(encodeURIComponent).join('/')
  const page = `${world.origin}/${repository.fullName}`
  const additions = new TextDecoder().decode(content).split('\n').length
  return {
    ...{ sha: blobSha(content), filename: path, status, additions, deletions: 0, changes: additions },
    ...{ blob_url: `${page}/blob/${head.sha}/${encoded}`, raw_url: `${page}/raw/${head.sha}/${encoded}` },
    contents_url: `${repositoryUrl(world, repository)}/contents/${encoded}?ref=${head.sha}`,
  }
}

function branchShape(world: World, { repository }: Issue, { ref, sha }: Branch): object {
  const { owner } = repository
  const about = { user: simpleUser(world, owner), repo: repositoryShape(world, repository) }
  return { label: `${owner.login}:${ref}`, ref, sha, ...about }
}
