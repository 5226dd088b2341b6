import picomatch from 'picomatch/posix.js'

/**
 * A function that tells whether a path matches. The last pattern that matches the path decides, and a pattern with `!`
 * excludes, as in the path filters of GitHub Actions.
 */
export function pathFilter(patterns: readonly string[]): (path: string) => boolean {
  const filters = patterns.map((pattern) => {
    const isExcluded = pattern.startsWith('!')
    const glob = withLiteralParentheses(isExcluded ? pattern.slice(1) : pattern)
    return { isExcluded, matches: picomatch(glob, { dot: true, nonegate: true }) }
  })
  return (path) => filters.findLast(({ matches }) => matches(path))?.isExcluded === false
}

/**
 * Escapes parentheses, which picomatch takes for groups of a regular expression: `(` stands for itself, as in the folders
 * `(marketing)` and `(.)photo` of Next.js. Only after one of `@!+*?`, `(` begins a list of alternatives.
 */
function withLiteralParentheses(glob: string): string {
  const open: boolean[] = []
  return glob.replace(/\\.|[@!+*?]\(|[()]/g, (found) => {
    if (found.startsWith('\\')) return found
    if (found === ')') return open.pop() ? found : '\\)'
    open.push(found !== '(')
    return found === '(' ? '\\(' : found
  })
}
