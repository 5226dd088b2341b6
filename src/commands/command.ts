/** The permission on the repository that a command needs. Each includes those before it. */
export type CommandPermission = 'read' | 'triage' | 'write' | 'maintain' | 'admin'

/** Where people can use a command. */
export type CommandTarget = 'issue' | 'pull_request'

/** A registered comment command. */
export interface Command {
  /** In lower case, with its slash: `/deploy`. */
  readonly name: string
  /** `/deploy <environment> [version]` */
  readonly usage: string
  /** For the list of commands that `/help` answers. */
  readonly description: string | undefined
  /** The permission on the repository that the author of the comment needs. */
  readonly permission: CommandPermission
  /** The members of these teams, `organization/team`, may use the command without the permission. */
  readonly teams: readonly string[]
  /** The kinds of comments that are searched for the command. */
  readonly on: readonly CommandTarget[]
  /** Whether bots may use it. The bots of a list, such as `renovate[bot]`, need no permission. */
  readonly bots: boolean | readonly string[]
  /** Whether `/help` lists the command. */
  readonly isListed: boolean
}
