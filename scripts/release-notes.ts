/**
 * Prints the notes of a release: the section of its version in CHANGELOG.md, with absolute links.
 *
 *     node scripts/release-notes.ts v1.2.3 https://github.com/<owner>/<repository>
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import manifest from '../package.json' with { type: 'json' }
import { releaseNotes } from './changelog.ts'

const { positionals } = parseArgs({ allowPositionals: true })
const [tag = '', address = ''] = positionals
try {
  const changelog = readFileSync(join(import.meta.dirname, '../CHANGELOG.md'), 'utf8')
  console.log(releaseNotes({ changelog, version: manifest.version, tag, address }))
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
