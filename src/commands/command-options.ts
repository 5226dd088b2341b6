import type { Delivery } from '../delivery.ts'
import type { HandlerOptions } from '../handler.ts'
import { checkOptions, fail, isListOf, isOneOf, isString, must } from '../runtime/check-options.ts'
import { isObject } from '../runtime/json.ts'
import type { Command, CommandPermission, CommandTarget } from './command.ts'
import type { Reaction } from './conversation.ts'
import { parseUsage, type Usage } from './usage.ts'

type Words<Text extends string> = Text extends `${infer Word} ${infer Rest}` ? Word | Words<Rest> : Text

/** The name of the argument that a word of a usage text describes. */
type NameOf<Word> = Word extends `<${infer Name}...>`
  ? Name
  : Word extends `[${infer Name}...]`
    ? Name
    : Word extends `<${infer Name}>` | `[${infer Name}]`
      ? Name
      : Word extends `--${infer Name}=<${string}>`
        ? Name
        : Word extends `--${infer Name}`
          ? Name
          : never

type ValueOf<Word> = Word extends `<${string}...>`
  ? [string, ...string[]]
  : Word extends `[${string}...]`
    ? string[]
    : Word extends `<${string}>`
      ? string
      : Word extends `--${string}=<${string}>` | `[${string}]`
        ? string | undefined
        : boolean

/** The arguments of a command, by the names in its usage text. */
export type CommandArguments<Text extends string> = string extends Text
  ? Readonly<Record<string, string | readonly string[] | boolean | undefined>>
  : { readonly [Word in Words<Text> as NameOf<Word>]: ValueOf<Word> }

/** The events in which commands are found. */
export type CommandEvent =
  | `issue_comment.${'created' | 'edited'}`
  | `pull_request_review_comment.${'created' | 'edited'}`
  | `${'issues' | 'pull_request'}.${'opened' | 'edited'}`

/** Without the `pullRequest` that the events of issues lack: the option `on` decides whether a command gets these events. */
type WithoutPullRequest<Member> = Member extends unknown ? Omit<Member, 'pullRequest'> : never

/** The delivery with the comment, the arguments of the command, and ways to answer. */
export type CommandDelivery<Text extends string = string> = WithoutPullRequest<Delivery<CommandEvent>> & {
  /**
   * The pull request as parameters for Octokit, `{ owner, repo, pull_number }`, together with the members of `extra`.
   * @throws {TypeError} if the comment is on an issue.
   */
  readonly pullRequest: Delivery<'pull_request'>['pullRequest']
  /** The arguments of the line, by the names in the usage text. */
  readonly args: CommandArguments<Text>
  /**
   * Comments on the issue or pull request. If this delivery has already replied with the same text, for example in an
   * earlier attempt, does nothing.
   */
  reply(text: string): Promise<void>
  /** Adds a reaction to the comment. */
  react(content: Reaction): Promise<void>
}

/** The handler of a command. hookserver ignores its return value. With an inbox, it stores it with the attempt. */
export type CommandHandler<Text extends string = string> = (delivery: CommandDelivery<Text>) => unknown

/** The options of `hooks.command()`: those of a handler, except its name, and those of the command. */
export interface CommandOptions extends Omit<HandlerOptions<CommandEvent>, 'name'> {
  /** A description for `/help`. */
  description?: string | undefined
  /** The permission on the repository that the author of the comment needs. Default: `'write'`. */
  permission?: CommandPermission | undefined
  /**
   * Teams, such as `'acme/ops'`. Their members may use the command without the permission, on repositories that they can
   * read. Default: none.
   */
  teams?: readonly string[] | undefined
  /** Where the command can be used. Default: `['issue', 'pull_request']`. */
  on?: readonly CommandTarget[] | undefined
  /** Whether a new issue or pull request can contain the command, and not only a comment. Default: `false`. */
  bodies?: boolean | undefined
  /** Whether a line that an edit adds or changes is a command. Default: `false`. */
  edits?: boolean | undefined
  /**
   * Whether bots can use the command. GitHub has no permission for most bots, so use a list of logins, such as
   * `['renovate[bot]']`: these bots need no permission. Default: `false`.
   */
  bots?: boolean | readonly string[] | undefined
  /** Whether `/help` and the answers to misspelled names mention the command. Default: `true`. */
  help?: boolean | undefined
}

/** The checked arguments of `hooks.command()`. */
export interface CommandRegistration {
  command: Command
  usage: Usage
  events: readonly CommandEvent[]
  handlerOptions: HandlerOptions
}

/** @throws {TypeError} naming the wrong argument or option. */
export function readCommand(text: unknown, options: CommandOptions | undefined = {}): CommandRegistration {
  if (!isString(text)) fail('hooks.command(): the usage', "a string, such as '/deploy <environment>'", text)
  const usage = parseUsage(text)
  const call = `hooks.command('${usage.name}')`
  if (!isObject(options)) fail(`${call}: the options`, 'an object', options)
  const { description, permission, teams, on, bodies, edits, bots, help, ...handlerOptions } = options as CommandOptions
  checkOptions({ description, permission, teams, on, bodies, edits, bots, help }, checks, { prefix: call })
  if ('name' in handlerOptions) throw new TypeError(`${call}: a command does not have the option "name"`)
  const command: Command = {
    ...{ name: usage.name, usage: text.trim().replaceAll(/\s+/g, ' '), description },
    ...{
      permission: permission ?? 'write',
      teams: teams ?? [],
      on: on ?? targets,
      bots: bots ?? false,
      isListed: help ?? true,
    },
  }
  const events = eventsOf(command.on, bodies ?? false, edits ?? false)
  const name = `command:${command.name}`
  return {
    command,
    usage,
    events,
    handlerOptions: { ...handlerOptions, name } as HandlerOptions,
  }
}

const targets: readonly CommandTarget[] = ['issue', 'pull_request']

/** A comment on a pull request is an `issue_comment` too. */
function eventsOf(on: readonly CommandTarget[], bodies: boolean, edits: boolean): CommandEvent[] {
  const actions = edits ? (['created', 'edited'] as const) : (['created'] as const)
  const bodyActions = edits ? (['opened', 'edited'] as const) : (['opened'] as const)
  const isOn = (target: CommandTarget) => on.includes(target)
  return [
    ...actions.map((action) => `issue_comment.${action}` as const),
    ...actions.flatMap((action) => (isOn('pull_request') ? [`pull_request_review_comment.${action}` as const] : [])),
    ...bodyActions.flatMap((action) => (bodies && isOn('issue') ? [`issues.${action}` as const] : [])),
    ...bodyActions.flatMap((action) => (bodies && isOn('pull_request') ? [`pull_request.${action}` as const] : [])),
  ]
}

const isTarget = (value: unknown): value is CommandTarget => value === 'issue' || value === 'pull_request'
const isTeam = (value: unknown): value is string => isString(value) && /^[^/\s]+\/[^/\s]+$/.test(value)
/** No user can have a login with brackets. */
const isBot = (value: unknown): value is string => isString(value) && value.endsWith('[bot]')
const boolean = isOneOf(true, false)

const checks = {
  description: must((value) => isString(value) && value.trim() !== '', 'a string that is not empty'),
  permission: isOneOf('read', 'triage', 'write', 'maintain', 'admin'),
  teams: must((value) => isListOf(value, isTeam), "a list of teams, such as ['acme/ops']"),
  on: must((value) => isListOf(value, isTarget) && value.length > 0, "a list of 'issue' and 'pull_request', not empty"),
  bodies: boolean,
  edits: boolean,
  bots: must(
    (value) => typeof value === 'boolean' || isListOf(value, isBot),
    "true, false or a list of bots, such as ['renovate[bot]']",
  ),
  help: boolean,
}
