import { textIn } from '../../../runtime/json.ts'
import { timestamp } from '../clock.ts'
import { paged } from '../http/paging.ts'
import { created, HttpError, invalid, notFound, ok, type Reply } from '../http/reply.ts'
import { limitedTextIn } from '../http/request-body.ts'
import { type Call, numberOf } from '../http/route.ts'
import { commitItem, fileShape } from '../shapes/commit.ts'
import { pullItem, pullShape } from '../shapes/pull.ts'
import type { Repository } from '../world/repository.ts'
import { type Branch, type Issue, newPull, type Pull, type RepositoryContent } from '../world/repository-content.ts'
import { type Author, authorIn, repositoryIn, sendIssueAction } from './author.ts'
import { commitAt } from './commits.ts'
import { changeState, edit, sorted } from './issues.ts'
import { push } from './push.ts'

/** Lists the pull requests with the requested `state`, `head` and `base`. */
export function listPulls(call: Call): Reply {
  const { world, url } = call
  const repository = repositoryIn(call)
  const wanted = (name: string) => url.searchParams.get(name) ?? undefined
  const [state, head, base] = [wanted('state') ?? 'open', wanted('head'), wanted('base')]
  const isWanted = ({ state: own, pull }: Issue) =>
    (state === 'all' || own === state) &&
    (head === undefined || (pull && nameOfHead(repository, pull).toLowerCase() === head.toLowerCase())) &&
    (base === undefined || pull?.base.ref === base)
  const issues = [...world.contentOf(repository).issues.values()].filter((issue) => issue.pull && isWanted(issue))
  return paged(url, sorted(call, issues), (some) => some.map((issue) => pullItem(world, issue, issue.pull as Pull)))
}

/** Such as `octo:feature`. The fork may have been deleted. */
const nameOfHead = (repository: Repository, { head: { fork, ref } }: Pull): string =>
  `${fork === 'deleted' ? '' : (fork ?? repository).owner.login}:${ref}`

/** Lists the pull requests that have a commit, or whose merge has made it. */
export function listPullsOfCommit(call: Call): Reply {
  const { world, url } = call
  const { sha } = commitAt(call, call.parameters.commit_sha ?? '')
  const content = world.contentOf(repositoryIn(call))
  const found = [...content.issues.values()].filter(({ pull }) => {
    return (
      pull &&
      (pull.head.sha === sha ||
        pull.merge?.sha === sha ||
        content.changesOf(pull).commits.some((one) => one.sha === sha))
    )
  })
  return paged(url, found, (some) => some.map((issue) => pullItem(world, issue, issue.pull as Pull)))
}

export function getPull(call: Call): Reply {
  const { world } = call
  const [issue, pull] = [issueOfPull(call), pullIn(call)]
  const old = pull.oldHead
  if (!old || old.movedAt + world.headLag <= world.clock.now()) return ok(pullShape(world, issue, pull))
  return ok({ ...pullShape(world, issue, { ...pull, head: old.head }), updated_at: timestamp(old.updatedAt) })
}

/** GitHub lists at most this many files of a pull request. */
const maxListedFiles = 3000

/** Lists the files that were written to the head branch, and differ from those of the base branch. */
export function listPullFiles(call: Call): Reply {
  const { world, url } = call
  const repository = repositoryIn(call)
  const pull = pullIn(call)
  const files = world.contentOf(repository).changesOf(pull).files.slice(0, maxListedFiles)
  return paged(url, files, (some) => some.map((file) => fileShape(world, repository, pull.head.sha, file)))
}

/** GitHub lists at most this many commits of a pull request. */
const maxListedCommits = 250

/** Lists the commits that were written to the head branch, oldest first. */
export function listPullCommits(call: Call): Reply {
  const { world, url } = call
  const repository = repositoryIn(call)
  const commits = world.contentOf(repository).changesOf(pullIn(call)).commits.slice(0, maxListedCommits)
  return paged(url, commits, (some) => some.map((commit) => commitItem(world, repository, commit)))
}

/**
 * Creates a pull request between two branches. Unlike on GitHub, they need not exist, so that the test of a handler needs
 * no commits.
 */
export function createPull(call: Call): Reply {
  const title = required('title', limitedTextIn(call.body, 'title', 'PullRequest'))
  const head = required('head', textIn(call.body, 'head'))
  const base = required('base', textIn(call.body, 'base'))
  const body = limitedTextIn(call.body, 'body', 'PullRequest') ?? null
  const author = authorIn(call)
  const { world, repository, content, user, app } = author
  const pull = newPull(headIn(author, head), branchOf(content, base), call.body.draft === true)
  checkBranches(repository, content, pull)
  const issue = world.issue(repository, content.newNumber(), { title, body, user, app, pull })
  sendIssueAction(author, issue, 'opened')
  return created(pullShape(world, issue, pull))
}

/**
 * The head of a new pull request: `feature`, or `mona:feature` for a branch of a fork with the same name.
 * @throws {HttpError} if there is no such fork.
 */
function headIn({ world, repository, content }: Author, head: string): Branch {
  const [, owner = repository.owner.login, ref = ''] = /^(?:(.*):)?(.*)$/s.exec(head) ?? []
  const source = world.findRepository(`${owner}/${repository.name}`)
  if (owner.toLowerCase() === repository.owner.login.toLowerCase()) return branchOf(content, ref)
  if (!source) throw invalid('PullRequest', 'head', 'invalid')
  return { ...branchOf(world.contentOf(source), ref), fork: source }
}

/** @throws {HttpError} with GitHub's message, if a pull request between the branches would be empty or is open already. */
function checkBranches(repository: Repository, { branches, issues }: RepositoryContent, { head, base }: Pull): void {
  const rejected = (message: string) =>
    new HttpError(422, 'Validation Failed', { errors: [{ resource: 'PullRequest', code: 'custom', message }] })
  const isEmpty = branches.has(head.ref) && branches.commitsAhead(head.ref, base.ref).length === 0
  if (!head.fork && (head.ref === base.ref || isEmpty)) throw rejected(`No commits between ${base.ref} and ${head.ref}`)
  const isOpen = [...issues.values()].some(({ state, pull }) => {
    return state === 'open' && isSame(pull?.head, head) && isSame(pull?.base, base)
  })
  if (!isOpen) return
  const { owner } = head.fork && head.fork !== 'deleted' ? head.fork : repository
  throw rejected(`A pull request already exists for ${owner.login}:${head.ref}.`)
}

const isSame = (one: Branch | undefined, { ref, fork }: Branch): boolean => one?.ref === ref && one.fork === fork

export function updatePull(call: Call): Reply {
  const { body } = call
  const state = textIn(body, 'state')
  if (state !== undefined && state !== 'open' && state !== 'closed') throw invalid('PullRequest', 'state', 'invalid')
  const [title, text] = [limitedTextIn(body, 'title', 'PullRequest'), limitedTextIn(body, 'body', 'PullRequest')]
  const base = textIn(body, 'base')
  const [author, issue, pull] = [authorIn(call), issueOfPull(call), pullIn(call)]
  if (state === 'open' && pull.merge) throw invalid('PullRequest', 'state', 'custom', 'state cannot be changed')
  issue.updatedAt = author.now
  if (title !== undefined || text !== undefined) edit(author, issue, { title, body: text })
  if (base !== undefined && base !== pull.base.ref) changeBase(author, issue, pull, base)
  if (state !== undefined && state !== issue.state) changeState(author, issue, state, undefined)
  return ok(pullShape(author.world, issue, pull))
}

function changeBase(author: Author, issue: Issue, pull: Pull, ref: string): void {
  const { base } = pull
  pull.base = branchOf(author.content, ref)
  sendIssueAction(author, issue, 'edited', { changes: { base: { ref: { from: base.ref }, sha: { from: base.sha } } } })
}

const mergeMethods = ['merge', 'squash', 'rebase']

/** Merges the head branch into the base branch. There are no conflicts: the files of the head branch replace others. */
export function mergePull(call: Call): Reply {
  const { body } = call
  const method = textIn(body, 'merge_method') ?? 'merge'
  if (!mergeMethods.includes(method)) throw new HttpError(422, 'Invalid request.\n\nmerge_method is not supported.')
  const [author, issue, pull] = [authorIn(call), issueOfPull(call), pullIn(call)]
  if (pull.merge || issue.state === 'closed' || pull.draft) throw new HttpError(405, 'Pull Request is not mergeable')
  const expected = textIn(body, 'sha')
  if (expected !== undefined && expected !== pull.head.sha)
    throw new HttpError(409, 'Head branch was modified. Review and try the merge again.')
  const sha = merge(author, issue, pull, {
    method,
    title: textIn(body, 'commit_title'),
    text: textIn(body, 'commit_message'),
  })
  return ok({ sha, merged: true, message: 'Pull Request successfully merged' })
}

/** The choices of the caller of a merge. */
interface MergeOptions {
  method: string
  title: string | undefined
  text: string | undefined
}

/** @returns The SHA of the new commit on the base branch. */
function merge(author: Author, issue: Issue, pull: Pull, { method, title, text = issue.title }: MergeOptions): string {
  const { repository, content, user, now } = author
  const [{ ref: head, sha: headSha, fork }, base] = [pull.head, pull.base.ref]
  const from = fork === 'deleted' ? issue.user : (fork ?? repository).owner
  const mergeTitle = `Merge pull request #${issue.number} from ${from.login}/${head}`
  const subject = title ?? (method === 'merge' ? mergeTitle : `${issue.title} (#${issue.number})`)
  const facts = { message: `${subject}\n\n${text}`, author: user, committedAt: now }
  const changes = content.changesOf(pull)
  const merged = { ...changes, sha: headSha }
  const { sha } = push(author, base, () => content.branches.merge(merged, base, facts, method === 'merge'))
  pull.merge = { ...changes, sha, by: user, at: now }
  issue.updatedAt = now
  changeState(author, issue, 'closed', undefined)
  return sha
}

/** Says whether a pull request is merged, by its status. */
export function checkMerged(call: Call): Reply {
  if (!pullIn(call).merge) throw notFound()
  return { status: 204 }
}

export function issueOfPull(call: Call): Issue {
  const issue = call.world.contentOf(repositoryIn(call)).issues.get(numberOf(call, 'pull_number'))
  if (!issue?.pull) throw notFound()
  return issue
}

export const pullIn = (call: Call): Pull => issueOfPull(call).pull as Pull

const branchOf = ({ branches }: RepositoryContent, ref: string): Branch => ({ ref, sha: branches.head(ref) })

/** @throws {HttpError} if the value is missing or empty. */
function required(name: string, value: string | undefined): string {
  if (!value) throw invalid('PullRequest', name, 'missing_field')
  return value
}
