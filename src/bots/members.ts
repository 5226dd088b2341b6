import type { EventPayloads } from '../events.ts'
import type { IssueTarget, PullRequestTarget, RepositoryTarget } from './targets.ts'

/**
 * The type of `Value` without `readonly`. A parameter that is inferred with `const` keeps literals, such as `'closed'`, but
 * its lists are `readonly`, and Octokit does not take these.
 */
export type Writable<Value> = Value extends object ? { -readonly [Key in keyof Value]: Writable<Value[Key]> } : Value

/** The members that a delivery has if its payload has what they need. */
export interface TargetMembers {
  repo(): RepositoryTarget
  repo<const Extra extends object>(extra: Extra): RepositoryTarget & Writable<Extra>
  issue(): IssueTarget
  issue<const Extra extends object>(extra: Extra): IssueTarget & Writable<Extra>
  pullRequest(): PullRequestTarget
  pullRequest<const Extra extends object>(extra: Extra): PullRequestTarget & Writable<Extra>
}

/**
 * A method that cannot be called: the compile error shows `Reason`. It is still assignable to the method that it
 * replaces, so that a function for any delivery also takes a delivery of one event.
 */
export interface Unavailable<Reason extends string> {
  call(this: Reason): never
}

/** The names of the deliveries whose payloads have none of these members. */
type NamesWithout<Member extends string> = {
  [Name in keyof EventPayloads]: Member & keyof EventPayloads[Name] extends never ? Name : never
}[keyof EventPayloads]

/** Names that `EventPayloads` does not list, and whose payloads have neither an issue nor a pull request. */
type OtherNames = 'schedule' | `schedule.${string}` | `repository_dispatch.${string}`

// Each type below asks whether `Name` is in a fixed union, and not whether its payload has a member. For TypeScript, only
// the former keeps a delivery of one event assignable to a delivery of any event.

type Repo<Name extends string> =
  Name extends NamesWithout<'repository'> ? Unavailable<'This event has no repository'>['call'] : TargetMembers['repo']

type Issue<Name extends string> = Name extends NamesWithout<'issue' | 'pull_request'> | OtherNames
  ? Unavailable<'This event has no issue'>['call']
  : TargetMembers['issue']

type PullRequest<Name extends string> = Name extends
  | Exclude<NamesWithout<'pull_request'>, `issue_comment.${string}`>
  | OtherNames
  ? Unavailable<'This event has no pull request'>['call']
  : TargetMembers['pullRequest']

/** The members of a delivery for bots, which call GitHub's API. */
export interface BotMembers<Name extends string> {
  /** Whether the sender is a bot, such as an App. Check it before you answer a comment, so that two bots never talk. */
  readonly isBot: boolean
  /**
   * The repository as parameters for Octokit, `{ owner, repo }`, together with the members of `extra`.
   *
   * ```ts
   * await octokit.rest.repos.createCommitStatus(delivery.repo({ sha: payload.after, state: 'success' }))
   * ```
   * @throws {TypeError} if the payload has no repository.
   */
  readonly repo: Repo<Name>
  /**
   * The issue or the pull request as parameters for Octokit, `{ owner, repo, issue_number }`, together with the members
   * of `extra`.
   *
   * ```ts
   * await octokit.rest.issues.createComment(delivery.issue({ body: 'Thank you!' }))
   * ```
   * @throws {TypeError} if the payload has no issue and no pull request.
   */
  readonly issue: Issue<Name>
  /**
   * The pull request as parameters for Octokit, `{ owner, repo, pull_number }`, together with the members of `extra`. For
   * `issue_comment`, the pull request that the comment belongs to.
   * @throws {TypeError} if the payload has no pull request.
   */
  readonly pullRequest: PullRequest<Name>
}
