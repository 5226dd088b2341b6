/** Writes the pages of the site to `pages`, from the documents of the repository. */
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  documents,
  folderPage,
  isImage,
  pageOf,
  rewriteLinks,
  root,
  sourcePage,
  splitPictures,
  targetsOf,
} from './sources.ts'

export const pages = join(import.meta.dirname, 'pages')

export function writePage(path: string, content: string): void {
  const file = join(pages, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
}

/** Writes the documents, and a page for each source file that they link to. */
export function stageDocuments(): void {
  rmSync(pages, { recursive: true, force: true })
  const written = new Set(documents())
  const linked = new Set<string>()
  for (const source of written) {
    const text = readFileSync(join(root, source), 'utf8')
    writePage(pageOf(source), `---\nsource: ${source}\n---\n\n${rewriteLinks(text, source)}`)
    for (const target of targetsOf(text, source)) linked.add(target)
  }
  cpSync(join(root, 'docs/images'), join(pages, 'images'), { recursive: true })
  cpSync(join(root, 'dashboard/public/icon.svg'), join(pages, 'public/icon.svg'))
  for (const target of linked) if (!written.has(target) && !isImage(target)) stageSource(target)
}

/** Writes the page of a file, or those of a folder with all its files. */
function stageSource(path: string): void {
  if (!statSync(join(root, path)).isDirectory()) {
    writePage(pageOf(path), sourcePage(path, readFileSync(join(root, path), 'utf8')))
    return
  }
  const page = folderPage(path)
  writePage(pageOf(path), page)
  for (const [, name = ''] of page.matchAll(/^- \[(.*?)\]/gm)) stageSource(join(path, name))
}

/** Writes the start page. */
export function stageStart(): void {
  writePage('index.md', startPage(readFileSync(join(root, 'README.md'), 'utf8')))
}

/**
 * The start page. Its example, its commands and its note on installation are those of the README, whose code
 * `npm run check` compiles and runs.
 */
export function startPage(readme: string): string {
  const [, start] = /(^```ts\n\/\/ hooks\.ts\n.*?)^It runs as /ms.exec(readme) ?? []
  if (start === undefined) throw new Error('README.md has no example hooks.ts for the start page')
  const page = readFileSync(join(import.meta.dirname, 'start.md'), 'utf8')
  return splitPictures(page).replace('<!-- example -->', () => start.trimEnd())
}
