/** The title and the description of a page, which search engines and browsers show. */

/** Search engines show about 160 characters. */
const maxDescription = 160

/** A page without its front matter and its blocks of code, in blocks of Markdown. */
const blocksOf = (markdown: string): string[] =>
  markdown
    .replace(/^---\n.*?\n---\n/s, '')
    .replace(/^(`{3,}).*?^\1$/gms, '')
    .split(/\n{2,}/)
    .map((block) => block.trim())

/** The beginning of the first paragraph, as plain text. Empty for a page without a paragraph, such as that of a program. */
export function descriptionOf(markdown: string): string {
  const paragraph = blocksOf(markdown).find((block) => /^(?![#|<>-]|\d+\. )\S/.test(block)) ?? ''
  const text = paragraph
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[`*\\]/g, '')
    .replace(/\s+/g, ' ')
    .replace(/:$/, '.')
  if (text.length <= maxDescription) return text
  return `${text.slice(0, text.lastIndexOf(' ', maxDescription - 1))}…`
}

/** The title of a page: several entry points have a member with the same name. @param path Such as `guides/inbox.md`. */
export function titleOf(title: string, path: string): string {
  const [, folder, page] = /^reference\/library\/([^/]+)\/(.*)$/.exec(path) ?? []
  if (folder === undefined) return title
  const entryPoint = folder === 'hookserver' ? folder : `hookserver/${folder}`
  return page === 'index.md' ? `Exports of ${entryPoint}` : `${title} of ${entryPoint}`
}
