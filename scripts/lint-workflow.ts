/** Finds errors in a workflow of GitHub Actions, with GitHub's own parser and schema. Needs no network. */
import { registerHooks } from 'node:module'
import { TextDocument } from 'vscode-languageserver-textdocument'
import { parse } from 'yaml'

// The package imports JSON files in a way that only bundlers accept.
registerHooks({
  load(url, context, next) {
    return next(url, url.endsWith('.json') ? { ...context, importAttributes: { type: 'json' } } : context)
  },
})
const { validate } = await import('@actions/languageservice')
const { clearCache } = await import('@actions/languageservice/utils/workflow-cache')

/** @returns A line for each error, such as `release.yml:4: Unexpected value 'branch'`. */
export async function lintWorkflow(name: string, text: string): Promise<string[]> {
  clearCache() // otherwise a second document with this name gets the errors of the first
  const document = TextDocument.create(`file:///.github/workflows/${name}`, 'yaml', 1, text)
  const found = await validate(document, {})
  const errors = found.map(({ range, message }) => ({ line: range.start.line + 1, message }))
  const sorted = [...errors, ...unpinnedActions(text), ...excessiveRights(text)].toSorted((a, b) => a.line - b.line)
  return sorted.map(({ line, message }) => `${name}:${line}: ${message}`)
}

/**
 * A tag of an action can move to other code. A digest of a commit cannot. The version in the comment is for readers, and
 * Dependabot updates both.
 */
function unpinnedActions(text: string): { line: number; message: string }[] {
  return text.split('\n').flatMap((code, index) => {
    const [, action = ''] = /^\s*(?:- )?uses:\s*(\S.*)$/.exec(code) ?? []
    const isOwn = action === '' || action.startsWith('./')
    if (isOwn || /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action)) return []
    const message = `Pin the action by the digest of a commit, with its version: ${action.replace(/@.*/, '')}@… # v1.2.3`
    return [{ line: index + 1, message }]
  })
}

interface Workflow {
  permissions?: Record<string, string>
  jobs?: Record<string, { steps?: { uses?: string; with?: Record<string, unknown> }[] }>
}

/**
 * Without `permissions`, the token of a workflow may have all rights of the repository's settings. A checkout leaves this
 * token in the folder of the job, where each later program can read it.
 */
function excessiveRights(text: string): { line: number; message: string }[] {
  const { permissions, jobs = {} } = parse(text) as Workflow
  const messages: string[] = []
  const isReadOnly = permissions && Object.values(permissions).every((right) => right === 'read')
  if (!isReadOnly)
    messages.push('Set "permissions" of the workflow to rights to read, and give a job the rights to write')
  for (const [name, { steps = [] }] of Object.entries(jobs)) {
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))
    const keeps = checkouts.some((step) => step.with?.['persist-credentials'] !== false)
    if (keeps) messages.push(`Set "persist-credentials: false" of each checkout in the job "${name}"`)
  }
  return messages.map((message) => ({ line: 1, message }))
}
