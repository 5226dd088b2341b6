import { pushedCommit } from '../events.ts'
import { digitsIn, type Json, objectIn, textIn } from '../runtime/json.ts'

/** The ref and the commit that a delivery is about. */
export interface Target {
  /** The full ref: `refs/heads/<branch>`, `refs/tags/<tag>`, `refs/pull/<number>/head`. */
  ref: string | undefined
  /** The commit, in hexadecimal. */
  sha: string | undefined
  /** Whether the ref was deleted. */
  deleted: boolean
}

/**
 * The rules of `git check-ref-format`. No component is empty, begins with a dot or ends with `.lock`. The ref does not
 * end with a dot, and contains neither `..` nor `@{`, nor any of the listed characters.
 */
const refForm = /^refs(?:\/(?!\.)(?:(?!\.\.|@\{|\.lock(?:\/|$)|\.$)[^\0-\x20\x7f~^:?*[\\/])+)+$/
/** Maximum characters of a ref, so that a script may use it in a path. */
const maxRefLength = 1005

/** Whether git accepts this as a full ref. */
export const isRef = (text: string): boolean => text.length <= maxRefLength && refForm.test(text)

const shaForm = /^(?!0+$)(?:[0-9a-f]{40}|[0-9a-f]{64})$/
const zeros = /^0{40,}$/

/** The target of a delivery. A malformed ref or commit becomes `undefined`. */
export function targetOf(event: string, data: Json): Target {
  const [ref, sha] = [refIn(data), shaIn(data)]
  return {
    ref: ref !== undefined && isRef(ref) ? ref : undefined,
    sha: sha !== undefined && shaForm.test(sha) ? sha : undefined,
    deleted: event === 'delete' || data.deleted === true || zeros.test(textIn(data, 'after') ?? ''),
  }
}

/**
 * The ref of a push, a created or deleted branch or tag, a release, a workflow run, a pull request or a merge group.
 *
 * Names of branches in a fork are ignored. The author of a pull request from a fork can choose any name for the branch,
 * even `main`, and GitHub signs deliveries with that name in the payload (`pull_request.head.ref`,
 * `workflow_run.head_branch`, `check_suite.head_branch`).
 */
function refIn(data: Json): string | undefined {
  const ref = textIn(data, 'ref')
  const type = textIn(data, 'ref_type') // of `create` and `delete`, whose `ref` is a short name
  if (ref !== undefined) return type === undefined ? ref : `refs/${type === 'tag' ? 'tags' : 'heads'}/${ref}`
  const number = digitsIn(objectIn(data, 'pull_request'), 'number')
  if (number !== undefined) return `refs/pull/${number}/head`
  const tag = textIn(objectIn(data, 'release'), 'tag_name')
  if (tag !== undefined) return `refs/tags/${tag}`
  const run = objectIn(data, 'workflow_run')
  const branch = textIn(run, 'head_branch')
  return branch !== undefined && isOwnBranch(run)
    ? `refs/heads/${branch}`
    : textIn(objectIn(data, 'merge_group'), 'head_ref')
}

/** Whether a workflow ran for a branch of the repository itself, and not for a pull request or another event. */
function isOwnBranch(run: Json | undefined): boolean {
  const [repository, head] = ['repository', 'head_repository'].map((name) => textIn(objectIn(run, name), 'full_name'))
  const trigger = textIn(run, 'event')
  return head !== undefined && head === repository && ['push', 'schedule', 'workflow_dispatch'].includes(trigger ?? '')
}

function shaIn(data: Json): string | undefined {
  const runs = ['workflow_run', 'workflow_job', 'check_run', 'check_suite', 'merge_group']
  return (
    pushedCommit(data) ??
    textIn(objectIn(objectIn(data, 'pull_request'), 'head'), 'sha') ??
    runs.map((name) => textIn(objectIn(data, name), 'head_sha')).find((sha) => sha !== undefined) ??
    textIn(objectIn(data, 'deployment'), 'sha') ??
    textIn(data, 'sha') // of `status`
  )
}

/** Why a program for `branches` does not run. `undefined` if it runs. */
export function reasonToSkip(branches: readonly string[], { ref, deleted }: Target, event: string): string | undefined {
  if (ref === undefined) return `the branch of this ${event} delivery is unknown`
  if (deleted) return `${ref} was deleted`
  if (branches.some((branch) => ref === `refs/heads/${branch}`)) return undefined
  return `${ref} is not ${branches.join(' or ')}`
}
