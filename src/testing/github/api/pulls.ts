import { textIn } from '../../../runtime/json.ts'
import { paged } from '../http/paging.ts'
import { created, invalid, notFound, ok, type Reply } from '../http/reply.ts'
import { limitedTextIn } from '../http/request-body.ts'
import { type Call, numberOf } from '../http/route.ts'
import { fileShape, pullItem, pullShape } from '../shapes/pull.ts'
import { commitSha, type Issue, type Pull } from '../world/repository-content.ts'
import { authorIn, repositoryIn, sendIssueAction } from './author.ts'

/** Lists the pull requests with the requested `state`, newest first. */
export function listPulls(call: Call): Reply {
  const { world, url } = call
  const state = url.searchParams.get('state') ?? 'open'
  const issues = [...world.contentOf(repositoryIn(call)).issues.values()]
  const found = issues.flatMap((issue) => {
    const { pull } = issue
    return pull && (state === 'all' || issue.state === state) ? [{ issue, pull }] : []
  })
  const newest = found.toSorted((a, b) => b.issue.number - a.issue.number)
  return paged(url, newest, (some) => some.map(({ issue, pull }) => pullItem(world, issue, pull)))
}

export function getPull(call: Call): Reply {
  const issue = issueOfPull(call)
  return ok(pullShape(call.world, issue, pullIn(call)))
}

/** GitHub lists at most this many files of a pull request. */
const maxListedFiles = 3000

/** Lists the files that were written to the head branch, and differ from those of the base branch. */
export function listPullFiles(call: Call): Reply {
  const { world, url } = call
  const repository = repositoryIn(call)
  const { head, base } = pullIn(call)
  const files = world.contentOf(repository).changedFiles(head.ref, base.ref).slice(0, maxListedFiles)
  return paged(url, files, (some) => some.map((file) => fileShape(world, repository, head, file)))
}

/** Creates a pull request between two branches, which need not exist. */
export function createPull(call: Call): Reply {
  const title = required('title', limitedTextIn(call.body, 'title', 'PullRequest'))
  const head = required('head', textIn(call.body, 'head'))
  const base = required('base', textIn(call.body, 'base'))
  const body = limitedTextIn(call.body, 'body', 'PullRequest') ?? null
  const author = authorIn(call)
  const { world, repository, content, user, app } = author
  const branch = (ref: string) => ({ ref, sha: commitSha(repository.fullName, ref) })
  const pull = { head: branch(head.replace(/^.*:/, '')), base: branch(base), draft: call.body.draft === true }
  const issue = world.issue(repository, content.newNumber(), { title, body, user, app, pull })
  sendIssueAction(author, issue, 'opened')
  return created(pullShape(world, issue, pull))
}

function issueOfPull(call: Call): Issue {
  const issue = call.world.contentOf(repositoryIn(call)).issues.get(numberOf(call, 'pull_number'))
  if (!issue?.pull) throw notFound()
  return issue
}

const pullIn = (call: Call): Pull => issueOfPull(call).pull as Pull

/** @throws {HttpError} if the value is missing or empty. */
function required(name: string, value: string | undefined): string {
  if (!value) throw invalid('PullRequest', name, 'missing_field')
  return value
}
