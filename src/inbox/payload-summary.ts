import { type Json, objectIn, textIn, wholeNumberIn } from '../runtime/json.ts'
import type { PayloadSummary } from './records.ts'

/** The columns of a payload. It may be anybody's JSON: nothing in it is taken for granted. */
export function summarizePayload(data: Json): PayloadSummary {
  const subject = subjects.map((name) => objectIn(data, name)).find(Boolean)
  const run = runs.map((name) => objectIn(data, name)).find(Boolean)
  const head = objectIn(subject, 'head') ?? objectIn(data, 'deployment')
  return truncateTexts({
    action: textIn(data, 'action'),
    repository: textIn(objectIn(data, 'repository'), 'full_name'),
    sender: textIn(objectIn(data, 'sender'), 'login'),
    title:
      textIn(subject, 'title') ??
      textIn(objectIn(data, 'head_commit'), 'message')?.split('\n', 1)[0] ??
      resultOf(data, run) ??
      textIn(subject, 'name') ??
      textIn(data, 'description'),
    ref: textIn(data, 'ref') ?? textIn(run, 'head_branch') ?? textIn(head, 'ref'),
    sha: textIn(data, 'after') ?? textIn(run, 'head_sha') ?? textIn(head, 'sha') ?? textIn(data, 'sha'),
    number: wholeNumberIn(subject, 'number') ?? wholeNumberIn(data, 'number'),
  })
}

/** What a delivery may be about, the most telling first. */
const subjects = ['pull_request', 'issue', 'discussion', 'release', 'milestone', 'label', 'package']

/** What has a result once it has ended. */
const runs = ['workflow_run', 'workflow_job', 'check_run', 'check_suite']

/** What ran and what it came to, `CI: failure`; only what ran, while it runs. */
function resultOf(data: Json, run: Json | undefined): string | undefined {
  const deployment = objectIn(data, 'deployment_status')
  if (deployment) return withResult(textIn(deployment, 'environment'), textIn(deployment, 'state'))
  if (!run) return textIn(data, 'context') && withResult(textIn(data, 'context'), textIn(data, 'state'))
  const name = textIn(run, 'name') ?? textIn(objectIn(run, 'app'), 'name') // a suite's is that of who runs it
  return withResult(name, textIn(run, 'conclusion'))
}

/** However long the name is, the result can be seen. */
function withResult(name: string | undefined, result: string | undefined): string | undefined {
  if (!name || !result) return name || result || undefined
  const rest = `: ${result}`
  return name.slice(0, Math.max(0, maxLength - rest.length)) + rest
}

/** Longer texts are cut: they are to be found by, and the payload has them in full. */
const maxLength = 300

function truncateTexts(facts: PayloadSummary): PayloadSummary {
  const short = ([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' ? value.slice(0, maxLength) : value,
  ]
  return Object.fromEntries(Object.entries(facts).map(short))
}
