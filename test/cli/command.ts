/** Runs the command line in a process of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import type { Readable } from 'node:stream'
import { expect } from 'vitest'
import { createProgram } from '../../src/cli/program.ts'
import { main } from '../build.ts'
import { compileCache } from '../compile-cache.ts'

export interface Ended {
  code: number | null
  stdout: string
  /** The bytes of stdout. */
  bytes: Buffer
  stderr: string
}

/** Variables of the developer's machine that must not influence a test. */
const deciding =
  /^(HOOKSERVER_.*|DATABASE_URL|PORT|GITHUB_.*|NO_COLOR|FORCE_COLOR|COLORTERM|COLUMNS|CI|TMUX|TF_BUILD|TEAMCITY_VERSION)$/
const inherited = Object.entries(process.env).filter(([name]) => !deciding.test(name))
const bare = { ...Object.fromEntries(inherited), ...compileCache }

/**
 * Runs `hookserver` until it exits, without a terminal.
 * @param leaves Whether to close the pipe after the first output.
 * @param cwd Default: a directory without files of hookserver.
 */
export async function hookserver(
  args: readonly string[],
  env: Record<string, string> = {},
  { leaves = false, cwd = tmpdir() } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], { cwd, env: { ...bare, ...env } })
  child.stdin.end()
  if (leaves) child.stdout.once('data', () => child.stdout.destroy())
  return ended(child)
}

/** What `--help` prints for the command with these words, such as `hooks` and `ensure`. Starts no process. */
export function helpOf(path: readonly string[]): string {
  let command = createProgram()
  for (const word of path) {
    const child = command.commands.find((one) => one.name() === word)
    if (!child) throw new Error(`There is no command "${word}"`)
    command = child
  }
  let help = ''
  command.configureOutput({ writeOut: (text) => (help += text) })
  const run = () => command.parse(['--help'], { from: 'user' })
  expect(run).toThrow(expect.objectContaining({ exitCode: 0 }))
  return help
}

/** Whether tests can give a command a terminal: they use `script` of util-linux. */
export const hasTerminals = process.platform === 'linux'

interface Terminal {
  columns?: number
  env?: Record<string, string>
  /** The answer to a question. */
  typed?: string
  /** The end of the question. Default: that of a confirmation. */
  asks?: RegExp
  /** Runs before the answer. */
  meanwhile?: () => Promise<void>
}

/** Runs `hookserver` on a terminal; `stdout` contains stderr too. */
export async function onTerminal(
  args: readonly string[],
  { columns = 80, env = {}, typed = '', asks = /\[y\/N\] /, meanwhile = async () => {} }: Terminal = {},
): Promise<Ended> {
  const command = [process.execPath, main, ...args].map((arg) => `'${arg.replaceAll("'", "'\\''")}'`).join(' ')
  const script = ['-qec', `stty -echo cols ${columns}; ${command}`, '/dev/null']
  const child = spawn('script', script, { cwd: tmpdir(), env: { ...bare, TERM: 'xterm', ...env } })
  let shown = ''
  child.stdout.on('data', async (chunk: Buffer) => {
    const before = asks.test(shown)
    shown += chunk
    if (before || !asks.test(shown)) return
    await meanwhile()
    child.stdin.write(typed)
  })
  return ended(child)
}

async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const [stdout, stderr] = [child.stdout, child.stderr].map(collected) as [Buffer[], Buffer[]]
  const [code] = (await once(child, 'close')) as [number | null]
  const bytes = Buffer.concat(stdout)
  return { code, stdout: bytes.toString(), bytes, stderr: Buffer.concat(stderr).toString() }
}

function collected(stream: Readable): Buffer[] {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return chunks
}
