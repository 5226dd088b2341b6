import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitepress'
import { picturesOf } from '../diagrams.ts'
import { descriptionOf, titleOf } from '../head.ts'
import { guideGroups, libraryGroups } from '../navigation.ts'
import { anchorOf, basePath, repositoryUrl, root } from '../sources.ts'
import { pages } from '../stage.ts'

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const repository = repositoryUrl(manifest)
const base = basePath(manifest)
const reference = [
  { text: 'Library', link: '/reference/library/' },
  { text: 'Command line: all flags', link: '/reference/command-line' },
  { text: 'Admin API: all requests', link: '/reference/admin-api' },
]
const project = [
  { text: 'Contributing', link: '/contributing' },
  { text: 'Security', link: '/security' },
  { text: 'Changelog', link: '/changelog' },
]

const library = libraryGroups()

export default defineConfig({
  srcDir: 'pages',
  outDir: 'dist',
  base,
  lang: 'en-US',
  title: 'hookserver',
  description: 'Receives GitHub webhooks in TypeScript: verifies, stores and handles each delivery.',
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${base}icon.svg` }]],
  markdown: {
    // The default themes have colors with too little contrast.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    anchor: { slugify: anchorOf },
    attrs: { disable: true },
    languageAlias: { haproxy: 'nginx' },
    // Vue would evaluate `{{ … }}` in code, except in a fenced block.
    config({ renderer }) {
      const render = renderer.rules.code_inline
      renderer.rules.code_inline = (tokens, index, ...rest) => {
        tokens[index]?.attrSet('v-pre', '')
        return render?.(tokens, index, ...rest) ?? ''
      }
      // A reader without a mouse scrolls a block of code that has the focus. VitePress does so for fenced ones.
      const { code_block: block } = renderer.rules
      renderer.rules.code_block = (tokens, index, ...rest) => {
        tokens[index]?.attrSet('tabindex', '0')
        return block?.(tokens, index, ...rest) ?? ''
      }
      const { fence } = renderer.rules
      renderer.rules.fence = (tokens, index, ...rest) => {
        const token = tokens[index]
        return token?.info === 'mermaid' ? picturesOf(token.content) : (fence?.(tokens, index, ...rest) ?? '')
      }
    },
  },
  themeConfig: {
    logo: '/icon.svg',
    outline: [2, 3],
    nav: [
      { text: 'Guides', link: '/documentation' },
      {
        text: 'Reference',
        items: [{ text: 'Class Hooks', link: '/reference/library/hookserver/classes/Hooks' }, ...reference],
      },
      {
        text: manifest.version,
        items: [
          { text: 'Changelog', link: '/changelog' },
          { text: 'Upgrading', link: '/guides/upgrading' },
          ...(repository ? [{ text: 'All releases', link: `${repository}/releases` }] : []),
        ],
      },
    ],
    sidebar: {
      ...Object.fromEntries(library.map((group) => [group.path, [{ text: 'Reference', items: reference }, group]])),
      '/reference/': [{ text: 'Reference', items: reference }],
      '/': [
        {
          text: 'hookserver',
          items: [
            { text: 'Introduction', link: '/introduction' },
            { text: 'All pages', link: '/documentation' },
          ],
        },
        ...guideGroups(),
        { text: 'Generated reference', items: reference },
        { text: 'Project', items: project },
      ],
    },
    search: {
      provider: 'local',
      options: {
        miniSearch: {
          searchOptions: {
            // The words of a question that most pages have say nothing about the answer.
            processTerm: (term: string) => {
              if (/^(?:a|an|can|do|does|how|i|in|is|of|the|to|what)$/i.test(term)) return null
              return /^replay/i.test(term) ? ['replay', 'retry'] : term.toLowerCase()
            },
            // Guides and recipes answer a task. The reference repeats its terms on many pages.
            boostDocument: (id: string) =>
              /\/(guides|cookbook)\//.test(id) ? 2 : /\/reference\/|\/decisions|\/changelog/.test(id) ? 0.3 : 1,
          },
        },
      },
    },
    ...(repository && {
      socialLinks: [{ icon: 'github', link: repository }],
      editLink: { text: 'Edit this page', pattern: `${repository}/edit/main/:path` },
    }),
  },
  transformPageData({ frontmatter, relativePath, title: heading }) {
    if (frontmatter.layout === 'home') return { frontmatter: { ...frontmatter, editLink: false } }
    const title = titleOf(heading, relativePath)
    const text = descriptionOf(readFileSync(join(pages, relativePath), 'utf8'))
    const head = { title, description: text || `${title}, in the documentation of hookserver.` }
    // Generated pages have no source that a reader could edit.
    const source = frontmatter.source
      ? { filePath: frontmatter.source }
      : { frontmatter: { ...frontmatter, editLink: false } }
    return { ...head, ...source }
  },
})
