import { paged } from '../http/paging.ts'
import { HttpError, notFound, ok, type Reply } from '../http/reply.ts'
import type { Call } from '../http/route.ts'
import { commitItem, commitShape, fileShape } from '../shapes/commit.ts'
import { commitOf } from '../shapes/ref.ts'
import { repositoryUrl } from '../shapes/repository.ts'
import { type ChangedFile, type Commit, defaultBranch, isChange } from '../world/branches.ts'
import { repositoryIn } from './author.ts'

/** Lists the commits of the branch, the tag or the commit `sha`, newest first. With `path`: those that write this file. */
export function listCommits(call: Call): Reply {
  const { world, url } = call
  const repository = repositoryIn(call)
  const path = url.searchParams.get('path')
  const commits = historyOf(call, url.searchParams.get('sha') ?? defaultBranch).filter(
    ({ files }) => path === null || files.some((file) => file.path === path),
  )
  return paged(url, commits.toReversed(), (some) => some.map((commit) => commitItem(world, repository, commit)))
}

export function getCommit(call: Call): Reply {
  const { ref = '' } = call.parameters
  return ok(commitShape(call.world, repositoryIn(call), commitAt(call, ref)))
}

const maxComparedFiles = 300
/** How many commits a comparison has, if the request names no page. */
const maxComparedCommits = 250

/**
 * Compares two branches, tags or commits: `base...head`. The first page has the files of all commits. Without a page, the
 * answer has the newest commits.
 */
export function compareCommits(call: Call): Reply {
  const { world, url, parameters } = call
  const repository = repositoryIn(call)
  const [base = '', head = '', ...rest] = (parameters.basehead ?? '').split('...').map(withoutOwner)
  if (base === '' || head === '' || rest.length > 0) throw notFound()
  const [before, after] = [historyOf(call, base), historyOf(call, head)]
  const common = before.filter((commit) => after.includes(commit))
  const ahead = after.filter((commit) => !before.includes(commit))
  const behind = before.length - common.length
  const page = `${world.origin}/${repository.fullName}/compare/${parameters.basehead}`
  const last = commitAt(call, head)
  const isPaged = ['page', 'per_page'].some((name) => url.searchParams.has(name))
  const files = Number(url.searchParams.get('page') ?? 1) > 1 ? [] : filesOf(ahead).slice(0, maxComparedFiles)
  const shape = (commits: readonly Commit[]) => ({
    ...{ url: `${repositoryUrl(world, repository)}/compare/${parameters.basehead}`, html_url: page },
    ...{ permalink_url: page, diff_url: `${page}.diff`, patch_url: `${page}.patch` },
    base_commit: commitItem(world, repository, commitAt(call, base)),
    merge_base_commit: commitItem(world, repository, common.at(-1) ?? commitAt(call, base)),
    ...{ status: statusOf(ahead.length, behind), ahead_by: ahead.length, behind_by: behind },
    ...{ total_commits: ahead.length, commits: commits.map((commit) => commitItem(world, repository, commit)) },
    files: files.map((file) => fileShape(world, repository, last.sha, file)),
  })
  return isPaged ? paged(url, ahead, shape) : ok(shape(ahead.slice(-maxComparedCommits)))
}

/** A branch may be named with the owner of its repository: `octo:main`. */
const withoutOwner = (ref: string): string => ref.replace(/^[^/:]+:/, '')

function statusOf(ahead: number, behind: number): string {
  if (ahead > 0 && behind > 0) return 'diverged'
  if (ahead > 0) return 'ahead'
  return behind > 0 ? 'behind' : 'identical'
}

/** The files that differ before and after several commits. */
function filesOf(commits: readonly Commit[]): ChangedFile[] {
  const files = new Map<string, ChangedFile>()
  for (const file of commits.flatMap((commit) => commit.files)) {
    files.set(file.path, { ...file, before: (files.get(file.path) ?? file).before })
  }
  return [...files.values()].filter(isChange)
}

/** @throws {HttpError} if the repository has no such branch, tag or commit. */
function historyOf(call: Call, ref: string): readonly Commit[] {
  const history = call.world.contentOf(repositoryIn(call)).branches.history(ref)
  if (!history) throw notFound()
  return history
}

/** The last commit of a branch, or the commit of a tag or a SHA. @throws {HttpError} if there is none. */
export function commitAt(call: Call, ref: string): Commit {
  const repository = repositoryIn(call)
  const { branches } = call.world.contentOf(repository)
  const found = branches.history(ref)
  if (!found) throw new HttpError(422, `No commit found for SHA: ${ref}`)
  return found.at(-1) ?? commitOf(call.world, repository, branches.shaNamed(ref) ?? branches.head(branches.named(ref)))
}
