import { type Json, objectIn, textIn } from '../../src/runtime/json.ts'
import { safeLink } from '../ui/text.ts'

/** Objects for which GitHub has a page, most specific first. */
const subjects = [
  ...['comment', 'review', 'alert', 'pull_request', 'issue', 'discussion', 'answer', 'release', 'check_run'],
  ...['workflow_job', 'workflow_run', 'milestone', 'package', 'registry_package', 'forkee', 'project', 'team'],
]

/** The name of the member that the payload is about. */
export const subjectOf = (payload: Json): string | undefined =>
  [...subjects, 'head_commit'].find((name) => objectIn(payload, name))

/**
 * The GitHub page of the most specific object in the payload, or else of the push or commit, or else of the repository,
 * organization or sender. Skips addresses that are not safe to link to. `undefined` if none is left.
 */
export function subjectLink(payload: Json): string | undefined {
  const named = subjects.map((name) => textIn(objectIn(payload, name), 'html_url'))
  const commit = textIn(objectIn(payload, 'head_commit'), 'url')
  const compare = textIn(payload, 'compare')
  const commits = Array.isArray(payload.commits) ? payload.commits.length : 0
  const push = commits > 1 ? (compare ?? commit) : (commit ?? compare)
  const owner = objectIn(payload, 'repository') ?? objectIn(payload, 'organization') ?? objectIn(payload, 'sender')
  const others = [push, textIn(objectIn(payload, 'commit'), 'html_url'), textIn(owner, 'html_url')]
  return [...named, ...others].map(safeLink).find(Boolean)
}
