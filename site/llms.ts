/** Writes `llms.txt` for language models: an index of the pages. The Markdown of each page is beside the page. */
import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Group, guideGroups, type Link, libraryGroups } from './navigation.ts'
import { pages } from './stage.ts'

const summary = [
  '# hookserver',
  '',
  '> Receives GitHub webhooks in TypeScript: verifies each delivery, stores it before the reply, and runs typed handlers until they succeed.',
]

function linesOf(groups: readonly Group[]): string[] {
  return groups.flatMap(({ text, items }) => ['', `## ${text}`, '', ...items.map(lineOf)])
}

function lineOf(item: Group | Link): string {
  if (!('link' in item)) return ''
  return `- [${item.text}](${item.link.slice(1).replace(/\/$/, '/index')}.md)`
}

/** Copies the Markdown of every page beside it. @param dist The folder of the built site. */
export function writeLlms(dist: string): void {
  const reference: Group = {
    text: 'Reference of the command line and the admin API',
    items: [
      { text: 'Command line: all flags', link: '/reference/command-line' },
      { text: 'Admin API: all requests', link: '/reference/admin-api' },
    ],
  }
  const start: Group = { text: 'Start', items: [{ text: 'Introduction', link: '/introduction' }] }
  const lines = [...summary, ...linesOf([start, ...guideGroups(), reference, ...libraryGroups()])]
  writeFileSync(join(dist, 'llms.txt'), `${lines.join('\n')}\n`)
  for (const page of globSync('**/*.md', { cwd: pages })) {
    const text = readFileSync(join(pages, page), 'utf8')
    cpSync(join(pages, page), join(dist, page))
    writeFileSync(join(dist, page), text.replace(/^---\nsource: .*?\n---\n\n/s, ''))
  }
}
