import { type Json, textIn } from '../../../runtime/json.ts'
import { paged } from '../http/paging.ts'
import { created, HttpError, invalid, notFound, ok, type Reply } from '../http/reply.ts'
import { type Call, numberOf } from '../http/route.ts'
import { sendAction } from '../sending/action-event.ts'
import { releaseShape } from '../shapes/release.ts'
import { defaultBranch } from '../world/branches.ts'
import type { Release } from '../world/repository-content.ts'
import { type Author, authorIn, repositoryIn } from './author.ts'
import { pushTag } from './push.ts'

/** Lists the releases, newest first. */
export function listReleases(call: Call): Reply {
  const all = releasesOf(call).toReversed()
  return paged(call.url, all, (some) => some.map((release) => releaseShape(call.world, repositoryIn(call), release)))
}

export const getRelease = (call: Call): Reply => shown(call, releaseIn(call))

export const getReleaseByTag = (call: Call): Reply =>
  shown(
    call,
    releasesOf(call).find(({ tag, draft }) => !draft && tag === call.parameters.tag),
  )

/** The newest release that is neither a draft nor a prerelease. */
export const getLatestRelease = (call: Call): Reply =>
  shown(
    call,
    releasesOf(call).findLast(({ draft, prerelease }) => !draft && !prerelease),
  )

export function createRelease(call: Call): Reply {
  const { body } = call
  const tag = textIn(body, 'tag_name')
  if (!tag) throw invalid('Release', 'tag_name', 'missing_field')
  const author = authorIn(call)
  const { world, repository, content, user, now } = author
  checkTag(content.releases, tag)
  const target = textIn(body, 'target_commitish') ?? defaultBranch
  checkTarget(author, tag, target)
  const release: Release = {
    ...{ id: world.newId(), tag, user, createdAt: now, publishedAt: undefined },
    ...{ target, name: null, body: null, draft: false, prerelease: false },
  }
  change(release, body)
  content.releases.push(release)
  makeTag(author, release)
  sendRelease(author, release, 'created')
  publish(author, release)
  return created(releaseShape(world, repository, release))
}

export function updateRelease(call: Call): Reply {
  const [author, release] = [authorIn(call), releaseIn(call)]
  const tag = textIn(call.body, 'tag_name') ?? release.tag
  const target = textIn(call.body, 'target_commitish') ?? release.target
  if (tag !== release.tag) checkTag(author.content.releases, tag)
  checkTarget(author, tag, target)
  change(Object.assign(release, { tag, target }), call.body)
  makeTag(author, release)
  sendRelease(author, release, 'edited')
  publish(author, release)
  return shown(call, release)
}

export function deleteRelease(call: Call): Reply {
  const [author, release] = [authorIn(call), releaseIn(call)]
  author.content.releases.splice(author.content.releases.indexOf(release), 1)
  sendRelease(author, release, 'deleted')
  return { status: 204 }
}

function change(release: Release, body: Json): void {
  const { draft = release.draft, prerelease = release.prerelease } = body
  const [name, text] = [textIn(body, 'name') ?? release.name, textIn(body, 'body') ?? release.body]
  Object.assign(release, { draft: draft === true, prerelease: prerelease === true, name, body: text })
}

/** Creates the tag of a release at its target, unless the tag exists or the release is a draft. */
function makeTag(author: Author, { tag, target, draft }: Release): void {
  const { branches } = author.content
  if (draft || branches.tags.has(tag)) return
  pushTag(author, tag, branches.shaNamed(target) ?? branches.head(branches.named(target)))
}

/** @throws {HttpError} if a tag that does not exist would have no commit to point to. */
function checkTarget({ content: { branches } }: Author, tag: string, target: string): void {
  if (!branches.tags.has(tag) && !branches.history(target)) throw invalid('Release', 'target_commitish', 'invalid')
}

/** Publishes a release that is no longer a draft, once. */
function publish(author: Author, release: Release): void {
  if (release.draft || release.publishedAt !== undefined) return
  release.publishedAt = author.now
  sendRelease(author, release, 'published')
  sendRelease(author, release, release.prerelease ? 'prereleased' : 'released')
}

function sendRelease(author: Author, release: Release, action: string): void {
  sendAction(author, `release.${action}`, { release: releaseShape(author.world, author.repository, release) })
}

/** @throws {HttpError} if a release has the tag. */
function checkTag(releases: readonly Release[], tag: string): void {
  if (!releases.some((release) => release.tag === tag)) return
  throw new HttpError(422, 'Validation Failed', {
    errors: [{ resource: 'Release', code: 'already_exists', field: 'tag_name' }],
  })
}

const releasesOf = (call: Call): readonly Release[] => call.world.contentOf(repositoryIn(call)).releases

/** @throws {HttpError} if the release does not exist. */
function releaseIn(call: Call): Release {
  const found = releasesOf(call).find(({ id }) => id === numberOf(call, 'release_id'))
  if (!found) throw notFound()
  return found
}

/** @throws {HttpError} if there is no release. */
function shown(call: Call, release: Release | undefined): Reply {
  if (!release) throw notFound()
  return ok(releaseShape(call.world, repositoryIn(call), release))
}
