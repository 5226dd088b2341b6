/** The documents of the repository become pages of the documentation site. */
import { existsSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { descriptionOf, titleOf } from '../site/head.ts'
import { basePath, documents, pageOf, repositoryUrl, rewriteLinks, root, targetsOf } from '../site/sources.ts'
import { startPage } from '../site/stage.ts'

test('gives each document and each file that it links to a page of its own', () => {
  const linked = documents().flatMap((source) => targetsOf(readFileSync(join(root, source), 'utf8'), source))
  const sources = [...new Set([...documents(), ...linked])]
  const pages = sources.map(pageOf)
  expect(new Set(pages).size).toBe(sources.length)
  for (const source of sources) expect(existsSync(join(root, source)), source).toBe(true)
})

test.each([
  ['docs/guides/inbox.md', '[s](../sqlite.md#options)', '[s](./../sqlite.md#options)'],
  ['docs/guides/inbox.md', '[r](../../README.md)', '[r](./../introduction.md)'],
  ['docs/guides/running.md', '[d](../../examples/deploy)', '[d](./../examples/deploy/index.md)'],
  ['README.md', '[d](docs/README.md)', '[d](./documentation.md)'],
  ['README.md', '<img src="docs/images/a.png" alt="b">', '<img src="./images/a.png" alt="b">'],
  [
    'README.md',
    '<picture>\n  <source media="(prefers-color-scheme: dark)" srcset="docs/images/a-dark.png">\n  <img src="docs/images/a-light.png" alt="b">\n</picture>',
    '<img class="light-only" loading="lazy" src="./images/a-light.png" alt="b"><img class="dark-only" loading="lazy" src="./images/a-dark.png" alt="b">',
  ],
  [
    'README.md',
    '![A list,\nin two lines](docs/images/deliveries.png)',
    '![A list,\nin two lines](./images/deliveries.png)',
  ],
  ['README.md', '[o](https://example.org/docs/x.md) [a](#more)', '[o](https://example.org/docs/x.md) [a](#more)'],
  ['README.md', '```ts\n// [a](docs/api.md)\n```\n', '```ts\n// [a](docs/api.md)\n```\n'],
])('rewrites the links of %s', (source, text, expected) => {
  expect(rewriteLinks(text, source).replaceAll('./../', '../')).toBe(expected.replaceAll('./../', '../'))
})

test('shows the example and the commands of the README on the start page', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const [top = ''] = readme.split('\n## ')
  const blocks = [...top.matchAll(/^```(?:ts|sh)\n.*?^```$/gms)].map(([block]) => block)
  expect(blocks).toHaveLength(2)
  const page = startPage(readme)
  for (const block of blocks) expect(page).toContain(block)
  expect(page).toContain('\nhookserver is not on npm yet.')
  expect(page.match(/^```/gm)).toHaveLength(4)
})

test.each([
  ['---\nsource: a.md\n---\n\n# Inbox\n\nAn [inbox](b.md) stores\n`bytes`:\n\nMore.', 'An inbox stores bytes.'],
  ['# f()\n\n```ts\nfunction f(): void\n\n```\n\nCalls nothing.', 'Calls nothing.'],
  ['# T\n\n<picture>\n</picture>\n\n| a |\n|---|\n\n- item\n\nText.', 'Text.'],
  ['# examples/a.ts\n\n````ts\ncode\n````\n', ''],
  [`# Long\n\n${'word '.repeat(60)}`, `${'word '.repeat(31)}word…`],
])('describes a page by its first paragraph: %j', (page, expected) => {
  expect(descriptionOf(page)).toBe(expected)
})

test.each(documents())('%s begins with a paragraph that describes it', (source) => {
  expect(descriptionOf(readFileSync(join(root, source), 'utf8')).length).toBeGreaterThan(30)
})

test.each([
  ['Testing', 'guides/testing.md', 'Testing'],
  ['Function: run()', 'reference/library/testing/functions/run.md', 'Function: run() of hookserver/testing'],
  ['Class: Hooks', 'reference/library/hookserver/classes/Hooks.md', 'Class: Hooks of hookserver'],
  ['hookserver/web', 'reference/library/web/index.md', 'Exports of hookserver/web'],
])('gives the page %s at %s the title %s', (heading, path, title) => {
  expect(titleOf(heading, path)).toBe(title)
})

test.each([
  [{}, undefined],
  [{ repository: 'github:octo/hooks' }, 'https://github.com/octo/hooks'],
  [{ repository: { url: 'git+https://github.com/octo/hooks.git' } }, 'https://github.com/octo/hooks'],
])('reads the address of the repository from %j', (manifest, url) => {
  expect(repositoryUrl(manifest)).toBe(url)
})

test.each([
  [{}, '/'],
  [{ homepage: 'https://octo.example' }, '/'],
  [{ homepage: 'https://octo.example/hooks' }, '/hooks/'],
  [{ homepage: 'https://octo.example/hooks/' }, '/hooks/'],
])('reads the path of the site from %j', (manifest, path) => {
  expect(basePath(manifest)).toBe(path)
})

test.each(documents())('the TypeScript in %s has no syntax error', (source) => {
  const text = readFileSync(join(root, source), 'utf8')
  for (const [, code = ''] of text.matchAll(/^ *```ts\n(.*?)^ *```$/gms)) {
    expect(() => stripTypeScriptTypes(code), code).not.toThrow()
  }
})
