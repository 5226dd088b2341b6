import { type Described, everyCommand, type Flag, type Operand, type Value } from './describe.ts'
import { quoted, wordList } from './quoting.ts'
import type { Values } from './values.ts'

/** A script for zsh: a function for each command, which tells zsh's own `_arguments` what there is. */
export function zshScript(program: Described): string {
  const [name = ''] = program.path
  const functions = [...everyCommand(program)].map((command) =>
    command.subcommands.length > 0 ? functionOfGroup(command) : functionOfCommand(command),
  )
  return `#compdef ${name}
# Completes ${name} in zsh:  source <(${name} completion zsh)

${functions.join('\n\n')}

# Sourced it says what it completes, and as a file of $fpath it is called at once.
if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi`
}

const functionName = ({ path }: Described): string => `_${path.join('_')}`

function functionOfCommand(command: Described): string {
  const specs = [...command.flags.flatMap(specsOfFlag), ...command.operands.map(specOfOperand)]
  return `${functionName(command)}() {
  _arguments -S : ${lines(specs)}
}`
}

function functionOfGroup(command: Described): string {
  const { subcommands } = command
  const last = (one: Described) => one.path.at(-1) ?? ''
  const described = subcommands.map((one) => `${colons(last(one))}:${one.description.replaceAll('\\', '\\\\')}`)
  const cases = subcommands.map((one) => `      ${quoted(last(one))}) ${functionName(one)} && ret=0 ;;`)
  return `${functionName(command)}() {
  local curcontext=$curcontext state ret=1
  local -a line commands
  _arguments -C -S : ${lines([...command.flags.flatMap(specsOfFlag), '1: :->command', '*:: :->rest'])} && ret=0
  if [[ $state == command ]]; then
    commands=(${lines(described)})
    _describe -t commands command commands && ret=0
  elif [[ $state == rest ]]; then
    curcontext=\${curcontext%:*}-$line[1]:
    case $line[1] in
${cases.join('\n')}
    esac
  fi
  return $ret
}`
}

const lines = (texts: readonly string[]): string => texts.map((text) => ` \\\n    ${quoted(text)}`).join('')

/** One for each name; any may be given more than once, which commander leaves to us. */
function specsOfFlag({ names, description, value }: Flag): string[] {
  const explained = `[${description.replace(/[[\]:\\]/g, '\\$&')}]`
  const taken = value === undefined ? '' : `${value.optional ? '::' : ':'}${messageAndAction(value)}`
  return names.map((name) => {
    const equals = value !== undefined && name.startsWith('--') ? '=' : ''
    return `*${name}${equals}${explained}${taken}`
  })
}

const specOfOperand = (operand: Operand, index: number): string =>
  `${operand.repeated ? '*' : index + 1}${operand.optional && !operand.repeated ? '::' : ':'}${messageAndAction(operand)}`

const messageAndAction = ({ name, values }: Value): string => `${colons(name)}:${colons(actionOf(values))}`

/** Of what nobody knows zsh shows the name alone. */
function actionOf(values: Values | undefined): string {
  if (values === undefined) return ' '
  if ('words' in values) return `(${wordList(values.words, quoted)})`
  return values.files.length === 0 ? '_files' : `_files -g ${quoted(`*(${values.files.join('|')})`)}`
}

const colons = (text: string): string => text.replaceAll(':', '\\:')
