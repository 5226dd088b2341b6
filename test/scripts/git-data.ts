import { createHash } from 'node:crypto'
import type { LocalGitHub, LocalRouteCall } from '../../src/testing/index.ts'

interface Entry {
  path: string
  type: 'tree' | 'blob'
  sha: string
}

interface Commit {
  message: string
  tree: string
  parents: string[]
}

const created = (sha: string, more: object = {}) => ({ status: 201, body: { sha, ...more } })

/**
 * Adds the part of GitHub's API for Git data that pushes commits. A push is delivered to the webhooks, with the paths of
 * all files that its commits add.
 * @returns The commits of the branches, by their refs.
 */
export function addGitData(github: LocalGitHub, fullName: string): ReadonlyMap<string, string> {
  const trees = new Map<string, string[]>()
  const commits = new Map<string, Commit>()
  const branches = new Map<string, string>()
  const git = '/repos/{owner}/{repo}/git'
  const shaOf = (value: unknown) => createHash('sha1').update(JSON.stringify(value)).digest('hex')

  const filesOf = (sha: string): string[] => trees.get(sha) ?? []
  const added = (id: string) => {
    const { tree, parents } = commits.get(id) as Commit
    const before = new Set(parents.flatMap((parent) => filesOf((commits.get(parent) as Commit).tree)))
    return { id, added: filesOf(tree).filter((path) => !before.has(path)), removed: [], modified: [] }
  }
  const push = (ref: string, before: string | undefined, after: string) => {
    const pushed: string[] = []
    for (let id: string | undefined = after; id !== undefined && id !== before; id = commits.get(id)?.parents[0])
      pushed.unshift(id)
    const repository = { full_name: fullName }
    const payload = { ref, repository, commits: pushed.map(added), head_commit: added(after) }
    void github.deliver('push', payload)
  }
  const setBranch = (ref: string, { sha }: LocalRouteCall['body']) => {
    const before = branches.get(ref)
    branches.set(ref, String(sha))
    push(ref, before, String(sha))
    return { ref, object: { sha } }
  }

  github.route('POST', `${git}/blobs`, ({ body }) => created(shaOf(body)))
  github.route('POST', `${git}/trees`, ({ body }) => {
    const sha = shaOf(body)
    const entries = (body.tree as Entry[]).flatMap(({ path, type, sha: content }) =>
      type === 'blob' ? [path] : filesOf(content).map((file) => `${path}/${file}`),
    )
    trees.set(sha, [...filesOf(String(body.base_tree)), ...entries])
    return created(sha)
  })
  github.route('POST', `${git}/commits`, ({ body }) => {
    const sha = shaOf(body)
    commits.set(sha, body as unknown as Commit)
    return created(sha)
  })
  github.route('POST', `${git}/refs`, ({ body }) => ({ status: 201, body: setBranch(String(body.ref), body) }))
  github.route('PATCH', `${git}/refs/{path}`, ({ parameters, body }) => ({
    body: setBranch(`refs/${parameters.path}`, body),
  }))
  github.route('DELETE', `${git}/refs/{path}`, ({ parameters }) => {
    return branches.delete(`refs/${parameters.path}`) ? { status: 204 } : { status: 422 }
  })
  github.route('GET', `${git}/matching-refs/{path}`, ({ parameters }) => ({
    body: [...branches.keys()].filter((ref) => ref.startsWith(`refs/${parameters.path}`)).map((ref) => ({ ref })),
  }))
  return branches
}
