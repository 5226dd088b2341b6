import { sendAction } from '../sending/action-event.ts'
import { pushedCommit } from '../shapes/commit.ts'
import { repositoryShape } from '../shapes/repository.ts'
import { emailOf } from '../shapes/user.ts'
import type { Commit } from '../world/branches.ts'
import { type Author, sendIssueAction } from './author.ts'

const noCommit = '0'.repeat(40)

/**
 * Changes a branch, sends `push`, and gives the open pull requests from this branch their new head.
 * @param change Changes the branch. Returns the new commit, or nothing if there is none.
 */
export function push<Result extends Commit | undefined>(author: Author, branch: string, change: () => Result): Result {
  const { world, repository, content, actor, now } = author
  const { branches } = content
  const [existed, before] = [branches.has(branch), branches.head(branch)]
  const known = new Set(branches.commits(branch).map(({ sha }) => sha))
  const result = change()
  const [exists, after] = [branches.has(branch), branches.head(branch)]
  const created = !existed && exists
  const commits = branches.commits(branch).filter(({ sha }) => result !== undefined && !known.has(sha))
  const shapes = commits.map((commit) => pushedCommit(world, repository, commit))
  const seconds = Math.floor(now / 1000)
  sendAction(author, 'push', {
    ...{ ref: `refs/heads/${branch}`, before: existed ? before : noCommit, after: exists ? after : noCommit },
    ...{ created, deleted: existed && !exists, forced: false, base_ref: null },
    compare: `${world.origin}/${repository.fullName}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`,
    ...{ commits: shapes, head_commit: shapes.at(-1) ?? null },
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
    if (pull?.head.ref !== branch || issue.state === 'closed' || pull.head.sha === after || !exists) continue
    pull.head = { ref: branch, sha: after }
    sendIssueAction(author, issue, 'synchronize', { before, after })
  }
  return result
}
