import { actorOf, type InstallationToken, type UserToken } from '../auth/caller.ts'
import { notFound } from '../http/reply.ts'
import { type Call, numberOf } from '../http/route.ts'
import { type Action, sendAction } from '../sending/action-event.ts'
import { issueItem } from '../shapes/issue.ts'
import { pullShape } from '../shapes/pull.ts'
import type { App } from '../world/app.ts'
import type { Account, Repository } from '../world/repository.ts'
import type { Issue, RepositoryContent } from '../world/repository-content.ts'

/** The author and the time of a write. */
export interface Author extends Action {
  content: RepositoryContent
  user: Account
  /** The App, if the author is the bot of an App. */
  app: App | undefined
  /** In milliseconds since 1970. */
  now: number
}

/**
 * The author of a request. Use this only in routes that require a permission to write: for these routes, `guard` has
 * already rejected anonymous callers and Apps with a JWT.
 */
export function authorIn(call: Call): Author {
  const { world, sender } = call
  const caller = call.caller as UserToken | InstallationToken
  const app = caller.kind === 'installation' ? caller.app : undefined
  const [actor, repository] = [actorOf(caller), repositoryIn(call)]
  const content = world.contentOf(repository)
  return { world, sender, repository, content, actor, user: actor, app, now: world.clock.now() }
}

export const repositoryIn = ({ repository }: Call): Repository => repository as Repository // the path names it

/**
 * The issue or the pull request that the path names.
 * @throws {HttpError} if it does not exist.
 */
export function issueIn(call: Call): Issue {
  const issue = call.world.contentOf(repositoryIn(call)).issues.get(numberOf(call, 'issue_number'))
  if (!issue) throw notFound()
  return issue
}

/** Sends an event about a changed issue: `pull_request`, if the issue is a pull request, or else `issues`. */
export function sendIssueAction(author: Author, issue: Issue, action: string, about: object = {}): void {
  const { world } = author
  const { number, pull } = issue
  issue.updatedAt = author.now
  if (pull)
    sendAction(author, `pull_request.${action}`, { ...about, number, pull_request: pullShape(world, issue, pull) })
  else sendAction(author, `issues.${action}`, { ...about, issue: issueItem(world, issue) })
}
