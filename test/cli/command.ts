/** Runs the command line, in the process of the test or in one of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { Console } from 'node:console'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { Readable } from 'node:stream'
import { expect } from 'vitest'
import * as sources from '../../src/cli/program.ts'
import { Mutex } from '../../src/runtime/mutex.ts'
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

const require = createRequire(import.meta.url)

/** The built command line. Its `import()` of a module is that of Node.js, which Vitest replaces in the sources. */
const built = () => require('../../dist/chunks/program.js') as typeof sources

/** A command in the process of the test changes that process, so these commands run one at a time. */
const turns = new Mutex()

/**
 * Runs `hookserver` in the process of the test, without a terminal. Takes a tenth of the time of `hookserverProcess`,
 * which this function uses only for flags of Node.js. A module is imported once, so a test that changes it needs
 * `hookserverProcess` too.
 * @param cwd Default: a directory without files of hookserver.
 * @param input The content of stdin.
 */
export async function hookserver(
  args: readonly string[],
  env: Record<string, string> = {},
  { cwd = tmpdir(), input = '', node = [] as readonly string[] } = {},
): Promise<Ended> {
  if (node.length > 0) return hookserverProcess(args, env, { cwd, node })
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  const code = await runHere(args, env, { cwd, input, onOutput: (chunk, stream) => chunks[stream].push(chunk) })
  const [bytes, errors] = [Buffer.concat(chunks.stdout), Buffer.concat(chunks.stderr)]
  return { code, stdout: bytes.toString(), bytes, stderr: errors.toString() }
}

export interface LocalRun {
  cwd: string
  /** The content of stdin. */
  input?: string
  /** Whether the command imports a module. Default: whether the arguments name one. */
  importsModule?: boolean
  onOutput: (chunk: Buffer, stream: 'stdout' | 'stderr') => void
}

/** Runs `hookserver` in the process of the test, without a terminal. @returns the exit code. */
export function runHere(
  args: readonly string[],
  env: Record<string, string>,
  { cwd, input = '', importsModule = args.some((arg) => /\.[cm]?[jt]s$/.test(arg)), onOutput }: LocalRun,
): Promise<number> {
  return turns.run(async () => {
    using _folder = changed(process.cwd(), cwd, (folder) => process.chdir(folder))
    using _variables = changed(process.env, { ...bare, ...env }, (variables) => (process.env = variables))
    using _code = changed(process.exitCode, undefined, (code) => (process.exitCode = code))
    using _exit = replaced(process, 'exit', () => {}) // a command calls it last
    using _input = replaced(process, 'stdin', Readable.from([Buffer.from(input)]))
    using _stdout = captured(process.stdout, (chunk) => onOutput(chunk, 'stdout'))
    using _stderr = captured(process.stderr, (chunk) => onOutput(chunk, 'stderr'))
    using _console = replaced(globalThis, 'console', new Console(process.stdout, process.stderr))
    using _signals = withoutNewListeners()
    using _flags = replaced(globalThis, Symbol.for('hookserver.namesFlags') as never, undefined)
    using _logger = replaced(globalThis, Symbol.for('hookserver.defaultLogger') as never, undefined)
    const { run } = importsModule ? built() : sources
    // Not `await run(args)`: this line would be in the stacks of asynchronous errors, and the command would show it.
    await new Promise<void>((resolve, reject) => {
      run(args).then(
        () => resolve(),
        (error) => reject(error),
      )
    })
    return (process.exitCode ?? 0) as number
  })
}

/** Sets a value until the end of the scope. */
function changed<T>(before: T, value: T, set: (value: T) => void): Disposable {
  set(value)
  return { [Symbol.dispose]: () => set(before) }
}

/** Replaces a member until the end of the scope. */
function replaced<Owner extends object, Name extends keyof Owner>(
  owner: Owner,
  name: Name,
  value: unknown,
): Disposable {
  const before = Object.getOwnPropertyDescriptor(owner, name)
  Object.defineProperty(owner, name, { configurable: true, writable: true, value })
  return {
    [Symbol.dispose]() {
      if (before) Object.defineProperty(owner, name, before)
      else delete owner[name]
    },
  }
}

/** Passes the output of a stream to a function until the end of the scope. */
function captured(stream: NodeJS.WriteStream, onOutput: (chunk: Buffer) => void): Disposable {
  const write = (chunk: string | Uint8Array, done?: () => void) => {
    onOutput(Buffer.from(chunk as string))
    done?.()
    return true
  }
  return replaced(stream, 'write', write)
}

const events = ['SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtException'] as const
const listenersOf = (event: string) => process.rawListeners(event as NodeJS.Signals) as NodeJS.SignalsListener[]

/** The listeners that the running command has not added. */
let earlierListeners: ReadonlySet<NodeJS.SignalsListener> = new Set(events.flatMap(listenersOf))

/** Removes the listeners that the command of the scope adds to the process. */
function withoutNewListeners(): Disposable {
  const earlier = new Set(events.flatMap(listenersOf))
  earlierListeners = earlier
  return {
    [Symbol.dispose]() {
      for (const event of events) {
        for (const listener of listenersOf(event)) if (!earlier.has(listener)) process.off(event, listener)
      }
    },
  }
}

/** Has the effect of Ctrl-C on the command in the process of the test. */
export function interruptHere(): void {
  for (const listener of listenersOf('SIGINT')) if (!earlierListeners.has(listener)) listener('SIGINT')
}

/**
 * Runs `hookserver` in its own process until it exits, without a terminal. For commands that load a module, and tests
 * of the process itself.
 * @param leaves Whether to close the pipe after the first output.
 * @param cwd Default: a directory without files of hookserver.
 * @param node Flags of Node.js.
 */
export async function hookserverProcess(
  args: readonly string[],
  env: Record<string, string> = {},
  { leaves = false, cwd = tmpdir(), node = [] as readonly string[] } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [...node, main, ...args], { cwd, env: { ...bare, ...env } })
  child.stdin.end()
  if (leaves) child.stdout.once('data', () => child.stdout.destroy())
  return ended(child)
}

/** What `--help` prints for the command with these words, such as `hooks` and `ensure`. Starts no process. */
export function helpOf(path: readonly string[]): string {
  let command = sources.createProgram()
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
