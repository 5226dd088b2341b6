/** The reference of the command line: the help of every command. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../sources.ts'

const main = join(root, 'dist/cli/main.js')

function helpOf(words: readonly string[]): string {
  const env = { ...process.env, COLUMNS: '80', NO_COLOR: '1' }
  return execFileSync(process.execPath, [main, ...words, '--help'], { encoding: 'utf8', env }).trimEnd()
}

/** The names in the section `Commands:` of a help text, without `help`. */
function commandsIn(help: string): string[] {
  const [, rest = ''] = help.split('\nCommands:\n')
  const [section = ''] = rest.split('\n\n')
  return [...section.matchAll(/^ {2}(\w+)/gm)].flatMap(([, name = '']) => (name === 'help' ? [] : [name]))
}

function sections(words: readonly string[]): string[] {
  const help = helpOf(words)
  const title = ['hookserver', ...words].join(' ')
  const below = commandsIn(help).flatMap((name) => sections([...words, name]))
  return [`## ${title}\n\n\`\`\`text\n${help}\n\`\`\`\n`, ...below]
}

export function commandLinePage(): string {
  const intro = 'The output of `--help` for each command. [Command line](../cli.md) explains them, with examples.'
  return ['# Command line: all flags', intro, ...sections([])].join('\n\n')
}
