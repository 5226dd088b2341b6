import { isObject, textIn } from '../../../runtime/json.ts'
import { paged } from '../http/paging.ts'
import { created, HttpError, invalid, notFound, ok, type Reply } from '../http/reply.ts'
import { isTooLong } from '../http/request-body.ts'
import type { Call } from '../http/route.ts'
import { sendAction } from '../sending/action-event.ts'
import { labelShape } from '../shapes/issue.ts'
import type { Issue, Label } from '../world/repository-content.ts'
import { type Author, authorIn, issueIn, repositoryIn, sendIssueAction } from './author.ts'

export function listLabels(call: Call): Reply {
  const issue = issueIn(call)
  return paged(call.url, issue.labels, (some) => some.map((label) => labelShape(call.world, issue.repository, label)))
}

/** Adds labels to an issue, and creates those that the repository lacks. */
export function addLabels(call: Call): Reply {
  const names = namesIn(call)
  const [author, issue] = [authorIn(call), issueIn(call)]
  for (const name of names) add(author, issue, name)
  return ok(shapes(call, issue))
}

/** Replaces the labels of an issue. */
export function replaceLabels(call: Call): Reply {
  const names = namesIn(call)
  const [author, issue] = [authorIn(call), issueIn(call)]
  setLabels(author, issue, names)
  return ok(shapes(call, issue))
}

export function removeLabel(call: Call): Reply {
  const name = call.parameters.name ?? ''
  const [author, issue] = [authorIn(call), issueIn(call)]
  const label = issue.labels.find((each) => isNamed(each, name))
  if (!label) throw new HttpError(404, 'Label does not exist')
  remove(author, issue, label)
  return ok(shapes(call, issue))
}

export function removeAllLabels(call: Call): Reply {
  setLabels(authorIn(call), issueIn(call), [])
  return { status: 204 }
}

/** Sends an event for each label that an issue gets or loses. */
export function setLabels(author: Author, issue: Issue, names: readonly string[]): void {
  const lost = issue.labels.filter((label) => !names.some((name) => isNamed(label, name)))
  for (const label of lost) remove(author, issue, label)
  for (const name of names) add(author, issue, name)
}

export const hasLabel = ({ labels }: Issue, name: string): boolean => labels.some((label) => isNamed(label, name))

const isNamed = (label: Label, name: string): boolean => label.name.toLowerCase() === name.toLowerCase()

function add(author: Author, issue: Issue, name: string): void {
  if (hasLabel(issue, name)) return
  const label = author.world.label(author.repository, name)
  issue.labels.push(label)
  sendIssueAction(author, issue, 'labeled', { label: labelShape(author.world, author.repository, label) })
}

function remove(author: Author, issue: Issue, label: Label): void {
  issue.labels = issue.labels.filter((each) => each !== label)
  sendIssueAction(author, issue, 'unlabeled', { label: labelShape(author.world, author.repository, label) })
}

export function listRepositoryLabels(call: Call): Reply {
  const repository = repositoryIn(call)
  const all = [...call.world.contentOf(repository).labels.values()]
  return paged(call.url, all, (some) => some.map((label) => labelShape(call.world, repository, label)))
}

export const getRepositoryLabel = (call: Call): Reply =>
  ok(labelShape(call.world, repositoryIn(call), repositoryLabelIn(call)))

function repositoryLabelIn(call: Call): Label {
  const label = call.world.contentOf(repositoryIn(call)).labels.get((call.parameters.name ?? '').toLowerCase())
  if (!label) throw notFound()
  return label
}

export function createRepositoryLabel(call: Call): Reply {
  const { name, color, description } = labelIn(call, 'name')
  if (!name) throw invalid('Label', 'name', 'missing_field')
  const author = authorIn(call)
  const { world, repository, content } = author
  if (content.labels.has(name.toLowerCase())) throw invalid('Label', 'name', 'already_exists')
  const label = world.label(repository, name)
  Object.assign(label, { color: color ?? label.color, description: description ?? null })
  const shape = labelShape(world, repository, label)
  sendAction(author, 'label.created', { label: shape })
  return created(shape)
}

/** Changes the color, the description or, with `new_name`, the name of a label. */
export function updateRepositoryLabel(call: Call): Reply {
  const { name, color, description } = labelIn(call, 'new_name')
  const [author, label] = [authorIn(call), repositoryLabelIn(call)]
  const { world, repository, content } = author
  const key = (name ?? label.name).toLowerCase()
  if ((content.labels.get(key) ?? label) !== label) throw invalid('Label', 'name', 'already_exists')
  const before = { ...label }
  content.labels.delete(before.name.toLowerCase())
  Object.assign(label, { name: name || label.name, color: color ?? label.color })
  Object.assign(label, { description: description ?? label.description })
  content.labels.set(key, label)
  const changed = (['name', 'color', 'description'] as const).filter((member) => label[member] !== before[member])
  const changes = Object.fromEntries(changed.map((member) => [member, { from: before[member] ?? '' }]))
  const shape = labelShape(world, repository, label)
  sendAction(author, 'label.edited', { changes, label: shape })
  return ok(shape)
}

/** Deletes a label, also from the issues that have it. */
export function deleteRepositoryLabel(call: Call): Reply {
  const [author, label] = [authorIn(call), repositoryLabelIn(call)]
  const { world, repository, content } = author
  content.labels.delete(label.name.toLowerCase())
  for (const issue of content.issues.values()) issue.labels = issue.labels.filter((one) => one !== label)
  sendAction(author, 'label.deleted', { label: labelShape(world, repository, label) })
  return { status: 204 }
}

/** The members of a label in a body. @throws {HttpError} for a wrong one. */
function labelIn({ body }: Call, nameMember: 'name' | 'new_name') {
  const [name, color, description] = [nameMember, 'color', 'description'].map((member) => textIn(body, member))
  if (color !== undefined && !/^[0-9a-f]{6}$/i.test(color)) throw invalid('Label', 'color', 'invalid')
  checkLength('name', name)
  checkLength('description', description)
  return { name, color, description }
}

/** In characters. */
const maxLengths = { name: 50, description: 100 }

/** @throws {HttpError} if the text of a label is too long. */
function checkLength(member: keyof typeof maxLengths, text: string = ''): void {
  const most = maxLengths[member]
  if (!isTooLong(text, most)) return
  throw invalid('Label', member, 'custom', `${member} is too long (maximum is ${most} characters)`)
}

/** The names in `labels`, as texts or as objects with a name. */
function namesIn({ body }: Call): string[] {
  const { labels } = body
  if (!Array.isArray(labels)) throw invalid('Label', 'labels', 'missing_field')
  return labels.map((label: unknown) => {
    const name = isObject(label) ? textIn(label, 'name') : label
    if (typeof name !== 'string' || name === '') throw invalid('Label', 'name', 'invalid')
    checkLength('name', name)
    return name
  })
}

const shapes = ({ world }: Call, { labels, repository }: Issue): object[] =>
  labels.map((label) => labelShape(world, repository, label))
