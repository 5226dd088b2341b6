import { textIn } from '../../../runtime/json.ts'
import { paged } from '../http/paging.ts'
import { created, HttpError, invalid, ok, type Reply } from '../http/reply.ts'
import { limitedTextIn, textsIn } from '../http/request-body.ts'
import type { Call } from '../http/route.ts'
import { issueShape } from '../shapes/issue.ts'
import { simpleUser } from '../shapes/user.ts'
import type { Account } from '../world/repository.ts'
import type { Issue } from '../world/repository-content.ts'
import { type Author, authorIn, issueIn, repositoryIn, sendIssueAction } from './author.ts'
import { hasLabel, setLabels } from './labels.ts'

/** Lists the issues with the requested `state`, `labels`, `creator`, `assignee` and `since`. Pull requests are issues, too. */
export function listIssues(call: Call): Reply {
  const { world, url } = call
  const wanted = (name: string) => url.searchParams.get(name) ?? undefined
  const [state, creator, assignee] = [wanted('state') ?? 'open', wanted('creator'), wanted('assignee')]
  const labels = (wanted('labels') ?? '').split(',').filter((label) => label !== '')
  const since = Date.parse(wanted('since') ?? '') || 0
  const isAssigned = ({ assignees }: Issue) => {
    if (assignee === undefined) return true
    if (assignee === 'none' || assignee === '*') return assignees.length > 0 === (assignee === '*')
    return assignees.some((one) => isLogin(one, assignee))
  }
  const issues = [...world.contentOf(repositoryIn(call)).issues.values()].filter(
    (issue) =>
      (state === 'all' || issue.state === state) &&
      labels.every((label) => hasLabel(issue, label)) &&
      (creator === undefined || isLogin(issue.user, creator)) &&
      isAssigned(issue) &&
      issue.updatedAt >= since,
  )
  return paged(url, sorted(call, issues), (some) => some.map((issue) => issueShape(world, issue)))
}

/** In the order of the parameters `sort` and `direction`: the newest first by default. */
export function sorted({ url, world }: Call, issues: readonly Issue[]): Issue[] {
  const commentsOf = (issue: Issue) =>
    [...world.contentOf(issue.repository).comments.values()].filter((comment) => comment.issue === issue).length
  const sort = url.searchParams.get('sort')
  const by = (issue: Issue) =>
    sort === 'comments' ? commentsOf(issue) : issue[sort === 'updated' ? 'updatedAt' : 'createdAt']
  const ascending = issues.toSorted((one, other) => by(one) - by(other) || one.number - other.number)
  return url.searchParams.get('direction') === 'asc' ? ascending : ascending.toReversed()
}

const isLogin = ({ login }: Account, wanted: string): boolean => login.toLowerCase() === wanted.toLowerCase()

export const getIssue = (call: Call): Reply => ok(issueShape(call.world, issueIn(call)))

export function createIssue(call: Call): Reply {
  const title = limitedTextIn(call.body, 'title', 'Issue')
  if (!title) throw invalid('Issue', 'title', 'missing_field')
  const names = textsIn(call.body, 'labels', 'Issue') ?? []
  const body = limitedTextIn(call.body, 'body', 'Issue') ?? null
  const assignees = assigneesIn(call) ?? []
  checkMilestone(call)
  const author = authorIn(call)
  const { world, repository, content, user, app } = author
  const issue = world.issue(repository, content.newNumber(), { title, body, user, app })
  issue.labels = names.map((name) => world.label(repository, name))
  issue.assignees = assignees
  sendIssueAction(author, issue, 'opened')
  return created(issueShape(world, issue))
}

const stateReasons = ['completed', 'not_planned', 'duplicate', 'reopened']

/** The local GitHub has no milestones, so no number names one. @throws {HttpError} */
function checkMilestone({ body: { milestone = null } }: Call): void {
  if (milestone !== null) throw invalid('Issue', 'milestone', 'invalid')
}

export function updateIssue(call: Call): Reply {
  const { body } = call
  const names = textsIn(body, 'labels', 'Issue')
  const state = textIn(body, 'state')
  if (state !== undefined && state !== 'open' && state !== 'closed') throw invalid('Issue', 'state', 'invalid')
  const reason = textIn(body, 'state_reason')
  if (reason !== undefined && !stateReasons.includes(reason)) throw invalid('Issue', 'state_reason', 'invalid')
  checkMilestone(call)
  const [title, text] = [limitedTextIn(body, 'title', 'Issue'), limitedTextIn(body, 'body', 'Issue')]
  const assignees = assigneesIn(call)
  const [author, issue] = [authorIn(call), issueIn(call)]
  if (title !== undefined || text !== undefined) edit(author, issue, { title, body: text })
  if (names) setLabels(author, issue, names)
  if (assignees) assign(author, issue, assignees)
  if (state !== undefined && state !== issue.state) changeState(author, issue, state, reason)
  return ok(issueShape(author.world, issue))
}

export function addAssignees(call: Call): Reply {
  const users = assigneesIn(call) ?? []
  const [author, issue] = [authorIn(call), issueIn(call)]
  assign(author, issue, [...new Set([...issue.assignees, ...users])])
  return created(issueShape(author.world, issue))
}

export function removeAssignees(call: Call): Reply {
  const logins = (textsIn(call.body, 'assignees', 'Issue') ?? []).map((login) => login.toLowerCase())
  const [author, issue] = [authorIn(call), issueIn(call)]
  assign(
    author,
    issue,
    issue.assignees.filter(({ login }) => !logins.includes(login.toLowerCase())),
  )
  return ok(issueShape(author.world, issue))
}

/** The event contains the former values. */
export function edit(
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

function assign(author: Author, issue: Issue, assignees: Account[]): void {
  const former = issue.assignees
  issue.assignees = assignees
  const send = (action: string, user: Account) =>
    sendIssueAction(author, issue, action, { assignee: simpleUser(author.world, user) })
  for (const user of former) if (!assignees.includes(user)) send('unassigned', user)
  for (const user of assignees) if (!former.includes(user)) send('assigned', user)
}

/**
 * The accounts of the logins in `assignees`. `undefined` if the body has none.
 * @throws {HttpError} if a login is unknown. GitHub also requires access to the repository, which all users of the local
 *   GitHub have.
 */
function assigneesIn({ world, body }: Call): Account[] | undefined {
  const logins = textsIn(body, 'assignees', 'Issue')
  const accounts = logins?.map((login) => {
    const account = world.findAccount(login)
    if (account?.type === 'User') return account
    throw new HttpError(422, 'Validation Failed', {
      errors: [{ value: login, resource: 'Issue', field: 'assignees', code: 'invalid' }],
    })
  })
  return accounts && [...new Set(accounts)]
}

export function changeState(author: Author, issue: Issue, state: 'open' | 'closed', reason: string | undefined): void {
  const closed = state === 'closed'
  const stateReason = closed ? (reason ?? 'completed') : 'reopened'
  Object.assign(issue, { state, stateReason, closedAt: closed ? author.now : undefined })
  sendIssueAction(author, issue, closed ? 'closed' : 'reopened')
}
