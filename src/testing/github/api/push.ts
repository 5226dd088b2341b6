import { sendAction } from '../sending/action-event.ts'
import { pushedCommit } from '../shapes/commit.ts'
import type { RefName } from '../shapes/ref.ts'
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
  const { world, repository, content, now } = author
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
  sendPush(author, {
    ...{
      ref: { kind: 'heads', name: branch },
      before: existed ? before : undefined,
      after: exists ? after : undefined,
    },
    ...{ forced, commits, head: last && pushedCommit(world, repository, last, !known.has(last)) },
  })
  for (const issue of world.repositories.flatMap((one) => [...world.contentOf(one).issues.values()])) {
    const { pull, repository: target } = issue
    if (pull?.head.ref !== branch || (pull.head.fork ?? target) !== repository) continue
    if (issue.state === 'closed' || (exists && pull.head.sha === after)) continue
    const about = { ...author, repository: target, content: world.contentOf(target) }
    if (exists) {
      moveHead(issue, pull, { ...pull.head, sha: after }, now)
      sendIssueAction(about, issue, 'synchronize', { before, after })
    } else {
      issue.updatedAt = now
      changeState(about, issue, 'closed', undefined)
    }
  }
  return result
}

/**
 * Creates, moves or deletes a tag, and sends `push`. If the tag is new or deleted, sends `create` or `delete` first.
 * @param sha That of a commit or of an annotated tag. `undefined` deletes the tag.
 */
export function pushTag(author: Author, name: string, sha: string | undefined, forced = false): void {
  const { world, repository, content } = author
  const { branches } = content
  const before = branches.tags.get(name)
  if (sha === undefined) branches.tags.delete(name)
  else branches.tags.set(name, sha)
  const commit = sha === undefined ? undefined : branches.find(branches.commitOf(sha))
  const head = commit && pushedCommit(world, repository, commit, true)
  sendPush(author, { ref: { kind: 'tags', name }, before, after: sha, forced, commits: [], head })
}

/** A change of a branch or a tag. */
interface Push {
  ref: RefName
  /** `undefined`: the branch or tag is new. */
  before: string | undefined
  /** `undefined`: the branch or tag is deleted. */
  after: string | undefined
  forced: boolean
  commits: readonly object[]
  head: object | undefined
}

function sendPush(author: Author, { ref: { kind, name }, before, after, forced, commits, head }: Push): void {
  const { world, repository, actor, now } = author
  const about = { ref: name, ref_type: kind === 'heads' ? 'branch' : 'tag', pusher_type: 'user' }
  if (before === undefined) sendAction(author, 'create', { ...about, master_branch: defaultBranch, description: null })
  if (after === undefined) sendAction(author, 'delete', about)
  const range = before === undefined ? name : `${before.slice(0, 12)}...${(after ?? noCommit).slice(0, 12)}`
  sendAction(author, 'push', {
    ...{ ref: `refs/${kind}/${name}`, before: before ?? noCommit, after: after ?? noCommit },
    ...{ created: before === undefined, deleted: after === undefined, forced, base_ref: null },
    compare: `${world.origin}/${repository.fullName}/compare/${range}`,
    ...{ commits, head_commit: head ?? null },
    pusher: { name: actor.login, email: emailOf(actor) },
    // Unlike other events, a push has these times in seconds since 1970.
    repository: {
      ...repositoryShape(world, repository),
      ...{
        created_at: Math.floor(repository.createdAt / 1000),
        pushed_at: Math.floor(now / 1000),
        master_branch: 'main',
        stargazers: 0,
      },
    },
  })
}
