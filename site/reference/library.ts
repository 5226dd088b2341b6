/** The reference of the library, which typedoc writes from the types of the package. */
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { root } from '../sources.ts'
import { pages } from '../stage.ts'

const site = join(root, 'site')
export const library = join(pages, 'reference/library')

/**
 * Writes a page for every exported name, in a folder for each entry point of package.json. typedoc calls the main entry
 * point `_`, and all others by the end of their names.
 */
export function writeLibrary(): void {
  const options = ['--options', join(site, 'typedoc.json')]
  execFileSync(join(site, 'node_modules/.bin/typedoc'), options, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  renameSync(join(library, '_'), join(library, 'hookserver'))
  for (const file of globSync('**/*.md', { cwd: library })) {
    const path = join(library, file)
    const text = readFileSync(path, 'utf8').replace(/(\]\((?:\.\.\/)*)_\//g, '$1hookserver/')
    writeFileSync(path, withTitle(text, relative(library, path)))
  }
}

/** Names an entry point as an import does. */
function withTitle(text: string, file: string): string {
  if (file === 'index.md')
    return text.replace('- [](', '- [hookserver](').replace(/- \[(?!hookserver)/g, '- [hookserver/')
  const [folder = '', ...rest] = file.split(sep)
  const name = folder === 'hookserver' ? folder : `hookserver/${folder}`
  return rest.join('/') === 'index.md' ? text.replace(/^# .*$/m, `# ${name}`) : text
}
