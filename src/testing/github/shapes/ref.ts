import type { Commit, TagObject } from '../world/branches.ts'
import type { Repository } from '../world/repository.ts'
import type { World } from '../world/world.ts'
import { commitItem, verification } from './commit.ts'
import { repositoryUrl } from './repository.ts'
import { nodeId } from './user.ts'

/** The commit with a SHA. The head of a branch before its first commit has no files. */
export function commitOf(world: World, repository: Repository, sha: string): Commit {
  const { owner: author, createdAt: committedAt } = repository
  const first = { sha, message: 'Initial commit', author, committedAt, parents: [], files: [] }
  return world.contentOf(repository).branches.find(sha) ?? first
}

/** A branch in a list. */
export function branchItem(world: World, repository: Repository, name: string): object {
  const sha = world.contentOf(repository).branches.head(name)
  return { name, commit: { sha, url: `${repositoryUrl(world, repository)}/commits/${sha}` }, protected: false }
}

/** A single branch. */
export function branchShape(world: World, repository: Repository, name: string): object {
  const url = `${repositoryUrl(world, repository)}/branches/${encodeURIComponent(name)}`
  const html = `${world.origin}/${repository.fullName}/tree/${name}`
  const head = commitOf(world, repository, world.contentOf(repository).branches.head(name))
  const checks = { enforcement_level: 'off', contexts: [], checks: [] }
  return {
    ...{ name, commit: commitItem(world, repository, head), _links: { self: url, html } },
    ...{ protected: false, protection: { enabled: false, required_status_checks: checks } },
    protection_url: `${url}/protection`,
  }
}

/** The name of a branch or a tag in Git: `refs/heads/main`, `refs/tags/v1`. */
export interface RefName {
  kind: 'heads' | 'tags'
  name: string
}

/** A branch or a tag as a ref of Git. */
export function refShape(world: World, repository: Repository, { kind, name }: RefName): object {
  const git = `${repositoryUrl(world, repository)}/git`
  const { branches } = world.contentOf(repository)
  const sha = (kind === 'heads' ? branches.head(name) : branches.tags.get(name)) ?? ''
  const type = branches.tagObjects.has(sha) ? 'tag' : 'commit'
  return {
    ...{ ref: `refs/${kind}/${name}`, node_id: nodeId('Ref', repository.id), url: `${git}/refs/${kind}/${name}` },
    object: { type, sha, url: `${git}/${type}s/${sha}` },
  }
}

/** A tag in a list. */
export function tagItem(world: World, repository: Repository, name: string): object {
  const root = repositoryUrl(world, repository)
  const { branches } = world.contentOf(repository)
  const sha = branches.commitOf(branches.tags.get(name) ?? '')
  const address = (format: string) => `${root}/${format}/refs/tags/${name}`
  return {
    ...{ name, commit: { sha, url: `${root}/commits/${sha}` }, node_id: nodeId('Ref', repository.id) },
    ...{ zipball_url: address('zipball'), tarball_url: address('tarball') },
  }
}

/** An annotated tag. */
export function tagObjectShape(world: World, repository: Repository, { sha, object, ...tag }: TagObject): object {
  const git = `${repositoryUrl(world, repository)}/git`
  return {
    ...{ sha, node_id: nodeId('Tag', repository.id), url: `${git}/tags/${sha}`, ...tag },
    ...{ object: { sha: object, type: 'commit', url: `${git}/commits/${object}` }, verification },
  }
}
