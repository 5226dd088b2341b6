import { textIn } from '../../../runtime/json.ts'
import { paged } from '../http/paging.ts'
import { created, invalid, notFound, ok, type Reply } from '../http/reply.ts'
import { bodyIn } from '../http/request-body.ts'
import { type Call, numberOf } from '../http/route.ts'
import { pullItem, pullShape } from '../shapes/pull.ts'
import { commitSha } from '../world/repository-content.ts'
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
  const issue = call.world.contentOf(repositoryIn(call)).issues.get(numberOf(call, 'pull_number'))
  if (!issue?.pull) throw notFound()
  return ok(pullShape(call.world, issue, issue.pull))
}

/** Creates a pull request between two branches, which need not exist. */
export function createPull(call: Call): Reply {
  const [title, head, base] = ['title', 'head', 'base'].map((name) => {
    const value = textIn(call.body, name)
    if (!value) throw invalid('PullRequest', name, 'missing_field')
    return value
  }) as [string, string, string]
  const body = bodyIn(call.body, 'PullRequest') ?? null
  const author = authorIn(call)
  const { world, repository, content, user, app } = author
  const branch = (ref: string) => ({ ref, sha: commitSha(repository.fullName, ref) })
  const pull = { head: branch(head.replace(/^.*:/, '')), base: branch(base), draft: call.body.draft === true }
  const issue = world.issue(repository, content.newNumber(), { title, body, user, app, pull })
  sendIssueAction(author, issue, 'opened')
  return created(pullShape(world, issue, pull))
}
