import { isObject, textIn } from '../../../runtime/json.ts'
import { paged } from '../http/paging.ts'
import { HttpError, invalid, ok, type Reply } from '../http/reply.ts'
import type { Call } from '../http/route.ts'
import { labelShape } from '../shapes/issue.ts'
import type { Issue } from '../world/repository-content.ts'
import { authorIn, issueIn, sendIssueAction, writableIssueIn } from './author.ts'
import { hasLabel } from './issues.ts'

export function listLabels(call: Call): Reply {
  const issue = issueIn(call)
  return paged(call.url, issue.labels, () => shapes(call, issue))
}

/** Adds labels to an issue, and creates those that the repository lacks. */
export function addLabels(call: Call): Reply {
  const names = namesIn(call)
  const [author, issue] = [authorIn(call), writableIssueIn(call)]
  for (const name of names.filter((each) => !hasLabel(issue, each))) {
    const label = author.world.label(author.repository, name)
    issue.labels.push(label)
    sendIssueAction(author, issue, 'labeled', { label: labelShape(author.world, author.repository, label) })
  }
  return ok(shapes(call, issue))
}

export function removeLabel(call: Call): Reply {
  const name = call.parameters.name ?? ''
  const [author, issue] = [authorIn(call), issueIn(call)]
  const label = issue.labels.find((each) => each.name.toLowerCase() === name.toLowerCase())
  if (!label) throw new HttpError(404, 'Label does not exist')
  issue.labels = issue.labels.filter((each) => each !== label)
  sendIssueAction(author, issue, 'unlabeled', { label: labelShape(author.world, author.repository, label) })
  return ok(shapes(call, issue))
}

/** The names in `labels`, as texts or as objects with a name. */
function namesIn({ body }: Call): string[] {
  const { labels } = body
  if (!Array.isArray(labels)) throw invalid('Label', 'labels', 'missing_field')
  return labels.map((label: unknown) => {
    const name = isObject(label) ? textIn(label, 'name') : label
    if (typeof name !== 'string' || name === '') throw invalid('Label', 'name', 'invalid')
    return name
  })
}

const shapes = ({ world }: Call, { labels, repository }: Issue): object[] =>
  labels.map((label) => labelShape(world, repository, label))
