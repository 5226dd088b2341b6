/** The texts that hookserver replies with. */
import type { Command, CommandPermission } from './command.ts'
import { inCode } from './conversation.ts'

/** The alternative to the permission: `` , or membership in the team `acme/ops` ``. */
function orTeam({ teams }: Command): string {
  if (teams.length === 0) return ''
  return `, or membership in ${teams.length === 1 ? 'the team' : 'one of the teams'} ${teams.map(inCode).join(', ')}`
}

export const deniedText = (command: Command, permission: CommandPermission | 'none'): string =>
  `${inCode(command.name)} did not run. It needs the permission ${inCode(command.permission)} on this repository` +
  `${orTeam(command)}. You have ${permission === 'none' ? 'no permission' : inCode(permission)}.`

export const wrongArgumentsText = ({ name, usage }: Command, fault: string): string =>
  `${inCode(name)} did not run: ${fault}.\n\nUsage: ${inCode(usage)}`

export const similarText = (name: string, similar: Command): string =>
  `There is no command ${inCode(name)}. Did you mean ${inCode(similar.name)}?\n\nUsage: ${inCode(similar.usage)}`

export const repeatedText = ({ name }: Command): string =>
  `${inCode(name)} runs once for a comment, so only its first line runs. Write another comment for the next one.`

/** A table of the commands. */
export function helpText(commands: readonly Command[]): string {
  const rows = commands.map((command) => {
    const description = (command.description ?? '').replaceAll(/\s+/g, ' ')
    const cells = [inCode(command.usage), description, inCode(command.permission) + orTeam(command)]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |` // also in code, a cell ends at its first |
  })
  return ['| command | effect | permission |', '|---|---|---|', ...rows].join('\n')
}
