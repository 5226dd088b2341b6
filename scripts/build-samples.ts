/** Compresses the payloads of `@octokit/webhooks-examples` into one file for `src/samples`. */

import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { brotliCompressSync, constants } from 'node:zlib'

interface Payload {
  action?: string
  ref?: string
  ref_type?: string
  commits?: unknown[]
  repository?: { default_branch?: string }
}

/** The actions that users expect first. For an event with none of them, the order of the package stays. */
const expectedActions = ['opened', 'completed', 'published', 'created', 'added', 'submitted']

/** The sample with the lowest number is the first of its event. Without it, the first `push` would delete a tag. */
function position({ action, ref, ref_type, commits, repository }: Payload): number {
  if (commits) return commits.length > 0 && ref === `refs/heads/${repository?.default_branch}` ? 0 : 1
  if (ref_type) return ref_type === 'branch' ? 0 : 1
  const index = expectedActions.indexOf(action ?? '')
  return index < 0 ? expectedActions.length : index
}

const source = createRequire(import.meta.url).resolve('@octokit/webhooks-examples')
const definitions: { name: string; examples: Payload[] }[] = JSON.parse(readFileSync(source, 'utf8'))
const payloads = Object.fromEntries(
  definitions.map(({ name, examples }) => [name, examples.toSorted((a, b) => position(a) - position(b))]),
)
// The highest quality takes twenty times as long, and saves 2 kB.
const compressed = brotliCompressSync(JSON.stringify(payloads), { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })

writeFileSync('src/samples/payloads.json.br', compressed)
