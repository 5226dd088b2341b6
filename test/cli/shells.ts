/** What the scripts of `hookserver completion` do: in bash itself, and for zsh and fish by what they tell these shells. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

const bash = (code: string, args: readonly string[], cwd?: string): string => {
  const { stdout, stderr, error } = spawnSync('bash', ['--norc', '--noprofile', '-c', code, 'bash', ...args], {
    cwd,
    env: { PATH: process.env.PATH }, // no BASH_ENV
    encoding: 'utf8',
  })
  if (error || stderr) throw error ?? new Error(stderr)
  return stdout
}

export interface Position {
  /** What stands behind the cursor. */
  after?: string
  cwd?: string
  /** At which characters bash cuts words, beside white space. */
  breaks?: string
}

/** What bash offers behind `before`, sorted, each without what stays on the line. */
export function completionsInBash(script: string, before: string, { after = '', cwd, breaks = '=:' }: Position = {}) {
  const cut = breaks === '' ? /(?!)/ : new RegExp(`([${breaks}]+)`)
  const pieces = (line: string) =>
    line.split(/\s+/).flatMap((word) => (word === '' ? [''] : word.split(cut).filter(Boolean)))
  const code = `eval "$1"; COMP_LINE=$2 COMP_POINT=$3 COMP_CWORD=$4 COMP_WORDBREAKS=$5; COMP_WORDS=("\${@:6}")
    _\${COMP_WORDS[0]}; for one in "\${COMPREPLY[@]}"; do printf '%s\\0' "$one"; done`
  const args = [script, before + after, before.length, pieces(before).length - 1, breaks, ...pieces(before + after)]
  const printed = bash(code, args.map(String), cwd)
  return [...new Set(printed.split('\0').slice(0, -1))].toSorted()
}

/** What is on the line once these keys were typed on a terminal, by its words. */
export async function typedInBash(script: string, keys: string, cwd: string): Promise<string[]> {
  const child = spawn('script', ['-qec', 'bash --norc --noprofile -i', '/dev/null'], {
    cwd,
    env: { PATH: process.env.PATH, TERM: 'dumb', HOME: cwd, SCRIPT: script },
  })
  child.stdin.write(`eval "$SCRIPT"; hookserver() { printf '<%s>' "$@"; echo; }\n${keys}\nexit\n`)
  const [shown] = await Promise.all([text(child.stdout), once(child, 'close')])
  return [...(/^(?:<.*>)+/m.exec(shown)?.[0].matchAll(/<(.*?)>/g) ?? [])].map(([, word = '']) => word)
}

/**
 * What a command's function says to zsh: the words for `_arguments`, and those for `_describe`. zsh and bash quote
 * alike, so bash can read them.
 */
export function toldToZsh(script: string, path: string): string[] {
  const code = `compdef() { :; }; _arguments() { printf '%s\\0' "$@"; state=command; }
    _describe() { printf '%s\\0' "\${commands[@]}"; }; eval "$1"; "$2"; :`
  return bash(code, [script, `_${path.replaceAll(' ', '_')}`])
    .split('\0')
    .slice(0, -1)
}

/** What is told to fish of a command: the words of each `complete` behind its place, as fish reads them. */
export function toldToFish(script: string, path: string): string[][] {
  const at = `__${path.split(' ')[0]}_at '${path}'`
  const lines = script.split('\n').map((line) => {
    const words = line.matchAll(/'((?:[^'\\]|\\.)*)'|(\S+)/g)
    return [...words].map(([, quoted, bare]) => quoted?.replace(/\\(['\\])/g, '$1') ?? bare ?? '')
  })
  return lines.filter((words) => [at, `${at} '1'`].includes(words[4] ?? '')).map((words) => words.slice(5))
}
