import { type Json, objectIn, textIn, wholeNumberIn } from '../json.ts'
import type { Facts } from './records.ts'

/** The columns of a payload. It may be anybody's JSON: nothing in it is taken for granted. */
export function factsOf(data: Json): Facts {
  const subject = subjects.map((name) => objectIn(data, name)).find(Boolean)
  const workflow = objectIn(data, 'workflow_run') ?? objectIn(data, 'check_run') ?? objectIn(data, 'check_suite')
  const head = objectIn(subject, 'head') ?? objectIn(data, 'deployment')
  return cut({
    action: textIn(data, 'action'),
    repository: textIn(objectIn(data, 'repository'), 'full_name'),
    sender: textIn(objectIn(data, 'sender'), 'login'),
    title:
      textIn(subject, 'title') ??
      textIn(objectIn(data, 'head_commit'), 'message')?.split('\n', 1)[0] ??
      textIn(workflow, 'name') ??
      textIn(subject, 'name') ??
      textIn(data, 'description'),
    ref: textIn(data, 'ref') ?? textIn(workflow, 'head_branch') ?? textIn(head, 'ref'),
    sha: textIn(data, 'after') ?? textIn(workflow, 'head_sha') ?? textIn(head, 'sha') ?? textIn(data, 'sha'),
    number: wholeNumberIn(subject, 'number') ?? wholeNumberIn(data, 'number'),
  })
}

/** What a delivery may be about, the most telling first. */
const subjects = ['pull_request', 'issue', 'discussion', 'release', 'milestone', 'label', 'package', 'workflow_job']

/** Longer texts are cut: they are to be found by, and the payload has them in full. */
const longest = 300

function cut(facts: Facts): Facts {
  const short = ([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' ? value.slice(0, longest) : value,
  ]
  return Object.fromEntries(Object.entries(facts).map(short))
}
