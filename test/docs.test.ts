/** The documentation says what the code does: every code, every option, every page that is linked to. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { errorTable } from '../src/errors.ts'
import { resolveOptions } from '../src/settings.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
]

describe('docs/errors.md', () => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `(\w+)` \| (\d+) \| (.*?) \|/gm)]

  test('lists every code with its status and text, and no other', () => {
    const documented = Object.fromEntries(rows.map(([, code = '', status, text]) => [code, [Number(status), text]]))
    expect(documented).toEqual(errorTable)
  })
})

describe('docs/options.md', () => {
  test('lists every option', () => {
    const page = read('docs/options.md')
    for (const option of Object.keys(resolveOptions({ secret: 's' }))) expect(page).toContain(`\n| \`${option}\` |`)
  })
})

describe('links', () => {
  test.each(pages)('%s links to what is there', (page) => {
    const targets = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, target = '']) => target)
    for (const target of targets)
      expect(existsSync(join(root, dirname(page), target)), `${page} -> ${target}`).toBe(true)
  })
})

describe('the repository', () => {
  test('shows its two commands at the top of the README', () => {
    const top = read('README.md').split('## ')[0]
    expect(top).toContain('    npm ci && npm run demo\n')
    expect(top).toContain('    npm test\n')
  })

  test('has a page in the index for each page of docs', () => {
    const index = read('docs/README.md')
    for (const page of pages.filter((one) => one.startsWith('docs/') && one !== 'docs/README.md')) {
      expect(index).toContain(`(${page.slice('docs/'.length)})`)
    }
  })
})
