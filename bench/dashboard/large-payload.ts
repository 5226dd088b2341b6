/** Bytes. GitHub sends at most 25 MB. */
const size = 25_000_000

/** A push with very many commits, as bytes. */
export function largePayload(): Uint8Array {
  const author = { name: 'octocat', username: 'octocat', email: 'octocat@github.com' }
  const commit = (index: number) => ({
    id: index.toString(16).padStart(40, '0'),
    message: `Fix the build, and say why 🚀 (${index})`,
    timestamp: '2026-02-27T20:38:34+01:00',
    ...{ author, committer: author, added: ['src/index.ts'], removed: [], modified: ['package.json'] },
  })
  const count = Math.floor(size / (JSON.stringify(commit(100_000)).length + 5))
  const repository = { full_name: 'acme/shop' }
  const payload = {
    ref: 'refs/heads/main',
    commits: Array.from({ length: count }, (_, index) => commit(index)),
    repository,
  }
  return new TextEncoder().encode(JSON.stringify(payload))
}
