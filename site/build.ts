/**
 * `npm run docs`: builds the documentation site in `site/dist`, and checks it. `-- --serve` then serves it on this machine
 * until you press Ctrl+C.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkSite } from './check.ts'
import { drawDiagrams } from './diagrams.ts'
import { writeLlms } from './llms.ts'
import { adminApiPage } from './reference/admin-api.ts'
import { commandLinePage } from './reference/command-line.ts'
import { writeLibrary } from './reference/library.ts'
import { basePath, root } from './sources.ts'
import { stageDocuments, stageStart, writePage } from './stage.ts'
import { serveFolder } from './static-server.ts'

const site = import.meta.dirname
const dist = join(site, 'dist')

stageDocuments()
stageStart()
writeLibrary()
writePage('reference/command-line.md', commandLinePage())
writePage('reference/admin-api.md', await adminApiPage())
await drawDiagrams()
// Fails on a link to a page that does not exist.
execFileSync(join(site, 'node_modules/.bin/vitepress'), ['build', site], { stdio: 'inherit' })
writeLlms(dist)
const base = basePath(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
await checkSite(dist, base)
if (process.argv.includes('--serve')) console.log(`docs: ${(await serveFolder(dist, base)).url}`)
