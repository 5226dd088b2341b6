import { type Json, textIn } from '../../../runtime/json.ts'
import { paged } from '../http/paging.ts'
import { created, HttpError, invalid, notFound, ok, type Reply } from '../http/reply.ts'
import { type Call, numberOf } from '../http/route.ts'
import { sendAction } from '../sending/action-event.ts'
import { releaseShape } from '../shapes/release.ts'
import { defaultBranch } from '../world/branches.ts'
import type { Release } from '../world/repository-content.ts'
import { type Author, authorIn, repositoryIn } from './author.ts'

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
  const release: Release = {
    ...{ id: world.newId(), tag, user, createdAt: now, publishedAt: undefined },
    ...{ target: textIn(body, 'target_commitish') ?? defaultBranch, name: null, body: null },
    ...{ draft: false, prerelease: false },
  }
  change(release, body)
  content.releases.push(release)
  sendRelease(author, release, 'created')
  publish(author, release)
  return created(releaseShape(world, repository, release))
}

export function updateRelease(call: Call): Reply {
  const [author, release] = [authorIn(call), releaseIn(call)]
  const tag = textIn(call.body, 'tag_name') ?? release.tag
  if (tag !== release.tag) checkTag(author.content.releases, tag)
  change(Object.assign(release, { tag }), call.body)
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
