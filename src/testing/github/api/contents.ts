import { textIn } from '../../../runtime/json.ts'
import { HttpError, notFound, ok, type Reply } from '../http/reply.ts'
import type { Call } from '../http/route.ts'
import { gitCommitShape } from '../shapes/commit.ts'
import { repositoryUrl } from '../shapes/repository.ts'
import { blobSha, defaultBranch } from '../world/branches.ts'
import type { RepositoryContent } from '../world/repository-content.ts'
import { type Author, authorIn, repositoryIn } from './author.ts'
import { push } from './push.ts'

/** The media types for which GitHub answers with the content of a file itself. Octokit's config plugin uses them. */
const rawType = /\bapplication\/vnd\.github\.(v3\.)?raw(\+json)?/

/**
 * A file of the branch, the tag or the commit `ref`, as base64 or, if the client accepts only that, as it is. For a folder:
 * a list of its files and folders.
 */
export function getContent(call: Call): Reply {
  const path = pathIn(call).replace(/\/$/, '')
  const { branches } = call.world.contentOf(repositoryIn(call))
  const ref = call.url.searchParams.get('ref') ?? defaultBranch
  const [branch, content] = [branches.named(ref), branches.fileAt(path, ref)]
  if (!content) return listFolder(call, path, branch, (file) => branches.fileAt(file, ref))
  const [raw] = rawType.exec(String(call.headers.accept)) ?? []
  if (raw) return { status: 200, headers: { 'content-type': `${raw}; charset=utf-8` }, page: content }
  const lines = Buffer.from(content).toString('base64').replace(/.{60}/g, '$&\n') // GitHub wraps the text
  return ok({ ...fileShape(call, path, branch, content), encoding: 'base64', content: lines })
}

/** Lists the files and folders of a folder, with the files of the branch that have a content at the requested ref. */
function listFolder(call: Call, path: string, branch: string, read: (path: string) => Uint8Array | undefined): Reply {
  const prefix = path === '' ? '' : `${path}/`
  const entries = new Map<string, object>()
  for (const file of call.world.contentOf(repositoryIn(call)).branches.files(branch).keys()) {
    const content = file.startsWith(prefix) ? read(file) : undefined
    if (!content) continue
    const [name = '', ...below] = file.slice(prefix.length).split('/')
    const isFile = below.length === 0
    entries.set(name, isFile ? fileShape(call, file, branch, content) : folderShape(call, prefix + name, branch))
  }
  if (entries.size === 0) throw notFound()
  return ok([...entries.values()])
}

/** Creates a file in a branch that exists or, with the `sha` of its present content, replaces it. */
export function putContent(call: Call): Reply {
  const message = suppliedIn(call, 'message')
  const encoded = suppliedIn(call, 'content', true)
  const content = Buffer.from(encoded, 'base64')
  // Node.js skips characters that are not base64. GitHub also rejects line breaks, and probably missing padding.
  if (content.toString('base64') !== encoded) throw new HttpError(422, 'content is not valid Base64')
  const [author, path, branch] = [authorIn(call), filePathIn(call), writableBranchIn(call)]
  const existing = author.content.branches.file(path, branch)
  if (existing || call.body.sha !== undefined) checkSha(call, existing)
  const shapes = {
    content: fileShape(call, path, branch, content),
    commit: commit(author, branch, path, content, message),
  }
  return { status: existing ? 200 : 201, body: shapes }
}

/** Deletes a file of a branch. */
export function deleteContent(call: Call): Reply {
  const message = suppliedIn(call, 'message')
  suppliedIn(call, 'sha')
  const [author, path, branch] = [authorIn(call), filePathIn(call), writableBranchIn(call)]
  const existing = author.content.branches.file(path, branch)
  if (!existing) throw notFound()
  checkSha(call, existing)
  return ok({ content: null, commit: commit(author, branch, path, undefined, message) })
}

/** @throws {HttpError} if the body does not have the member. */
function suppliedIn({ body }: Call, name: string, mayBeEmpty = false): string {
  const text = textIn(body, name)
  if (text !== undefined && (text !== '' || mayBeEmpty)) return text
  throw new HttpError(422, `Invalid request.\n\n"${name}" wasn't supplied.`)
}

/** @throws {HttpError} if the body does not have the `sha` of the present content. */
function checkSha(call: Call, existing: Uint8Array | undefined): void {
  const sha = suppliedIn(call, 'sha')
  if (!existing || sha !== blobSha(existing)) throw new HttpError(409, `${pathIn(call)} does not match ${sha}`)
}

/** @throws {HttpError} if the branch does not exist, and no pull request names it. */
function writableBranchIn(call: Call): string {
  const content = call.world.contentOf(repositoryIn(call))
  const branch = content.branches.named(textIn(call.body, 'branch') ?? defaultBranch)
  if (!content.branches.has(branch) && !isPullBranch(content, branch)) throw notFound(`Branch ${branch} not found`)
  return branch
}

/** Commits and pushes a new content of a file. @returns The commit, as the API shows it. */
function commit(author: Author, branch: string, path: string, after: Uint8Array | undefined, message: string): object {
  const { world, repository, content, user, now } = author
  const facts = { message, author: user, committedAt: now }
  const made = push(author, branch, () => content.branches.write(branch, path, after, facts))
  return gitCommitShape(world, repository, made)
}

/** Whether a pull request names a branch, such as one in a delivery. The first write then creates the branch. */
const isPullBranch = ({ issues }: RepositoryContent, branch: string): boolean =>
  [...issues.values()].some(
    ({ pull }) => pull && [pull.head, pull.base].some(({ ref, fork }) => !fork && ref === branch),
  )

const pathIn = ({ parameters }: Call): string => parameters.path ?? ''

/** @throws {HttpError} for the root of the repository. */
function filePathIn(call: Call): string {
  const path = pathIn(call)
  if (path === '') throw notFound()
  return path
}

/** Its SHA does not name a tree: the local GitHub has none. */
function folderShape(call: Call, path: string, branch: string): object {
  const {
    download_url: _,
    html_url,
    ...shape
  } = fileShape(call, path, branch, Buffer.from(path)) as {
    download_url: string
    html_url: string
    _links: object
  }
  const page = html_url.replace('/blob/', '/tree/')
  return { ...shape, type: 'dir', size: 0, html_url: page, download_url: null, _links: { ...shape._links, html: page } }
}

function fileShape(call: Call, path: string, branch: string, content: Uint8Array): object {
  const { world } = call
  const repository = repositoryIn(call)
  const encodedPath = path.split('/').map(encodeURIComponent).join('/')
  const sha = blobSha(content)
  const root = repositoryUrl(world, repository)
  const page = `${world.origin}/${repository.fullName}`
  const addresses = {
    url: `${root}/contents/${encodedPath}?ref=${encodeURIComponent(branch)}`,
    ...{ git_url: `${root}/git/blobs/${sha}`, html_url: `${page}/blob/${branch}/${encodedPath}` },
  }
  return {
    ...{ type: 'file', name: path.split('/').at(-1), path, sha, size: content.length, ...addresses },
    download_url: `${page}/raw/${branch}/${encodedPath}`,
    _links: { self: addresses.url, git: addresses.git_url, html: addresses.html_url },
  }
}
