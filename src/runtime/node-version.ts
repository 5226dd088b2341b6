/** The oldest version of Node.js that hookserver runs on: `engines` in package.json. A test compares the two. */
export const oldestNode = '22.18'

/** Why hookserver cannot run on this version of Node.js. `undefined` if it can. */
export function nodeVersionProblem(version: string = process.versions.node): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = oldestNode.split('.').map(Number)
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined
  return `hookserver needs Node.js ${oldestNode} or later; this is ${version}.`
}

/** @throws {Error} that names the version that is needed. */
export function assertNodeVersion(): void {
  const problem = nodeVersionProblem()
  if (problem !== undefined) throw new Error(problem)
}
