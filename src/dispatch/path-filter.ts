import { glob } from './glob.ts'

/**
 * A function that tells whether a path matches. The last pattern that matches the path decides, and a pattern with `!`
 * excludes, as in the path filters of GitHub Actions.
 */
export function pathFilter(patterns: readonly string[]): (path: string) => boolean {
  const filters = patterns.map((pattern) => {
    const isExcluded = pattern.startsWith('!')
    return { isExcluded, matches: glob(isExcluded ? pattern.slice(1) : pattern) }
  })
  return (path) => filters.findLast(({ matches }) => matches(path))?.isExcluded === false
}
