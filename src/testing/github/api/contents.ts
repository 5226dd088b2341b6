import { textIn } from '../../../runtime/json.ts'
import { HttpError, notFound, ok, type Reply } from '../http/reply.ts'
import type { Call } from '../http/route.ts'
import { gitCommitShape } from '../shapes/commit.ts'
import { repositoryUrl } from '../shapes/repository.ts'
import { blobSha, defaultBranch } from '../world/branches.ts'
import { authorIn, repositoryIn } from './author.ts'
import { push } from './push.ts'

/** The media types for which GitHub answers with the content of a file itself. Octokit's config plugin uses them. */
const rawType = /\bapplication\/vnd\.github\.(v3\.)?raw(\+json)?/

/** A file of the branch `ref`, as base64 or, if the client accepts only that, as it is. */
export function getContent(call: Call): Reply {
  const path = pathIn(call)
  const { branches } = call.world.contentOf(repositoryIn(call))
  const branch = branches.named(call.url.searchParams.get('ref') ?? defaultBranch)
  const content = branches.file(path, branch)
  if (!content) throw notFound()
  const [raw] = rawType.exec(String(call.headers.accept)) ?? []
  if (raw) return { status: 200, headers: { 'content-type': `${raw}; charset=utf-8` }, page: content }
  const lines = Buffer.from(content).toString('base64').replace(/.{60}/g, '$&\n') // GitHub wraps the text
  return ok({ ...fileShape(call, path, branch, content), encoding: 'base64', content: lines })
}

/** Creates a file or, with the `sha` of its present content, replaces it. */
export function putContent(call: Call): Reply {
  const { body } = call
  const path = pathIn(call)
  const [message, encoded, sha] = [textIn(body, 'message'), textIn(body, 'content'), textIn(body, 'sha')]
  if (!message) throw new HttpError(422, `Invalid request.\n\n"message" wasn't supplied.`)
  if (encoded === undefined) throw new HttpError(422, `Invalid request.\n\n"content" wasn't supplied.`)
  const content = Buffer.from(encoded, 'base64')
  // Node.js skips characters that are not base64. GitHub also rejects line breaks, and probably missing padding.
  if (content.toString('base64') !== encoded) throw new HttpError(422, 'content is not valid Base64')
  const author = authorIn(call)
  const { branches } = author.content
  const branch = branches.named(textIn(body, 'branch') ?? defaultBranch)
  const existing = branches.file(path, branch)
  if (existing && sha === undefined) throw new HttpError(422, `Invalid request.\n\n"sha" wasn't supplied.`)
  if (sha !== undefined && (!existing || sha !== blobSha(existing)))
    throw new HttpError(409, `${path} does not match ${sha}`)
  const { repository, user, now } = author
  const commit = push(author, branch, () =>
    branches.write(branch, path, content, { message, author: user, committedAt: now }),
  )
  const commitInfo = gitCommitShape(author.world, repository, commit)
  const shapes = { content: fileShape(call, path, branch, content), commit: commitInfo }
  return { status: existing ? 200 : 201, body: shapes }
}

const pathIn = ({ parameters }: Call): string => parameters.path ?? ''

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
