import { sendAction } from '../sending/action-event.ts'
import { pushedCommit } from '../shapes/commit.ts'
import { repositoryShape } from '../shapes/repository.ts'
import { emailOf } from '../shapes/user.ts'
import { defaultBranch } from '../world/branches.ts'
import { moveHead } from '../world/repository-content.ts'
import { type Author, sendIssueAction } from './author.ts'
import { changeState } from './issues.ts'

const noCommit = '0'.repeat(40)

/**
 * Changes a branch, and sends `push`. If the branch is new or deleted, sends `create` or `delete` first. The open pull
 * requests from this branch get its new head, or are closed if it is deleted.
 * @param change Changes the branch.
 * @param forced Whether the branch loses commits.
 * @returns What `change` has returned.
 */
export function push<Result>(author: Author, branch: string, change: () => Result, forced = false): Result {
  const { world, repository, content, actor, now } = author
  const { branches } = content
  const [existed, before] = [branches.has(branch), branches.head(branch)]
  const inBranch = new Set(branches.commits(branch))
  const known = new Set(branches.names.flatMap((name) => branches.commits(name)))
  const result = change()
  const [exists, after] = [branches.has(branch), branches.head(branch)]
  const created = !existed && exists
  // A new branch shows only commits that no branch had.
  const pushed = branches.commits(branch).filter((commit) => !(created ? known : inBranch).has(commit))
  const commits = pushed.map((commit) => pushedCommit(world, repository, commit, !known.has(commit)))
  const last = exists ? branches.find(after) : undefined
  const seconds = Math.floor(now / 1000)
  if (existed !== exists) sendBranchEvent(author, branch, exists)
  sendAction(author, 'push', {
    ...{ ref: `refs/heads/${branch}`, before: existed ? before : noCommit, after: exists ? after : noCommit },
    ...{ created, deleted: existed && !exists, forced, base_ref: null },
    compare: `${world.origin}/${repository.fullName}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`,
    ...{ commits, head_commit: last ? pushedCommit(world, repository, last, !known.has(last)) : null },
    pusher: { name: actor.login, email: emailOf(actor) },
    // Unlike other events, a push has these times in seconds since 1970.
    repository: {
      ...repositoryShape(world, repository),
      ...{
        created_at: Math.floor(repository.createdAt / 1000),
        pushed_at: seconds,
        master_branch: 'main',
        stargazers: 0,
      },
    },
  })
  for (const issue of content.issues.values()) {
    const { pull } = issue
    if (pull?.head.ref !== branch || issue.state === 'closed' || (exists && pull.head.sha === after)) continue
    if (exists) {
      moveHead(issue, pull, { ref: branch, sha: after }, now)
      sendIssueAction(author, issue, 'synchronize', { before, after })
    } else {
      issue.updatedAt = now
      changeState(author, issue, 'closed', undefined)
    }
  }
  return result
}

function sendBranchEvent(author: Author, branch: string, created: boolean): void {
  const about = { ref: branch, ref_type: 'branch', pusher_type: 'user' }
  if (created) sendAction(author, 'create', { ...about, master_branch: defaultBranch, description: null })
  else sendAction(author, 'delete', about)
}
