/** Shell completion. The script of a shell passes the command line to this program, which prints the candidates. */
import { readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { Argument, type Command, Option } from 'commander'
import { knownNames } from '../events.ts'
import { deliveryStates } from '../inbox/records.ts'
import { sampleNames } from '../samples/index.ts'
import { type Setting, wordsOf } from '../server/config/setting.ts'
import { type SettingName, settings } from '../server/config/settings.ts'
import { UsageError } from './flags.ts'
import { printable, printLines } from './output.ts'

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>').choices(Object.keys(scripts)).argParser(parseShell))
    .summary('Print a shell completion script')
    .description(
      'Prints a completion script for bash, zsh or fish. It completes commands, flags, files, events and other values.',
    )
    .addHelpText('after', examples)
    // The scripts pass two more arguments: the command line (all shells) and `$COMP_WORDBREAKS` (only bash).
    .allowExcessArguments()
    .action(async (shell: keyof typeof scripts, _, { args: [, line, breaks = ''] }: Command) => {
      if (line === undefined) return void (await printLines([scripts[shell]]))
      const { names, areFiles } = completionsOf(program, line)
      if (shell === 'bash') await printLines([areFiles ? 'files' : 'words', ...forReadline(names, line, breaks)])
      else await printLines(shell === 'zsh' ? names.map((one) => one.replaceAll(':', '\\:').replace('\t', ':')) : names)
    })
}

/** @throws {UsageError} */
function parseShell(text: string): string {
  if (Object.hasOwn(scripts, text)) return text
  throw new UsageError(`There is no completion for ${text}: choose bash, zsh or fish`)
}

const examples = `
To load it in every new shell (hookserver must be in your PATH):
  bash    echo 'source <(hookserver completion bash)' >> ~/.bashrc
  zsh     echo 'source <(hookserver completion zsh)' >> ~/.zshrc        below compinit
  fish    hookserver completion fish > ~/.config/fish/completions/hookserver.fish`

const scripts = {
  bash: `_hookserver() {
  local kind='' one
  COMPREPLY=()
  while IFS='' read -r one; do
    if [[ $kind ]]; then COMPREPLY+=("\${one%%$'\\t'*}"); else kind=$one; fi
  done < <(hookserver completion bash -- "\${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
  [[ $kind != files ]] || compopt -o filenames 2>/dev/null # readline then quotes them and adds a slash to folders
}
complete -F _hookserver hookserver`,

  zsh: `#compdef hookserver
_hookserver() {
  local -a found folders
  found=("\${(@f)$(hookserver completion zsh -- "\${(j: :)words[1,CURRENT-1]} $PREFIX" 2>/dev/null)}")
  folders=(\${(M)found:#*/}) found=(\${found:#*/})
  _describe hookserver found -- folders -S ''
}
if [[ $funcstack[1] == _hookserver ]]; then _hookserver "$@"; else compdef _hookserver hookserver; fi`,

  fish: `complete -c hookserver -f -a '(hookserver completion fish -- (commandline -cp | string collect) 2>/dev/null)'`,
} as const

interface Completions {
  /** A name may have a description, after a tab. The name of a folder ends with a slash. */
  names: readonly string[]
  areFiles: boolean
}

/** The candidates for the last word of a line. No part of the line is evaluated. */
export function completionsOf(program: Command, line: string): Completions {
  const words = splitWords(line).map(unquoted)
  const typed = words.length > 1 ? (words.pop() as string) : ''
  let command = program
  let flag: Option | undefined // the previous word, if it is a flag: this word may be its value
  let [operands, ended] = [0, false]
  for (const word of words.slice(1)) {
    const isValue = takesNext(flag, word)
    flag = undefined
    if (isValue) continue
    const next = operands === 0 && !ended ? command.commands.find((one) => one.name() === word) : undefined
    if (next) command = next
    else if (!ended && word.startsWith('-')) [flag, ended] = [flagNamed(command, word), word === '--']
    else if (word !== 'help' || command.commands.length === 0) operands++
  }
  if (takesNext(flag, typed)) return valuesOf(flag, typed)
  const [, prefix = '', name = ''] = /^((--[^=]+)=)/.exec(ended ? '' : typed) ?? []
  if (prefix !== '') return valuesOf(flagNamed(command, name), typed.slice(prefix.length), prefix)
  const help = command.createHelp()
  const named = (of: string | undefined, text: string) => (of?.startsWith(typed) ? [`${of}\t${printable(text)}`] : [])
  if (!ended && typed.startsWith('-')) {
    const flags = help.visibleOptions(command)
    const names = flags.flatMap((one) => [one.short, one.long].flatMap((of) => named(of, one.description)))
    return { names, areFiles: false }
  }
  const below = operands === 0 ? help.visibleCommands(command) : []
  const names = below.flatMap((one) => named(one.name(), one.summary() || one.description()))
  if (below.length > 0) return { names, areFiles: false }
  const { registeredArguments } = command
  return valuesOf(registeredArguments[operands] ?? registeredArguments.findLast(({ variadic }) => variadic), typed)
}

const splitWords = (line: string): string[] =>
  line.match(/(?:[^\s\\'"]|\\.?|'[^']*'?|"(?:[^"\\]|\\.)*"?)+|(?<=\s)$/gs) ?? []

const unquoted = (word: string): string => word.replace(/\\(.?)|'([^']*)'?|"((?:[^"\\]|\\.)*)"?/gs, '$1$2$3')

const flagNamed = (command: Command, name: string): Option | undefined =>
  command.options.find(({ short, long }) => [short, long].includes(name))

const takesNext = (flag: Option | undefined, word: string): boolean =>
  flag !== undefined && (flag.required || (flag.optional && !word.startsWith('-')))

/**
 * The values of a flag or argument. If its placeholder stands for a file, such as `<module>`: files and folders.
 * Otherwise: its choices, else the words that the setting of the same name accepts, else the values for its
 * placeholder.
 */
function valuesOf(of: Option | Argument | undefined, typed: string, prefix: string = ''): Completions {
  const [name, setting] =
    of instanceof Option
      ? [/[<[](.+)[\]>]$/.exec(of.flags)?.[1], settings[of.attributeName() as SettingName]]
      : [of?.name()]
  const endings = fileEndings[name ?? '']
  const words = of?.argChoices ?? (setting && wordsOf(setting as Setting)) ?? wordsFor[name ?? '']?.() ?? []
  const found = (endings ? filesAt(typed, endings) : words).filter((one) => one.startsWith(typed))
  return { names: found.map((one) => prefix + one), areFiles: endings !== undefined }
}

/** The files to offer for a placeholder, besides folders. For `dir`, the pattern matches no file. */
const fileEndings: Readonly<Record<string, RegExp>> = {
  file: /$/,
  database: /$/,
  module: /\.(ts|js|mjs)$/,
  dir: /(?!)/,
}

const wordsFor: Readonly<Record<string, () => readonly string[]>> = {
  event: () => knownNames(),
  'event[.action]': () => ['all', ...sampleNames()],
  state: () => deliveryStates,
}

/** Folders, and files with this ending. */
function filesAt(typed: string, ending: RegExp): string[] {
  const folder = typed.slice(0, typed.lastIndexOf('/') + 1)
  try {
    return readdirSync(folder.replace(/^~\//, `${homedir()}/`) || '.', { withFileTypes: true })
      .filter((entry) => printable(entry.name) === entry.name && (entry.isDirectory() || ending.test(entry.name)))
      .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`)
  } catch {
    return [] // the folder cannot be read
  }
}

/**
 * The part of each name that readline inserts. readline splits a word at each `=`, `:` or `@` that is in `breaks`, and
 * replaces only the last part. After a split at `=` or `:`, the last part does not contain this character. After a
 * split at `@`, the last part begins with the `@`. The names of folders lose their slash here, because readline adds
 * it.
 */
function forReadline(names: readonly string[], line: string, breaks: string): string[] {
  const word = splitWords(line).at(-1) ?? ''
  const last = [...word].findLastIndex((one) => '=:@'.includes(one) && breaks.includes(one))
  const kept = unquoted(word.slice(0, word[last] === '@' ? last : last + 1))
  return names.map((name) => name.slice(kept.length).replace(/\/$/, ''))
}
