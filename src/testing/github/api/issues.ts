import { textIn } from '../../../runtime/json.ts'
import { paged } from '../http/paging.ts'
import { created, invalid, ok, type Reply } from '../http/reply.ts'
import { bodyIn, textsIn } from '../http/request-body.ts'
import type { Call } from '../http/route.ts'
import { issueShape } from '../shapes/issue.ts'
import type { Issue } from '../world/repository-content.ts'
import { type Author, authorIn, issueIn, repositoryIn, sendIssueAction, writableIssueIn } from './author.ts'

/** Lists the issues with the requested `state` and `labels`, newest first. Pull requests are issues, too. */
export function listIssues(call: Call): Reply {
  const { world, url } = call
  const state = url.searchParams.get('state') ?? 'open'
  const labels = (url.searchParams.get('labels') ?? '').split(',').filter((label) => label !== '')
  const issues = [...world.contentOf(repositoryIn(call)).issues.values()].filter(
    (issue) => (state === 'all' || issue.state === state) && labels.every((label) => hasLabel(issue, label)),
  )
  const newest = issues.toSorted((a, b) => b.number - a.number)
  return paged(url, newest, (some) => some.map((issue) => issueShape(world, issue)))
}

export const getIssue = (call: Call): Reply => ok(issueShape(call.world, issueIn(call)))

export function createIssue(call: Call): Reply {
  const title = textIn(call.body, 'title')
  if (!title) throw invalid('Issue', 'title', 'missing_field')
  const names = textsIn(call.body, 'labels', 'Issue') ?? []
  const body = bodyIn(call.body, 'Issue') ?? null
  const author = authorIn(call)
  const { world, repository, content, user, app } = author
  const issue = world.issue(repository, content.newNumber(), { title, body, user, app })
  issue.labels = names.map((name) => world.label(repository, name))
  sendIssueAction(author, issue, 'opened')
  return created(issueShape(world, issue))
}

export function updateIssue(call: Call): Reply {
  const { body } = call
  const names = textsIn(body, 'labels', 'Issue')
  const state = textIn(body, 'state')
  if (state !== undefined && state !== 'open' && state !== 'closed') throw invalid('Issue', 'state', 'invalid')
  const [title, text] = [textIn(body, 'title'), bodyIn(body, 'Issue')]
  const [author, issue] = [authorIn(call), writableIssueIn(call)]
  issue.updatedAt = author.now
  if (title !== undefined || text !== undefined) edit(author, issue, { title, body: text })
  if (names) issue.labels = names.map((name) => author.world.label(author.repository, name))
  if (state !== undefined && state !== issue.state) changeState(author, issue, state, textIn(body, 'state_reason'))
  return ok(issueShape(author.world, issue))
}

export const hasLabel = ({ labels }: Issue, name: string): boolean =>
  labels.some((label) => label.name.toLowerCase() === name.toLowerCase())

/** The event contains the former values. */
function edit(
  author: Author,
  issue: Issue,
  { title = issue.title, body = issue.body }: { title: string | undefined; body: string | null | undefined },
): void {
  const changes = {
    ...(title !== issue.title && { title: { from: issue.title } }),
    ...(body !== issue.body && { body: { from: issue.body ?? '' } }),
  }
  Object.assign(issue, { title, body })
  sendIssueAction(author, issue, 'edited', { changes })
}

function changeState(author: Author, issue: Issue, state: 'open' | 'closed', reason: string | undefined): void {
  const closed = state === 'closed'
  const stateReason = closed ? (reason ?? 'completed') : 'reopened'
  Object.assign(issue, { state, stateReason, closedAt: closed ? author.now : undefined })
  sendIssueAction(author, issue, closed ? 'closed' : 'reopened')
}
