/** Runs the scripts of `hookserver completion` in real shells. */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { main } from '../build.ts'
import { compileCache } from '../compile-cache.ts'
import { hookserver } from './command.ts'

export const hasShell = (name: string): boolean => spawnSync(name, ['-c', 'exit 0']).status === 0

/**
 * A folder with a program `hookserver`, which a shell starts for each completion. It prints a script as the real command
 * does, passes a completion on to {@link server}, because a start of Node.js takes 90 ms of CPU, and for any other command
 * prints its arguments.
 */
const bin = mkdtempSync(join(tmpdir(), 'hookserver-bin-'))
const program = join(bin, 'hookserver')
writeFileSync(
  program,
  `#!/usr/bin/env bash
[ "$1" = completion ] || { printf '<%s>' "$@"; echo; exit; }
[ $# -gt 2 ] || exec '${process.execPath}' '${main}' "$@"
exec 3<>"/dev/tcp/127.0.0.1/$COMPLETION_PORT"
printf '%s\\0' $# "$PWD" "$@" >&3
cat <&3
`,
)
chmodSync(program, 0o755)

/** Runs the commands that `program` sends: the number of arguments, the current folder, and the arguments. */
const server = createServer((socket) => {
  let received = ''
  socket.on('data', async (chunk) => {
    received += chunk
    const [count, cwd, ...args] = received.split('\0').slice(0, -1)
    if (args.length === Number(count)) socket.end((await hookserver(args, {}, { cwd: cwd as string })).bytes)
  })
}).unref()

/** Its port, a PATH with `program`, no BASH_ENV, and no start-up files of the user. */
async function environment(home: string) {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const { PATH = '', FPATH, LD_LIBRARY_PATH } = process.env
  const found = Object.entries({ FPATH, LD_LIBRARY_PATH }).filter(([, value]) => value !== undefined)
  const own = { PATH: bin + delimiter + PATH, HOME: home, TERM: 'dumb', COMPLETION_PORT: String(port) }
  return { ...compileCache, ...Object.fromEntries(found), ...own }
}

/** The stdout of a shell. @throws if it fails or writes to stderr. */
async function outputOf(shell: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(shell, args, { cwd, env: await environment(cwd) })
  if (stderr) throw new Error(stderr)
  return stdout
}

export interface Position {
  /** The text after the cursor. */
  after?: string
  cwd?: string
  /** The characters besides white space at which bash splits words. */
  breaks?: string
}

/** The words that bash gets in COMPREPLY when the cursor is at the end of `before`, sorted. */
export async function repliesInBash(
  script: string,
  before: string,
  { after = '', cwd = tmpdir(), breaks = '=:' }: Position,
): Promise<string[]> {
  const code = `eval "$1"; COMP_LINE=$2 COMP_POINT=$3 COMP_WORDBREAKS=$4
    _hookserver; for one in "\${COMPREPLY[@]}"; do printf '%s\\0' "$one"; done`
  const args = ['--norc', '--noprofile', '-c', code, 'bash', script, before + after, String(before.length), breaks]
  return (await outputOf('bash', args, cwd)).split('\0').slice(0, -1).toSorted()
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
  const child = spawn('script', ['-qec', command, '/dev/null'], { cwd, env: await environment(cwd) })
  child.stdin.write(`${load}\nhookserver ${keys}\nexit\n`)
  const [shown] = await Promise.all([text(child.stdout), once(child, 'close')])
  return [...(/^(?:<.*>)+/m.exec(shown)?.[0].matchAll(/<(.*?)>/g) ?? [])].map(([, word = '']) => word)
}

/** The candidates of fish at the end of a line, with their descriptions. */
export async function offersInFish(script: string, line: string, cwd: string): Promise<string[]> {
  mkdirSync(join(cwd, '.config', 'fish'), { recursive: true })
  const args = ['--no-config', '-c', 'eval $argv[1]; complete -C $argv[2]', script, line]
  return (await outputOf('fish', args, cwd)).split('\n').slice(0, -1)
}
