/** The versions of Node.js that hookserver runs on: `engines` in package.json. A test compares the two. */
export const nodeVersions = '^22.20 || >=24.7'

/**
 * Why hookserver cannot run on this version of Node.js. `undefined` if it can. Older versions do not bind the parameter `?1`
 * of an SQLite statement by its position.
 * @param isNode False for Bun and Deno, which bind it, although they give the number of an older Node.js.
 */
export function nodeVersionProblem(
  version: string = process.versions.node,
  isNode: boolean = !('bun' in process.versions || 'deno' in process.versions),
): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isOld = major < 22 || (major === 22 && minor < 20)
  const lacksBinding = isNode && (major === 23 || (major === 24 && minor < 7))
  if (!isOld && !lacksBinding) return undefined
  return `hookserver needs Node.js 24.7 or later, or 22.20 or later of Node.js 22; this is ${version}.`
}

/** @throws {Error} that names the version that is needed. */
export function assertNodeVersion(): void {
  const problem = nodeVersionProblem()
  if (problem !== undefined) throw new Error(problem)
}
