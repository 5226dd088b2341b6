/** The repository, the issue and the pull request of a payload, as parameters of GitHub's API. */
import { type Json, objectIn, textIn, wholeNumberIn } from '../runtime/json.ts'

// Types and not interfaces: only a type is assignable to the parameters of Octokit, which have an index signature.

/** The parameters of Octokit that name a repository. */
export type RepositoryTarget = { owner: string; repo: string }

/** The parameters of Octokit that name an issue, or a pull request as an issue. */
export type IssueTarget = RepositoryTarget & { issue_number: number }

/** The parameters of Octokit that name a pull request. */
export type PullRequestTarget = RepositoryTarget & { pull_number: number }

/** The parts of a delivery that name its targets. */
export interface TargetSource {
  readonly event: string
  readonly action: string | undefined
  /** The payload, as `JSON.parse` returns it. */
  readonly members: Json
}

/** The name of a delivery, as errors show it: `issues.opened`. */
export const nameOf = ({ event, action }: Pick<TargetSource, 'event' | 'action'>): string =>
  action === undefined ? event : `${event}.${action}`

const missing = (call: string, source: TargetSource, what: string): TypeError =>
  new TypeError(`delivery.${call}(): the payload of ${nameOf(source)} has no ${what}`)

/**
 * The repository, from its full name, because the description of some payloads allows an owner that is `null`.
 * @param call The called member, for the error.
 * @throws {TypeError} if the payload has no repository.
 */
export function repositoryTarget(source: TargetSource, call: string = 'repo'): RepositoryTarget {
  const fullName = textIn(objectIn(source.members, 'repository'), 'full_name') ?? ''
  const [, owner, repo] = /^([^/]+)\/([^/]+)$/.exec(fullName) ?? []
  if (!owner || !repo) throw missing(call, source, 'repository')
  return { owner, repo }
}

/** @throws {TypeError} if the payload has neither an issue nor a pull request. */
export function issueTarget(source: TargetSource): IssueTarget {
  const { members } = source
  const number =
    wholeNumberIn(objectIn(members, 'issue'), 'number') ?? wholeNumberIn(objectIn(members, 'pull_request'), 'number')
  if (number === undefined) throw missing('issue', source, 'issue and no pull request')
  return { ...repositoryTarget(source, 'issue'), issue_number: number }
}

/**
 * The pull request, or the issue of an `issue_comment` that is a pull request.
 * @param call The called member, for the error.
 * @throws {TypeError} if the payload has no pull request.
 */
export function pullRequestTarget(source: TargetSource, call: string = 'pullRequest'): PullRequestTarget {
  const { members } = source
  const issue = objectIn(members, 'issue')
  const pull = objectIn(members, 'pull_request') ?? (objectIn(issue, 'pull_request') && issue)
  const number = wholeNumberIn(pull, 'number')
  if (number === undefined) {
    throw missing(call, source, issue ? 'pull request: its issue is not a pull request' : 'pull request')
  }
  return { ...repositoryTarget(source, call), pull_number: number }
}

/** Whether the sender is a bot: GitHub says so in `type`. Some older payloads show it only by the login. */
export function isBotSender(members: Json): boolean {
  const sender = objectIn(members, 'sender')
  return textIn(sender, 'type') === 'Bot' || textIn(sender, 'login')?.endsWith('[bot]') === true
}

/** Whether the deliveries of an event have changed files. Here, so that a check at registration loads little code. */
export const hasChangedFiles = (event: string): boolean => event === 'push' || /^pull_request(_|$)/.test(event)
