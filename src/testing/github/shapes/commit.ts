import { timestamp } from '../clock.ts'
import { blobSha, type ChangedFile, type Commit, statusOf } from '../world/branches.ts'
import { hunkOf, patchOf } from '../world/diff.ts'
import type { Account, Repository } from '../world/repository.ts'
import type { World } from '../world/world.ts'
import { repositoryUrl } from './repository.ts'
import { emailOf, nodeId, simpleUser } from './user.ts'

const person = (account: Account, committedAt: number): object => ({
  ...{ name: account.login, email: emailOf(account), date: timestamp(committedAt) },
})

export const verification = { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null }

const pageOf = ({ origin }: World, { fullName }: Repository, sha: string): string =>
  `${origin}/${fullName}/commit/${sha}`

/** The object that Git stores for a commit. Its tree has the same SHA as the commit. */
export function gitCommitShape(world: World, repository: Repository, commit: Commit): object {
  const { sha, message, author, committedAt } = commit
  const git = `${repositoryUrl(world, repository)}/git`
  const by = person(author, committedAt)
  const parents = commit.parents.map((parent) => ({
    ...{ sha: parent, url: `${git}/commits/${parent}`, html_url: pageOf(world, repository, parent) },
  }))
  return {
    ...{ sha, node_id: nodeId('Commit', author.id), url: `${git}/commits/${sha}` },
    ...{ html_url: pageOf(world, repository, sha), author: by, committer: by, message },
    ...{ tree: { url: `${git}/trees/${sha}`, sha }, parents, verification },
  }
}

/** A commit in a list. */
export function commitItem(world: World, repository: Repository, commit: Commit): object {
  const { sha, message, author, committedAt } = commit
  const root = repositoryUrl(world, repository)
  const url = `${root}/commits/${sha}`
  const by = person(author, committedAt)
  const user = simpleUser(world, author)
  const parents = commit.parents.map((parent) => ({
    ...{ sha: parent, url: `${root}/commits/${parent}`, html_url: pageOf(world, repository, parent) },
  }))
  const tree = { sha, url: `${root}/git/trees/${sha}` }
  const git = { author: by, committer: by, message, tree, url: `${root}/git/commits/${sha}`, comment_count: 0 }
  return {
    ...{ sha, node_id: nodeId('Commit', author.id), commit: { ...git, verification }, url },
    ...{ html_url: pageOf(world, repository, sha), comments_url: `${url}/comments` },
    ...{ author: user, committer: user, parents },
  }
}

/** A single commit. */
export function commitShape(world: World, repository: Repository, commit: Commit): object {
  const files = commit.files.map((file) => fileShape(world, repository, commit.sha, file))
  return { ...commitItem(world, repository, commit), stats: statsOf(files), files }
}

/** How many lines some files add and delete. */
export function statsOf(files: readonly { additions: number; deletions: number }[]) {
  const additions = files.reduce((sum, file) => sum + file.additions, 0)
  const deletions = files.reduce((sum, file) => sum + file.deletions, 0)
  return { additions, deletions, total: additions + deletions }
}

/** A commit in the payload of a push. @param distinct Whether no branch had the commit before. */
export function pushedCommit(world: World, repository: Repository, commit: Commit, distinct: boolean): object {
  const { sha, message, author, committedAt, files } = commit
  const by = { name: author.login, email: emailOf(author), username: author.login }
  const paths = (status: string) => files.filter((file) => statusOf(file) === status).map(({ path }) => path)
  return {
    ...{ id: sha, tree_id: sha, distinct, message, timestamp: timestamp(committedAt) },
    ...{ url: pageOf(world, repository, sha), author: by, committer: by },
    ...{ added: paths('added'), removed: paths('removed'), modified: paths('modified') },
  }
}

/** A file that a commit or a pull request changes. */
export function fileShape(world: World, repository: Repository, ref: string, file: ChangedFile) {
  const { path, before, after } = file
  const encoded = path.split('/').map(encodeURIComponent).join('/')
  const page = `${world.origin}/${repository.fullName}`
  const hunk = hunkOf(file)
  const count = (mark: string) => hunk.filter((line) => line.mark === mark).length
  const [additions, deletions] = [count('+'), count('-')]
  return {
    ...{
      sha: blobSha(after ?? before ?? new Uint8Array()),
      filename: path,
      status: statusOf(file),
      additions,
      deletions,
    },
    ...{ changes: additions + deletions, ...(hunk.length > 0 && { patch: patchOf(hunk) }) },
    ...{ blob_url: `${page}/blob/${ref}/${encoded}`, raw_url: `${page}/raw/${ref}/${encoded}` },
    contents_url: `${repositoryUrl(world, repository)}/contents/${encoded}?ref=${ref}`,
  }
}
