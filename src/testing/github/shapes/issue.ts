import { timestamp } from '../clock.ts'
import type { Account, Repository } from '../world/repository.ts'
import type { Comment, Issue, Label } from '../world/repository-content.ts'
import type { World } from '../world/world.ts'
import { appShape } from './app.ts'
import { repositoryUrl } from './repository.ts'
import { nodeId, simpleUser } from './user.ts'

export function labelShape(world: World, repository: Repository, { id, name, color, description }: Label): object {
  const url = `${repositoryUrl(world, repository)}/labels/${encodeURIComponent(name)}`
  return { id, node_id: nodeId('Label', id), url, name, description, color, default: false }
}

/** A single issue, or a single pull request as an issue. */
export const issueShape = (world: World, issue: Issue): object => ({ ...issueItem(world, issue), closed_by: null })

/** An issue, or a pull request as an issue, in the payload of an event. */
export function issueItem(world: World, issue: Issue): object {
  const { id, number, repository, title, body, user, app, state, stateReason, labels, pull, closedAt } = issue
  const assignees = issue.assignees.map((user) => simpleUser(world, user))
  const root = repositoryUrl(world, repository)
  const url = `${root}/issues/${number}`
  const page = pageOf(world, issue)
  const pullUrl = `${root}/pulls/${number}`
  const comments = [...world.contentOf(repository).comments.values()].filter((comment) => comment.issue === issue)
  return {
    ...{ id, node_id: nodeId('Issue', id), number, title, body, state, state_reason: stateReason, url },
    ...{ repository_url: root, labels_url: `${url}/labels{/name}`, comments_url: `${url}/comments` },
    ...{ events_url: `${url}/events`, timeline_url: `${url}/timeline`, html_url: page },
    ...{ user: simpleUser(world, user), labels: labels.map((label) => labelShape(world, repository, label)) },
    ...{ assignee: assignees[0] ?? null, assignees, milestone: null, locked: false, active_lock_reason: null },
    ...{ comments: comments.length, closed_at: closedAt === undefined ? null : timestamp(closedAt) },
    ...{ created_at: timestamp(issue.createdAt), updated_at: timestamp(issue.updatedAt) },
    reactions: reactionCounts(world, repository, `issues/${number}`),
    ...{
      author_association: associationOf(user, repository),
      performed_via_github_app: app ? appShape(world, app) : null,
    },
    ...(pull && {
      draft: pull.draft,
      pull_request: { url: pullUrl, html_url: page, diff_url: `${page}.diff`, patch_url: `${page}.patch` },
    }),
  }
}

export function commentShape(world: World, { id, issue, body, user, app, createdAt, updatedAt }: Comment): object {
  const { repository, number } = issue
  const root = repositoryUrl(world, repository)
  return {
    ...{ id, node_id: nodeId('IssueComment', id), url: `${root}/issues/comments/${id}`, body },
    ...{ html_url: `${pageOf(world, issue)}#issuecomment-${id}`, issue_url: `${root}/issues/${number}` },
    ...{ user: simpleUser(world, user), created_at: timestamp(createdAt), updated_at: timestamp(updatedAt) },
    author_association: associationOf(user, repository),
    reactions: reactionCounts(world, repository, `issues/comments/${id}`),
    performed_via_github_app: app ? appShape(world, app) : null,
  }
}

/** The reactions that GitHub has. */
export const reactionNames = ['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes'] as const

/** The numbers of reactions. @param path The path of an issue or a comment, without that of the repository. */
export function reactionCounts(world: World, repository: Repository, path: string): object {
  const all = world.contentOf(repository).reactions.get(`${path}/reactions`) ?? []
  const counts = reactionNames.map((name) => [name, all.filter(({ content }) => content === name).length])
  const url = `${repositoryUrl(world, repository)}/${path}/reactions`
  return { url, total_count: all.length, ...Object.fromEntries(counts) }
}

/** The page of an issue or a pull request. */
export const pageOf = ({ origin }: World, { repository, number, pull }: Issue): string =>
  `${origin}/${repository.fullName}/${pull ? 'pull' : 'issues'}/${number}`

export const associationOf = (user: Account, { owner }: Repository): string => (user === owner ? 'OWNER' : 'NONE')
