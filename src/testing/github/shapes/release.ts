import { timestamp } from '../clock.ts'
import type { Repository } from '../world/repository.ts'
import type { Release } from '../world/repository-content.ts'
import type { World } from '../world/world.ts'
import { repositoryUrl } from './repository.ts'
import { nodeId, simpleUser } from './user.ts'

/** A release, which has no assets. */
export function releaseShape(world: World, repository: Repository, release: Release): object {
  const { id, tag, target, name, body, draft, prerelease, user, createdAt, publishedAt } = release
  const root = repositoryUrl(world, repository)
  const url = `${root}/releases/${id}`
  const ref = encodeURIComponent(tag)
  const created = timestamp(createdAt)
  return {
    ...{ id, node_id: nodeId('Release', id), tag_name: tag, target_commitish: target, name, body, draft, prerelease },
    ...{ url, html_url: `${world.origin}/${repository.fullName}/releases/tag/${ref}`, assets_url: `${url}/assets` },
    ...{ upload_url: `${url}/assets{?name,label}`, immutable: false, assets: [], author: simpleUser(world, user) },
    ...{ tarball_url: `${root}/tarball/${ref}`, zipball_url: `${root}/zipball/${ref}` },
    ...{ created_at: created, updated_at: created },
    published_at: publishedAt === undefined ? null : timestamp(publishedAt),
  }
}
