import { type Described, everyCommand, kindsOfWords } from './describe.ts'
import { quoted, wordList } from './quoting.ts'
import type { Values } from './values.ts'

/**
 * A script for bash alone, without the package of completions that many machines have. All that can be typed is in two
 * tables: what a word means behind those that lead to it, and what may be typed there. Nothing on the line is evaluated.
 */
export function bashScript(program: Described): string {
  const [name = ''] = program.path
  const kinds = kindsOfWords(program).map(([kind, places]) => `    ${anyOf(places)}) kind=${kind} ;;`)
  return `# Completes ${name} in bash:  source <(${name} completion bash)

# What a word is at a place.
_${name}_kind() {
  case $1 in
${kinds.join('\n')}
  esac
}

# What may be typed at a place: words, or files that fit one of the globs.
_${name}_offers() {
  case $1 in
${[...everyCommand(program)].flatMap(offersOf).join('\n')}
  esac
}
${runtime.replaceAll('PROGRAM', name)}`
}

function offersOf({ path, subcommands, flags, operands }: Described): string[] {
  const place = quoted(`${path.join(' ')} `)
  const offer = (whats: readonly string[], values: Values | undefined) =>
    values ? [`    ${whats.map((what) => place + what).join('|')}) ${assignment(values)} ;;`] : []
  const names = subcommands.map((one) => one.path.at(-1) ?? '')
  return [
    ...offer(['-'], { words: flags.flatMap((flag) => flag.names) }),
    ...(names.length > 0 ? offer(['1'], { words: names }) : []),
    ...flags.flatMap((flag) => offer(flag.names, flag.value?.values)),
    ...operands.flatMap(({ repeated, values }, index) =>
      offer(repeated ? [`[${index + 1}-9]`, '[1-9][0-9]*'] : [`${index + 1}`], values),
    ),
  ]
}

const anyOf = (places: readonly string[]): string => places.map(quoted).join('|')

function assignment(values: Values): string {
  if ('words' in values) return `words=(${wordList(values.words, quoted)})`
  const globs = values.files.length === 0 ? ['*'] : values.files.map((ending) => `*${ending}`)
  return `globs=(${wordList(globs, quoted)})`
}

const runtime = `
_PROGRAM() {
  local IFS=$' \\t\\n' line=\${COMP_LINE:0:COMP_POINT} typed=() gap piece i
  # bash cuts words at = and : too. What no white space parts is one word.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    gap=\${line%%[![:space:]]*}
    line=\${line:\${#gap}}
    piece=\${COMP_WORDS[i]}
    ((i < COMP_CWORD)) || piece=$line
    line=\${line:\${#piece}}
    if [[ $gap || $i == 0 ]]; then typed+=("$piece"); else typed[\${#typed[@]} - 1]+=$piece; fi
  done

  local place=PROGRAM operand=1 flag='' kind='' ended='' word
  for word in "\${typed[@]:1:\${#typed[@]} - 2}"; do
    if [[ $flag && ($kind == takes || $word != -*) ]]; then
      flag=''
      continue
    fi
    flag=''
    if [[ ! $ended && $word == -- ]]; then
      ended=yes
      continue
    fi
    kind=''
    [[ $ended ]] || _PROGRAM_kind "$place $word"
    case $kind in
      command) place+=" $word" ;;
      takes | may-take) flag=$word ;;
      *) [[ ! $ended && $word == -* ]] || ((operand++)) ;;
    esac
  done

  local words=() globs=() glob before='' kept one
  word=\${typed[\${#typed[@]} - 1]}
  if [[ $flag && ($kind == takes || $word != -*) ]]; then
    _PROGRAM_offers "$place $flag"
  elif [[ ! $ended && $word == --*=* ]]; then
    before=\${word%%=*}=
    _PROGRAM_offers "$place \${word%%=*}"
  elif [[ ! $ended && $word == -* ]]; then
    _PROGRAM_offers "$place -"
  else
    _PROGRAM_offers "$place $operand"
  fi

  # What readline replaces begins behind the last cut; an @ it replaces, too.
  [[ $piece == *[!=:]* ]] || piece=''
  kept=\${word:0:\${#word} - \${#piece}}
  kept=\${kept%@}
  COMPREPLY=()
  for one in "\${words[@]}"; do
    one=$before$one
    [[ $one != "$word"* ]] || COMPREPLY+=("\${one#"$kept"}")
  done
  [[ \${#globs[@]} != 0 ]] || return 0
  compopt -o filenames 2>/dev/null # so that readline quotes them
  word=\${word:\${#before}}
  while IFS='' read -r one; do
    one=$before$one
    COMPREPLY+=("\${one#"$kept"}")
  done < <(for glob in "\${globs[@]}"; do compgen -f -X "!$glob" -- "$word"; done; compgen -d -- "$word")
}

complete -F _PROGRAM PROGRAM
`
