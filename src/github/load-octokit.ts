/** The package `octokit`, which is loaded when somebody asks for it, and by nobody else. @throws {Error} if it is missing. */
export async function loadOctokit(): Promise<typeof import('octokit')> {
  try {
    return await import('octokit') // in a `try`, so that bundlers let it pass where it is not installed
  } catch (cause) {
    const text = 'Talking to GitHub needs the package "octokit" beside hookserver: npm install octokit'
    throw new Error(text, { cause })
  }
}
