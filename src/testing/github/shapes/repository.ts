import { timestamp } from '../clock.ts'
import type { Repository } from '../world/repository.ts'
import type { World } from '../world/world.ts'
import { nodeId, simpleUser } from './user.ts'

/**
 * The members of a repository that are API addresses, without the suffix `_url`. For example, the value of the member
 * `keys_url` is the API address of the repository, followed by `/keys{/key_id}`.
 */
const below: Record<string, string> = {
  archive: '/{archive_format}{/ref}',
  assignees: '/assignees{/user}',
  blobs: '/git/blobs{/sha}',
  branches: '/branches{/branch}',
  collaborators: '/collaborators{/collaborator}',
  comments: '/comments{/number}',
  commits: '/commits{/sha}',
  compare: '/compare/{base}...{head}',
  contents: '/contents/{+path}',
  contributors: '/contributors',
  deployments: '/deployments',
  downloads: '/downloads',
  events: '/events',
  forks: '/forks',
  git_commits: '/git/commits{/sha}',
  git_refs: '/git/refs{/sha}',
  git_tags: '/git/tags{/sha}',
  hooks: '/hooks',
  issue_comment: '/issues/comments{/number}',
  issue_events: '/issues/events{/number}',
  issues: '/issues{/number}',
  keys: '/keys{/key_id}',
  labels: '/labels{/name}',
  languages: '/languages',
  merges: '/merges',
  milestones: '/milestones{/number}',
  notifications: '/notifications{?since,all,participating}',
  pulls: '/pulls{/number}',
  releases: '/releases{/id}',
  stargazers: '/stargazers',
  statuses: '/statuses/{sha}',
  subscribers: '/subscribers',
  subscription: '/subscription',
  tags: '/tags',
  teams: '/teams',
  trees: '/git/trees{/sha}',
}

/** A repository in a list. */
export function repositoryShape(world: World, repository: Repository): object {
  const { id, name, fullName, owner, private: hidden, archived, createdAt } = repository
  const [url, page] = [repositoryUrl(world, repository), `${world.origin}/${fullName}`]
  const urls = Object.entries(below).map(([member, path]) => [`${member}_url`, url + path])
  const created = timestamp(createdAt)
  return {
    ...{ id, node_id: nodeId('Repository', id), name, full_name: fullName, private: hidden },
    ...{ owner: simpleUser(world, owner), html_url: page, description: null, fork: false, url },
    ...Object.fromEntries(urls),
    ...{ git_url: `git:${page.slice('http:'.length)}.git`, ssh_url: `git@127.0.0.1:${fullName}.git` },
    ...{ clone_url: `${page}.git`, svn_url: page, mirror_url: null, homepage: null, language: null, license: null },
    ...{ forks_count: 0, stargazers_count: 0, watchers_count: 0, open_issues_count: 0, size: 0 },
    ...{ forks: 0, watchers: 0, open_issues: 0, default_branch: 'main', topics: [] },
    ...{ has_issues: true, has_projects: true, has_wiki: true, has_pages: false, has_downloads: true },
    ...{ has_discussions: false, archived, disabled: false, visibility: hidden ? 'private' : 'public' },
    ...{ pushed_at: created, created_at: created, updated_at: created },
  }
}

/** A single repository. */
export function fullRepository(world: World, repository: Repository): object {
  return { ...repositoryShape(world, repository), network_count: 0, subscribers_count: 0 }
}

export const repositoryUrl = ({ api }: World, { fullName }: Repository): string => `${api}/repos/${fullName}`
