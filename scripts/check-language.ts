/**
 * Checks code, comments, messages and documents for retired phrases (see `language/phrases.ts`), and prints the place of
 * each, the phrase and the words to use. Arguments are files to check instead of the whole repository. cspell checks
 * spelling, and finds retired single words.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { textFiles } from './language/files.ts'
import { findRetired } from './language/phrases.ts'

const root = join(import.meta.dirname, '..')
const given = process.argv.slice(2)
const files = given.length > 0 ? given : textFiles(root)
let hits = 0
for (const file of files) {
  for (const { line, phrase, use } of findRetired(readFileSync(join(root, file), 'utf8'))) {
    console.error(`${file}:${line}: "${phrase}" is retired. Use: ${use}`)
    hits++
  }
}
console.log(`language: ${files.length} files, ${hits} retired phrases`)
process.exitCode = hits > 0 ? 1 : 0
