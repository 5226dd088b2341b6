import { objectIn, textIn } from '../../../runtime/json.ts'
import { timestamp } from '../clock.ts'
import { paged } from '../http/paging.ts'
import { created, HttpError, notFound, ok, type Reply } from '../http/reply.ts'
import type { Call } from '../http/route.ts'
import { branchItem, branchShape, type RefName, refShape, tagItem, tagObjectShape } from '../shapes/ref.ts'
import { emailOf } from '../shapes/user.ts'
import { defaultBranch, isSha } from '../world/branches.ts'
import { type Author, authorIn, repositoryIn } from './author.ts'
import { push, pushTag } from './push.ts'

export function listBranches(call: Call): Reply {
  const { world, url } = call
  const repository = repositoryIn(call)
  const { names } = world.contentOf(repository).branches
  return paged(url, names, (some) => some.map((name) => branchItem(world, repository, name)))
}

export function getBranch(call: Call): Reply {
  const repository = repositoryIn(call)
  const { branch = '' } = call.parameters
  if (!call.world.contentOf(repository).branches.has(branch)) throw notFound('Branch not found')
  return ok(branchShape(call.world, repository, branch))
}

export function getRef(call: Call): Reply {
  const ref = existingRefIn(call)
  if (!ref) throw notFound()
  return ok(refShape(call.world, repositoryIn(call), ref))
}

/** Lists the branches and tags whose ref begins with a text, such as `heads/feature`. */
export function listMatchingRefs(call: Call): Reply {
  const { world, url, parameters } = call
  const repository = repositoryIn(call)
  const { names, tags } = world.contentOf(repository).branches
  const all = [...names.map((name) => `heads/${name}`), ...[...tags.keys()].map((name) => `tags/${name}`)]
  const matching = all.filter((ref) => ref.startsWith(parameters.ref ?? '')).toSorted()
  const refs = matching.flatMap((ref) => refIn(ref) ?? [])
  return paged(url, refs, (some) => some.map((ref) => refShape(world, repository, ref)))
}

/** Creates a branch or a tag. */
export function createRef(call: Call): Reply {
  const [text, sha] = [textIn(call.body, 'ref'), textIn(call.body, 'sha')]
  const ref = text?.startsWith('refs/') ? refIn(text.slice('refs/'.length)) : undefined
  if (!ref) throw new HttpError(422, "Reference name must start with 'refs/heads/' or 'refs/tags/'")
  const author = authorIn(call)
  if (exists(author, ref)) throw new HttpError(422, 'Reference already exists')
  point(author, ref, shaIn(author, ref, sha))
  return created(refShape(author.world, author.repository, ref))
}

export function updateRef(call: Call): Reply {
  const author = authorIn(call)
  const { branches } = author.content
  const ref = requiredRefIn(call)
  const { kind, name } = ref
  const sha = shaIn(author, ref, textIn(call.body, 'sha'))
  const present = kind === 'heads' ? branches.head(name) : branches.commitOf(branches.tags.get(name) ?? '')
  const isForward = branches.history(branches.commitOf(sha))?.some((commit) => commit.sha === present) ?? false
  const keeps = isForward || branches.history(present)?.length === 0
  if (!keeps && call.body.force !== true) throw new HttpError(422, 'Update is not a fast forward')
  point(author, ref, sha, !keeps)
  return ok(refShape(author.world, author.repository, ref))
}

export function deleteRef(call: Call): Reply {
  const author = authorIn(call)
  const { kind, name } = requiredRefIn(call)
  // GitHub refuses it, too. The text is an assumption.
  if (kind === 'heads' && name === defaultBranch) throw new HttpError(422, 'Cannot delete the default branch')
  if (kind === 'heads') push(author, name, () => author.content.branches.delete(name))
  else pushTag(author, name, undefined)
  return { status: 204 }
}

/** Lists the tags in the reverse order of their names. */
export function listTags(call: Call): Reply {
  const { world, url } = call
  const repository = repositoryIn(call)
  const names = [...world.contentOf(repository).branches.tags.keys()].toSorted().toReversed()
  return paged(url, names, (some) => some.map((name) => tagItem(world, repository, name)))
}

/** Creates an annotated tag of a commit. No tag points to it before the client creates the ref. */
export function createTagObject(call: Call): Reply {
  const { body } = call
  const [tag = '', message = '', object = '', type = ''] = ['tag', 'message', 'object', 'type'].map((name) => {
    const text = textIn(body, name)
    if (text === undefined) throw new HttpError(422, `Invalid request.\n\n"${name}" wasn't supplied.`)
    return text
  })
  const { world, repository, content, user, now } = authorIn(call)
  // GitHub also has tags of trees and blobs. For a missing commit, the text is an assumption.
  if (type !== 'commit' || !isSha(object) || !content.branches.history(object))
    throw new HttpError(422, 'Object does not exist')
  const given = objectIn(body, 'tagger')
  const tagger = {
    ...{ name: textIn(given, 'name') ?? user.login, email: textIn(given, 'email') ?? emailOf(user) },
    date: textIn(given, 'date') ?? timestamp(now),
  }
  return created(tagObjectShape(world, repository, content.branches.annotate({ tag, message, tagger, object })))
}

export function getTagObject(call: Call): Reply {
  const repository = repositoryIn(call)
  const tag = call.world.contentOf(repository).branches.tagObjects.get(call.parameters.tag_sha ?? '')
  if (!tag) throw notFound()
  return ok(tagObjectShape(call.world, repository, tag))
}

/** `heads/feature` is the branch `feature`, and `tags/v1` the tag `v1`. */
function refIn(text: string): RefName | undefined {
  const [, kind, name] = /^(heads|tags)\/(.+)$/.exec(text) ?? []
  return kind === undefined || name === undefined ? undefined : { kind: kind as RefName['kind'], name }
}

const exists = ({ content: { branches } }: Pick<Author, 'content'>, { kind, name }: RefName): boolean =>
  kind === 'heads' ? branches.has(name) : branches.tags.has(name)

function existingRefIn(call: Call): RefName | undefined {
  const ref = refIn(call.parameters.ref ?? '')
  return ref && exists({ content: call.world.contentOf(repositoryIn(call)) }, ref) ? ref : undefined
}

function requiredRefIn(call: Call): RefName {
  const ref = existingRefIn(call)
  if (!ref) throw new HttpError(422, 'Reference does not exist')
  return ref
}

/**
 * The SHA that a ref may point to: that of a commit, and for a tag also that of an annotated tag.
 * @throws {HttpError} if the repository has no such object.
 */
function shaIn({ content: { branches } }: Author, { kind }: RefName, sha: string | undefined): string {
  const known = sha !== undefined && isSha(sha) && branches.history(kind === 'tags' ? branches.commitOf(sha) : sha)
  if (sha !== undefined && known) return sha
  throw new HttpError(422, 'Object does not exist')
}

function point(author: Author, { kind, name }: RefName, sha: string, forced = false): void {
  if (kind === 'heads') push(author, name, () => author.content.branches.place(name, sha), forced)
  else pushTag(author, name, sha, forced)
}
