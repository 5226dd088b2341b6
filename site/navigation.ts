/** The navigation of the site, from the index of the documentation and the pages of the reference. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { pages } from './stage.ts'

export interface Group {
  text: string
  items: (Group | Link)[]
}

export interface Link {
  text: string
  link: string
}

/** The title of a page: its first heading. */
export function titleOf(page: string): string {
  const [, title = page] = /^# (.*)$/m.exec(readFileSync(join(pages, page), 'utf8')) ?? []
  return title.replaceAll('`', '')
}

const linkTo = (page: string): Link => ({ text: titleOf(page), link: `/${page.replace(/(index)?\.md$/, '')}` })

/** The pages that a text of documentation.md links to in its tables and lists, in order. */
function linksIn(text: string): Link[] {
  const paths = [...text.matchAll(/\]\(\.\/([^)#]+\.md)\)/g)].map(([, path = '']) => path)
  return [...new Set(paths)].map(linkTo)
}

/** A group for every section of documentation.md that has links. */
export function guideGroups(): Group[] {
  const index = readFileSync(join(pages, 'documentation.md'), 'utf8')
  const sections = index.split(/^##+ /m).slice(1)
  return sections.flatMap((section) => {
    const items = linksIn(section)
    const text = section.split('\n', 1)[0] ?? ''
    return items.length > 0 ? [{ text, items }] : []
  })
}

const kinds = ['classes', 'functions', 'interfaces', 'type-aliases', 'variables']

/** The pages of the library: a group for each entry point, with the path that all its pages have in common. */
export function libraryGroups(): (Group & { path: string })[] {
  const library = 'reference/library'
  const folders = [...readFileSync(join(pages, library, 'index.md'), 'utf8').matchAll(/\]\(([\w-]+)\/index\.md\)/g)]
  const names = folders.map(([, folder = '']) => folder)
  const ordered = ['hookserver', ...names.filter((name) => name !== 'hookserver').toSorted()]
  return ordered.map((name) => {
    const folder = posix.join(library, name)
    const entry = existsSync(join(pages, folder, 'index.md')) ? [linkTo(posix.join(folder, 'index.md'))] : []
    const members = kinds.flatMap((kind) => globSync(`${folder}/${kind}/*.md`, { cwd: pages }).toSorted())
    const items = members.map((page) => ({ ...linkTo(page), text: posix.basename(page, '.md') }))
    const text = name === 'hookserver' ? name : `hookserver/${name}`
    return { text, path: `/${folder}/`, items: [...entry, ...items] }
  })
}
