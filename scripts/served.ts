import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const main = join(import.meta.dirname, '..', 'dist', 'cli', 'main.js')

/** Milliseconds from SIGTERM until a server that still runs is killed. */
const stopTimeout = 30_000
/** The number of log lines to keep for the error message if the server fails. */
const maxLines = 20

/** A line of the server's log. */
interface Line {
  msg: string
  url: string
  tokenFrom: string
}

export interface ServedOptions {
  /** Configuration as flags and environment variables. From this process, the server inherits only PATH and HOME. */
  args: readonly string[]
  env?: Readonly<Record<string, string>>
  /** Modules that the server imports first. They can send messages to this process. */
  preload?: readonly string[]
  /** The executable of hookserver. Without it, Node.js runs the built command line. */
  executable?: string
}

/** `hookserver serve` in a child process. */
export class Served {
  /** The URL for GitHub's deliveries; empty for a worker. */
  url = ''
  adminUrl = ''
  readonly child: ChildProcess
  #token = ''
  readonly #ended: Promise<unknown>
  readonly #lines: string[] = []

  private constructor(folder: string, { args, env, preload = [], executable }: ServedOptions) {
    const anyPort = ['--host', '127.0.0.1', '--port', '0', '--admin-port', '0']
    const { PATH = '', HOME = '' } = process.env
    const nodeArgs = [...preload.flatMap((module) => ['--import', module]), main]
    const program = executable ?? process.execPath
    this.child = spawn(program, [...(executable ? [] : nodeArgs), 'serve', ...anyPort, ...args], {
      cwd: folder,
      env: { PATH, HOME, ...env },
      stdio: ['ignore', 'ignore', 'pipe', ...(preload.length > 0 ? (['ipc'] as const) : [])],
    })
    this.#ended = once(this.child, 'close')
  }

  /** Resolves when the server listens. @param folder Its working directory. @throws {Error} with its log if it exits. */
  static async start(folder: string, options: ServedOptions): Promise<Served> {
    const served = new Served(folder, options)
    const listens = new Promise<void>((listening) => served.#readLog(folder, listening))
    const exited = served.#ended.then(() => {
      throw new Error(`The server ended before it listened:\n${served.#lines.join('\n')}`)
    })
    await Promise.race([listens, exited])
    exited.catch(() => {}) // from now on `stop` reports how the server ends
    return served
  }

  /** The token for the admin API. */
  get token(): string {
    return this.#token
  }

  /** Sends a GET to the admin API. @param path The path after `/api/v1`. @throws {Error} if the status is not 200. */
  async get<Answer>(path: string): Promise<Answer> {
    const answer = await fetch(`${this.adminUrl}/api/v1${path}`, {
      headers: { authorization: `Bearer ${this.#token}` },
    })
    if (answer.status !== 200) throw new Error(`${path} was answered ${answer.status} ${await answer.text()}`)
    return answer.json() as Promise<Answer>
  }

  /** Stops the server and waits for its exit. @throws {Error} with its log unless it exits with 0. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM')
    const killTimer = setTimeout(() => this.child.kill('SIGKILL'), stopTimeout)
    await this.#ended
    clearTimeout(killTimer)
    const { exitCode, signalCode } = this.child
    if (exitCode === 0) return
    throw new Error(`The server ended with ${exitCode ?? signalCode}:\n${this.#lines.join('\n')}`)
  }

  /** Kills the server with SIGKILL and waits for its exit. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.#ended
  }

  #readLog(folder: string, onListening: () => void): void {
    createInterface(this.child.stderr as NonNullable<typeof this.child.stderr>).on('line', (text) => {
      this.#lines.push(text)
      if (this.#lines.length > maxLines) this.#lines.shift()
      if (!text.startsWith('{')) return
      const { msg, url, tokenFrom } = JSON.parse(text) as Line
      if (msg?.startsWith('Receiving')) this.url = url
      if (msg !== 'Admin listener') return
      this.adminUrl = url
      this.#token = readFileSync(resolve(folder, tokenFrom), 'utf8').trim()
      onListening()
    })
  }
}
