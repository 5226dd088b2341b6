import { nearest } from '../runtime/nearest.ts'
import type { Command } from './command.ts'

/** The name of the command that hookserver answers. */
export const helpName = '/help'

/** How many names of a comment are compared with those of the commands. */
export const maxCompared = 20

/** The command that an author has probably meant by a name. `undefined` for the name of a command, and for other words. */
export function similarCommand(name: string, commands: readonly Command[]): Command | undefined {
  if (name === helpName || commands.some((command) => command.name === name)) return undefined
  const listed = commands.filter(({ isListed }) => isListed)
  const names = listed.map((command) => command.name)
  const similar = nearest(name, names, name.length > 5 ? 2 : 1)
  return listed.find((command) => command.name === similar)
}
