import { type Described, everyCommand, type Flag, kindsOfWords } from './describe.ts'
import { quotedForFish as quoted, wordList } from './quoting.ts'
import type { Values } from './values.ts'

/**
 * A script for fish: a line for each command, flag and operand, and where it is meant. Of a flag that must have a value
 * fish knows what to do; which command a word belongs to, and which words are values, it does not.
 */
export function fishScript(program: Described): string {
  const [name = ''] = program.path
  const kinds = kindsOfWords(program).map(
    ([kind, places]) => `        case ${places.map(quoted).join(' ')}\n            echo ${kind}`,
  )
  return `# Completes ${name} in fish:  ${name} completion fish > ~/.config/fish/completions/${name}.fish

# What a word is at a place.
function __${name}_kind
    switch $argv[1]
${kinds.join('\n')}
    end
end
${runtime.replaceAll('PROGRAM', name)}
complete -c ${name} -f
${[...everyCommand(program)].flatMap((command) => linesOf(command, name)).join('\n')}`
}

function linesOf({ path, subcommands, flags, operands }: Described, name: string): string[] {
  const place = quoted(path.join(' '))
  const line = (what: string, text: string) => {
    const at = `__${name}_at ${place}${what === '' ? '' : ` ${quoted(what)}`}`
    return `complete -c ${name} -n ${quoted(at)} ${text}`
  }
  const described = ({ description }: { description: string }) => `-d ${quoted(description)}`
  return [
    ...subcommands.map((one) => line('1', `-a ${quoted(one.path.at(-1) ?? '')} ${described(one)}`)),
    ...flags.map((flag) => line('', [...namesOf(flag), ...takenBy(flag, name), described(flag)].join(' '))),
    // fish has no word for a value that may be missing: it takes what follows for an operand.
    ...flags.flatMap(({ names, value: { optional, values } = {} }) =>
      optional && values ? names.map((one) => line(one, offer(values, name))) : [],
    ),
    ...operands.flatMap(({ values, repeated }, index) =>
      values ? [line(repeated ? `([${index + 1}-9]|[1-9][0-9]+)` : `${index + 1}`, offer(values, name))] : [],
    ),
  ]
}

const namesOf = ({ names }: Flag): string[] =>
  names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))

function takenBy({ value }: Flag, name: string): string[] {
  if (value === undefined) return []
  return [...(value.optional ? [] : ['-r']), value.values ? offer(value.values, name) : '-f']
}

function offer(values: Values, name: string): string {
  if ('words' in values) return `-f -a ${quoted(wordList(values.words, quoted))}`
  return values.files.length === 0 ? '-F' : `-f -a ${quoted(`(__${name}_files ${values.files.join(' ')})`)}`
}

const runtime = `
# Folders, and files with one of the endings.
function __PROGRAM_files
    set -l endings (string escape --style=regex -- $argv | string join '|')
    complete -C "'' "(commandline -ct) | string match -r ".*(?:/|$endings)(?=\\t|\\$)"
end

# Whether the cursor is at a command; and, if that is asked, at one of its operands or behind one of its flags.
function __PROGRAM_at
    set -l place PROGRAM
    set -l operand 1
    set -l flag ''
    set -l kind ''
    set -l ended no
    for word in (commandline -opc)[2..]
        if test -n "$flag"; and begin; test "$kind" = takes; or not string match -q -- '-*' "$word"; end
            set flag ''
            continue
        end
        set flag ''
        set kind ''
        if test $ended = yes
            set operand (math $operand + 1)
            continue
        end
        test "$word" = --; and set ended yes
        set kind (__PROGRAM_kind "$place $word")
        switch "$kind"
            case command
                set place "$place $word"
            case takes may-take
                set flag $word
            case ''
                string match -q -- '-*' "$word"; or set operand (math $operand + 1)
        end
    end
    test "$place" = "$argv[1]"; or return 1
    test (count $argv) = 1; and return 0
    string match -q -- '-*' (commandline -ct); and return 1
    test -n "$flag"; and set operand $flag
    string match -qr -- "^$argv[2]\\$" "$operand"
end
`
