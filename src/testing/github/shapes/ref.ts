import type { Commit } from '../world/branches.ts'
import type { Repository } from '../world/repository.ts'
import type { World } from '../world/world.ts'
import { commitItem } from './commit.ts'
import { repositoryUrl } from './repository.ts'
import { nodeId } from './user.ts'

/** The commit at the head of a branch. The head before the first commit has no files. */
export function headOf(world: World, repository: Repository, branch: string): Commit {
  const { branches } = world.contentOf(repository)
  const sha = branches.head(branch)
  const { owner: author, createdAt: committedAt } = repository
  return branches.find(sha) ?? { sha, message: 'Initial commit', author, committedAt, parents: [], files: [] }
}

/** A branch in a list. */
export function branchItem(world: World, repository: Repository, name: string): object {
  const { sha } = headOf(world, repository, name)
  return { name, commit: { sha, url: `${repositoryUrl(world, repository)}/commits/${sha}` }, protected: false }
}

/** A single branch. */
export function branchShape(world: World, repository: Repository, name: string): object {
  const url = `${repositoryUrl(world, repository)}/branches/${encodeURIComponent(name)}`
  const html = `${world.origin}/${repository.fullName}/tree/${name}`
  const checks = { enforcement_level: 'off', contexts: [], checks: [] }
  return {
    ...{ name, commit: commitItem(world, repository, headOf(world, repository, name)), _links: { self: url, html } },
    ...{ protected: false, protection: { enabled: false, required_status_checks: checks } },
    protection_url: `${url}/protection`,
  }
}

/** A branch as a ref of Git. */
export function refShape(world: World, repository: Repository, branch: string): object {
  const git = `${repositoryUrl(world, repository)}/git`
  const { sha } = headOf(world, repository, branch)
  return {
    ...{ ref: `refs/heads/${branch}`, node_id: nodeId('Ref', repository.id), url: `${git}/refs/heads/${branch}` },
    object: { type: 'commit', sha, url: `${git}/commits/${sha}` },
  }
}
