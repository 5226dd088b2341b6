/** Compresses the payloads of `@octokit/webhooks-examples` into one file for `src/samples`. */

import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'

const source = createRequire(import.meta.url).resolve('@octokit/webhooks-examples')
const definitions: { name: string; examples: unknown[] }[] = JSON.parse(readFileSync(source, 'utf8'))
const payloads = Object.fromEntries(definitions.map(({ name, examples }) => [name, examples]))
const compressed = gzipSync(JSON.stringify(payloads), { level: 9 })

writeFileSync('src/samples/payloads.json.gz', compressed)
