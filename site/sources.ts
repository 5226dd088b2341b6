/** Maps the documents of the repository to the pages of the site, and rewrites the links between them. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, posix } from 'node:path'

export const root = join(import.meta.dirname, '..')

/** Documents outside `docs`, and the index of `docs`, which has the name of a README on GitHub. */
const renamed: Readonly<Record<string, string>> = {
  'README.md': 'introduction.md',
  'CHANGELOG.md': 'changelog.md',
  'CONTRIBUTING.md': 'contributing.md',
  'SECURITY.md': 'security.md',
  'docs/README.md': 'documentation.md',
}

/** The documents of the site, as paths in the repository. */
export function documents(): string[] {
  const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  const names = inDocs.filter((file) => file.endsWith('.md')).map((file) => posix.join('docs', file))
  return [...new Set([...Object.keys(renamed), ...names])]
}

/**
 * The page that shows a file or folder of the repository. Documents keep their path below `docs`. Other files, such as
 * examples, have a page with their source, so that their links work whatever the address of the repository is.
 */
export function pageOf(source: string): string {
  const known = renamed[source]
  if (known !== undefined) return known
  if (source.startsWith('docs/') && source.endsWith('.md')) return source.slice('docs/'.length)
  if (statSync(join(root, source)).isDirectory()) return posix.join(source, 'index.md')
  // VitePress ignores files whose name starts with a dot.
  return posix.join(dirname(source), `${basename(source).replace(/^\./, '')}.md`)
}

/** A Markdown link or image: the text in brackets, the path, and the anchor. Links with a scheme do not match. */
const link = /(!?\[[^\]]*\]\()(?![a-z]+:)([^)#\s]+)(#[^)\s]+)?\)/gs

/** A picture in HTML with one file for dark and one for light pages. */
const picture =
  /<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">\s*<img src="([^"]+)" (alt="[^"]*")>\s*<\/picture>/g

/** The path of a file in HTML. */
const address = /(src=")(?![a-z]+:)([^"]+)"/g

/**
 * Makes pictures follow the switch of the site for light and dark. GitHub needs `<picture>`, which follows the setting of the
 * system.
 */
export function splitPictures(text: string): string {
  const image = (theme: string, path: string, alt: string) =>
    `<img class="${theme}-only" loading="lazy" src="${path}" ${alt}>`
  return text.replace(
    picture,
    (_, dark: string, light: string, alt: string) => image('light', light, alt) + image('dark', dark, alt),
  )
}

/** Applies a function to the parts of a Markdown text that are not fenced code blocks. */
function outsideCode(text: string, change: (part: string) => string): string {
  return text
    .split(/(^ *```.*?^ *```$)/gms)
    .map((part, index) => (index % 2 === 0 ? change(part) : part))
    .join('')
}

/** The files and folders of the repository that a document links to. */
export function targetsOf(text: string, source: string): string[] {
  const targets: string[] = []
  outsideCode(text, (part) => {
    for (const [, , path = ''] of part.matchAll(link)) targets.push(posix.join(dirname(source), path))
    return part
  })
  return targets.map((target) => target.replace(/\/$/, ''))
}

/** Makes the links of a document point to the pages of the site. @param source The document's path in the repository. */
export function rewriteLinks(text: string, source: string): string {
  const from = posix.dirname(pageOf(source))
  const rewritten = (path: string) => {
    const target = posix.join(dirname(source), path).replace(/\/$/, '')
    const page = isImage(target) ? target.replace(/^docs\//, '') : pageOf(target)
    const relative = posix.relative(from, page)
    return relative.startsWith('.') ? relative : `./${relative}`
  }
  return outsideCode(text, (part) =>
    splitPictures(part)
      .replace(link, (_, start: string, path: string, anchor = '') => `${start}${rewritten(path)}${anchor})`)
      .replace(address, (_, start: string, path: string) => `${start}${rewritten(path)}"`),
  )
}

export const isImage = (file: string): boolean => /\.(png|svg)$/.test(file)

const languages: Readonly<Record<string, string>> = {
  '.json': 'json',
  '.service': 'ini',
  '.tf': 'hcl',
  '.toml': 'toml',
  '.ts': 'ts',
  '.yaml': 'yaml',
  '.yml': 'yaml',
  '.conf': 'nginx',
}

/** The page of a source file. */
export function sourcePage(file: string, content: string): string {
  const language = languages[extname(file)] ?? (basename(file) === 'Dockerfile' ? 'docker' : 'text')
  return `# ${file}\n\n\`\`\`\`${language}\n${content.trimEnd()}\n\`\`\`\`\n`
}

/** The page of a folder: links to its files and folders. */
export function folderPage(folder: string): string {
  const names = readdirSync(join(root, folder)).filter((name) => existsSync(join(root, folder, name)))
  const items = names.map((name) => `- [${name}](./${posix.relative(folder, pageOf(posix.join(folder, name)))})`)
  return `# ${folder}\n\n${items.join('\n')}\n`
}

/** The anchor of a heading on GitHub. The site uses the same, so that links work in both places. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replaceAll(' ', '-')
}

/** Where the repository is, such as `https://github.com/<owner>/<name>`, or `undefined` if package.json does not say. */
export function repositoryUrl(manifest: { repository?: string | { url: string } | undefined }): string | undefined {
  const { repository } = manifest
  const url = typeof repository === 'object' ? repository.url : repository
  return url
    ?.replace(/^git\+/, '')
    .replace(/\.git$/, '')
    .replace(/^github:/, 'https://github.com/')
}

/** The path of the site on its host: that of `homepage`, or `/` if package.json has none. It ends with a slash. */
export function basePath(manifest: { homepage?: string | undefined }): string {
  return manifest.homepage ? new URL(manifest.homepage).pathname.replace(/\/?$/, '/') : '/'
}
