/**
 * Checks code, comments, messages and documents for retired phrases (see `language/phrases.ts`), and prints the place of
 * each, the phrase and the words to use. Arguments are files to check instead of the whole repository. cspell checks the
 * spelling and the single words.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { findRetired } from './language/phrases.ts'

const folders = ['src', 'dashboard', 'docs', 'test', 'bench', 'scripts', 'examples']
const texts = /\.(tsx?|jsx?|md|sql|css|html|ya?ml|json|service|conf)$|file$/i
/** Files with texts of others or of programs, and the files that contain the phrases themselves. */
const ignored = [
  /(^|\/)(node_modules|__snapshots__|package-lock\.json)(\/|$)/,
  /^test\/testing\/github\/api\.github\.com\.json$/,
  /^(cspell\.json|scripts\/language\/.*)$/,
  /^test\/language\.test\.ts$/,
]

const root = join(import.meta.dirname, '..')

function filesIn(folder: string, recursive: boolean): string[] {
  return readdirSync(join(root, folder), { recursive, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(root, join(parentPath, name)).replaceAll('\\', '/'))
}

function allFiles(): string[] {
  const files = [...folders.flatMap((folder) => filesIn(folder, true)), ...filesIn('.', false)]
  return files.filter((file) => texts.test(file) && !ignored.some((pattern) => pattern.test(file)))
}

const given = process.argv.slice(2)
const files = given.length > 0 ? given : allFiles()
let hits = 0
for (const file of files) {
  for (const { line, phrase, use } of findRetired(readFileSync(join(root, file), 'utf8'))) {
    console.error(`${file}:${line}: "${phrase}" is retired. Use: ${use}`)
    hits++
  }
}
console.log(`language: ${files.length} files, ${hits} retired phrases`)
process.exitCode = hits > 0 ? 1 : 0
