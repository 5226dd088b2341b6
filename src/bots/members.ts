import type { EventPayloads } from '../events.ts'
import type { CheckConclusion, CheckOptions, CheckWork } from './check-types.ts'
import type { SchemaOutput, StandardSchemaV1 } from './standard-schema.ts'
import type { IssueTarget, PullRequestTarget, RepositoryTarget } from './targets.ts'

/** The changed files of a delivery. */
export interface ChangedFiles {
  /** The paths, without duplicates. A renamed file has both of its paths. */
  readonly files: readonly string[]
  /** Whether these are all changed files. */
  readonly complete: boolean
}

/** Options of `delivery.config()`. */
export interface ConfigOptions {
  /**
   * Whether an invalid file is also shown as a failed check run, at the commit that a push added to the default branch.
   * Needs an App with the permission "Checks: write". Default: false.
   */
  check?: boolean | undefined
}

/**
 * The type of `Value` without `readonly`. A parameter that is inferred with `const` keeps literals, such as `'closed'`, but
 * its lists are `readonly`, and Octokit does not take these.
 */
export type Writable<Value> = Value extends object ? { -readonly [Key in keyof Value]: Writable<Value[Key]> } : Value

/** The methods for bots, without the events that lack them. `BotMembers` documents each of them. */
export interface BotMethods {
  /** The repository as parameters for Octokit: `{ owner, repo }`, with the members of `extra`. */
  repo(): RepositoryTarget
  repo<const Extra extends object>(extra: Extra): RepositoryTarget & Writable<Extra>
  /** The same with the `issue_number` of the issue or pull request. */
  issue(): IssueTarget
  issue<const Extra extends object>(extra: Extra): IssueTarget & Writable<Extra>
  /** The same with the `pull_number` of the pull request. */
  pullRequest(): PullRequestTarget
  pullRequest<const Extra extends object>(extra: Extra): PullRequestTarget & Writable<Extra>
  /** The files that the push or the pull request changes. */
  changedFiles(): Promise<ChangedFiles>
  /** The settings in a file of the repository. `undefined` if there is no such file. */
  config(file: string, schema?: undefined, options?: ConfigOptions): Promise<Record<string, unknown> | undefined>
  config<Schema extends StandardSchemaV1>(
    file: string,
    schema: Schema,
    options?: ConfigOptions,
  ): Promise<SchemaOutput<Schema> | undefined>
  /** Runs `work`, and shows its progress and its conclusion as a check run of the commit. */
  check(check: string | CheckOptions, work: CheckWork): Promise<CheckConclusion>
}

/**
 * A method that cannot be called: the compile error shows `Reason`. It is still assignable to the method that it
 * replaces, so that a function for any delivery also takes a delivery of one event. It takes any arguments, so that the
 * error is not about their number.
 */
export interface Unavailable<Reason extends string> {
  /** Not to be called: it exists for the compile error. */
  call(this: Reason, ...given: unknown[]): never
}

/** The names of the deliveries whose payloads have none of these members. */
type NamesWithout<Member extends string> = {
  [Name in keyof EventPayloads]: Member & keyof EventPayloads[Name] extends never ? Name : never
}[keyof EventPayloads]

/** Names that `EventPayloads` does not list, and whose payloads have neither an issue nor a pull request. */
type OtherNames = 'schedule' | `schedule.${string}` | `repository_dispatch.${string}`

// Each type below asks whether `Name` is in a fixed union, and not whether its payload has a member. For TypeScript, only
// the former keeps a delivery of one event assignable to a delivery of any event.

type IfRepository<Name extends string, Member extends keyof BotMethods> =
  Name extends NamesWithout<'repository'> ? Unavailable<'This event has no repository'>['call'] : BotMethods[Member]

type Issue<Name extends string> = Name extends NamesWithout<'issue' | 'pull_request'> | OtherNames
  ? Unavailable<'This event has no issue'>['call']
  : BotMethods['issue']

type PullRequest<Name extends string> = Name extends
  | Exclude<NamesWithout<'pull_request'>, `issue_comment.${string}`>
  | OtherNames
  ? Unavailable<'This event has no pull request'>['call']
  : BotMethods['pullRequest']

type Files<Name extends string> = Name extends
  | Exclude<keyof EventPayloads, 'push' | `pull_request.${string}` | `pull_request_${string}`>
  | OtherNames
  ? Unavailable<'This event has no changed files'>['call']
  : BotMethods['changedFiles']

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
  readonly repo: IfRepository<Name, 'repo'>
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
  /**
   * The paths of the files that a push or a pull request changes. The list is not `complete` in these cases:
   *
   * - GitHub lists at most 3,000 files of a pull request, and 300 files of a comparison.
   * - Soon after a push to a pull request, GitHub may still list the files of the old head. hookserver asks once more.
   * - A payload of `push` lists the files of at most 2,048 commits, and 3,000 files of each. GitHub describes the lists
   *   as optional. If the payload leaves out files, the list has those of a comparison of the two commits, too.
   * - A forced push also changes the files of the commits that it removes, which GitHub does not list. For a tag, there
   *   is no list.
   *
   * The files of a pull request, and those of a comparison, are requested from GitHub once for each delivery. The list
   * is that of the present head, which may be newer than the delivery. Sources:
   * https://docs.github.com/webhooks/webhook-events-and-payloads#push,
   * https://docs.github.com/rest/pulls/pulls#list-pull-requests-files,
   * https://docs.github.com/rest/commits/commits#compare-two-commits
   * @throws {TypeError} (rejects) if the event is neither `push` nor an event of pull requests.
   */
  readonly changedFiles: Files<Name>
  /**
   * Reads a file of settings: `.github/<file>` in the default branch of the repository, else in that of the owner's
   * repository `.github`. The file is YAML or JSON. With `_extends: repo` in the file, settings that it lacks come from the
   * file with the same path in that repository of the same owner. hookserver keeps recent files with their ETags, and
   * asks GitHub at each call whether the file has changed. Needs the package `yaml`.
   *
   * ```ts
   * const settings = await delivery.config('labeler.yml', z.object({ label: z.string() }))
   * ```
   * @param schema A schema of Zod, Valibot, ArkType or another library with Standard Schema.
   * @param options With `check: true`, a push to the default branch gets a failed check run if the file is invalid.
   * @returns The settings, after the schema. `undefined` if there is no such file.
   * @throws {Unrecoverable} (rejects) if a file is invalid. The message names the file, the line and the problem.
   */
  readonly config: IfRepository<Name, 'config'>
  /**
   * Runs a check, and shows it as a check run of the commit. The run is in progress while `work` runs, and also until the
   * retry of a failed attempt. Then it has the conclusion that `work` returns. If the last attempt fails, the conclusion
   * is `failure`, or `timed_out` if the attempt exceeds its timeout. The run shows the message of `Unrecoverable`, `Retry`
   * and `Discard`, but of no other error. If the pull request has a newer head, the conclusion is `cancelled`, and the
   * delivery is discarded. Needs an App with the permission "Checks: write".
   *
   * ```ts
   * await delivery.check('lint', async ({ annotate, signal }) => {
   *   for (const problem of await lint(signal)) annotate(problem)
   *   return { title: 'Linted' }
   * })
   * ```
   * @param check The name. Or options, with a commit for payloads that name none.
   * @returns The conclusion.
   * @throws {TypeError} (rejects) if there is no head commit.
   * @throws (rejects) the error of `work`.
   */
  readonly check: IfRepository<Name, 'check'>
}
