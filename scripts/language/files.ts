import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const texts = /\.(tsx?|jsx?|md|sql|css|html|ya?ml|json|service|conf)$|file$/i

/** Generated files, files with text by other authors, and the files that contain the phrases themselves. */
const ignored = [
  /(^|\/)(__snapshots__|package-lock\.json)(\/|$)/,
  /^test\/testing\/github\/api\.github\.com\.json$/,
  /^(cspell\.json|scripts\/language\/.*)$/,
  /^test\/language\.test\.ts$/,
]

/** The text files of a repository, including uncommitted files, without files that Git ignores. */
export function textFiles(root: string): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const files = execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\0')
  return files.filter(
    (file) => texts.test(file) && !ignored.some((pattern) => pattern.test(file)) && existsSync(join(root, file)),
  )
}
