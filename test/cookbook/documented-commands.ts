/** Finds the commands `npx hookserver …` of a document, and checks them without running them. */
import type { Command } from 'commander'
import { createProgram } from '../../src/cli/program.ts'

/** The words of each `npx hookserver` command in the code blocks of a document, without these two words. */
export function commandsIn(document: string): string[][] {
  const fenced = [...document.matchAll(/^ *```sh\n(.*?)^ *```$/gms)].map(([, code = '']) => code)
  const indented = document.match(/^ {4}.*npx hookserver .*$/gm) ?? []
  return [...fenced, ...indented].flatMap((code) => {
    const lines = code.replaceAll(/\\\n/g, ' ').replaceAll(/\|\n/g, '| ').split('\n')
    return lines.flatMap((line) => {
      const commands = commandsOf(line).map((words) => words.slice(words.indexOf('npx')))
      return commands.flatMap(([npx, program, ...args]) => (npx === 'npx' && program === 'hookserver' ? [args] : []))
    })
  })
}

/** Splits a line of shell code into commands, and each command into words, as far as our documents need it. */
function commandsOf(line: string): string[][] {
  const commands: string[][] = [[]]
  for (const [word, comment, separator, output] of line.matchAll(
    /(#.*)|(\|\||&&|[|;&()])|(\d?>+ ?\S+)|(?:"(?:[^"\\]|\\.)*"|'[^']*'|\$\([^)]*\)|<<?'?\w+'?|[^\s|;&()'"])+/g,
  )) {
    if (comment) break
    if (separator) commands.push([])
    else if (!output) commands.at(-1)?.push(word.replaceAll(/^['"]|['"]$|(?<==)['"]/g, ''))
  }
  return commands
}

/** Parses a command line with all its checks of arguments and flags. @returns the name of the command. @throws if it is invalid. */
export function parseCommand(args: readonly string[]): string {
  let called = ''
  const program = createProgram().configureOutput({ writeOut: () => {}, writeErr: () => {}, outputError: () => {} })
  const inert = (command: Command): void => {
    command.configureOutput({ writeOut: () => {}, writeErr: () => {} }).exitOverride()
    if (command.commands.length === 0) command.action(() => void (called = command.name()))
    for (const child of command.commands) inert(child)
  }
  inert(program)
  Object.assign(program, { _lifeCycleHooks: {} }) // reads no .env file
  try {
    program.parse(args, { from: 'user' })
  } catch (error) {
    if ((error as { exitCode?: number }).exitCode !== 0) throw error // 0: `--help` and `--version`
  }
  return called
}
