/** Runs the scripts of `hookserver completion` in real shells. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { main } from '../build.ts'
import { compileCache } from '../compile-cache.ts'

export const hasShell = (name: string): boolean => spawnSync(name, ['-c', 'exit 0']).status === 0

/**
 * A folder with a program `hookserver`. It answers the command `completion` as the real one does. For any other command
 * it prints its arguments.
 */
const bin = mkdtempSync(join(tmpdir(), 'hookserver-bin-'))
const program = join(bin, 'hookserver')
writeFileSync(
  program,
  `#!/bin/sh
[ "$1" != completion ] || exec '${process.execPath}' '${main}' "$@"
printf '<%s>' "$@"; echo
`,
)
chmodSync(program, 0o755)

/** No BASH_ENV, and no start-up files of the user. */
const env = (home: string) => {
  const { PATH = '', FPATH, LD_LIBRARY_PATH } = process.env
  const found = Object.entries({ FPATH, LD_LIBRARY_PATH }).filter(([, value]) => value !== undefined)
  return { ...compileCache, ...Object.fromEntries(found), PATH: bin + delimiter + PATH, HOME: home, TERM: 'dumb' }
}

export interface Position {
  /** The text after the cursor. */
  after?: string
  cwd?: string
  /** The characters besides white space at which bash splits words. */
  breaks?: string
}

/** The words that bash gets in COMPREPLY when the cursor is at the end of `before`, sorted. */
export function repliesInBash(script: string, before: string, { after = '', cwd = tmpdir(), breaks = '=:' }: Position) {
  const code = `eval "$1"; COMP_LINE=$2 COMP_POINT=$3 COMP_WORDBREAKS=$4
    _hookserver; for one in "\${COMPREPLY[@]}"; do printf '%s\\0' "$one"; done`
  const args = ['--norc', '--noprofile', '-c', code, 'bash', script, before + after, String(before.length), breaks]
  const { stdout, stderr, error } = spawnSync('bash', args, { cwd, env: env(cwd), encoding: 'utf8' })
  if (error || stderr) throw error ?? new Error(stderr)
  return stdout.split('\0').slice(0, -1).toSorted()
}

const interactive = {
  bash: { command: 'bash --norc --noprofile -i', load: 'source <(hookserver completion bash)' },
  zsh: {
    command: 'zsh -f -i',
    load: 'unsetopt beep; autoload -U compinit; compinit -u -D; source <(hookserver completion zsh)',
  },
}

/** The arguments of the command after these keys were typed on a terminal. */
export async function typedIn(shell: keyof typeof interactive, keys: string, cwd: string): Promise<string[]> {
  const { command, load } = interactive[shell]
  const child = spawn('script', ['-qec', command, '/dev/null'], { cwd, env: env(cwd) })
  child.stdin.write(`${load}\nhookserver ${keys}\nexit\n`)
  const [shown] = await Promise.all([text(child.stdout), once(child, 'close')])
  return [...(/^(?:<.*>)+/m.exec(shown)?.[0].matchAll(/<(.*?)>/g) ?? [])].map(([, word = '']) => word)
}

/** The candidates of fish at the end of a line, with their descriptions. */
export function offersInFish(script: string, line: string, cwd: string): string[] {
  mkdirSync(join(cwd, '.config', 'fish'), { recursive: true })
  const args = ['--no-config', '-c', 'eval $argv[1]; complete -C $argv[2]', script, line]
  const { stdout, stderr, error } = spawnSync('fish', args, { cwd, env: env(cwd), encoding: 'utf8' })
  if (error || stderr) throw error ?? new Error(stderr)
  return stdout.split('\n').slice(0, -1)
}
