import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const main = join(import.meta.dirname, '..', 'dist', 'cli', 'main.js')

/** Milliseconds that a server may take to stop. */
const patience = 30_000
/** Lines of the log that are kept, to be shown if it ends badly. */
const mostLines = 20

/** A line of the log. */
interface Line {
  msg: string
  url: string
  tokenFrom: string
}

export interface ServedOptions {
  /** Settings, as flags or as variables; the environment of this process does not count. */
  args: readonly string[]
  env?: Readonly<Record<string, string>>
  /** Modules that are imported first, and may talk to this process. */
  preload?: readonly string[]
}

/** `hookserver serve` in a process of its own, as somebody starts it. */
export class Served {
  /** Where GitHub delivers; empty for a worker. */
  url = ''
  adminUrl = ''
  readonly child: ChildProcess
  #token = ''
  readonly #ended: Promise<unknown>
  readonly #lines: string[] = []

  private constructor(folder: string, { args, env, preload = [] }: ServedOptions) {
    const anyPort = ['--host', '127.0.0.1', '--port', '0', '--admin-port', '0']
    const { PATH = '', HOME = '' } = process.env
    const nodeArgs = preload.flatMap((module) => ['--import', module])
    this.child = spawn(process.execPath, [...nodeArgs, main, 'serve', ...anyPort, ...args], {
      cwd: folder,
      env: { PATH, HOME, ...env },
      stdio: ['ignore', 'ignore', 'pipe', ...(preload.length > 0 ? (['ipc'] as const) : [])],
    })
    this.#ended = once(this.child, 'close')
  }

  /** Resolves once it listens. @param folder Where it keeps what it keeps. @throws {Error} with its log if it ends. */
  static async start(folder: string, options: ServedOptions): Promise<Served> {
    const served = new Served(folder, options)
    const listens = new Promise<void>((listening) => served.#readLog(folder, listening))
    const over = served.#ended.then(() => {
      throw new Error(`The server ended before it listened:\n${served.#lines.join('\n')}`)
    })
    await Promise.race([listens, over])
    over.catch(() => {}) // what ends later is `stop`'s affair
    return served
  }

  /** What lets its operator in. */
  get token(): string {
    return this.#token
  }

  /** What the admin API answers to a GET below `/api`. @throws {Error} if it is not 200. */
  async get<Answer>(path: string): Promise<Answer> {
    const answer = await fetch(`${this.adminUrl}/api${path}`, {
      headers: { authorization: `Bearer ${this.#token}` },
    })
    if (answer.status !== 200) throw new Error(`${path} was answered ${answer.status} ${await answer.text()}`)
    return answer.json() as Promise<Answer>
  }

  /** Tells it to stop, and waits until it has. @throws {Error} with its log if it ended otherwise. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM')
    const impatient = setTimeout(() => this.child.kill('SIGKILL'), patience)
    await this.#ended
    clearTimeout(impatient)
    const { exitCode, signalCode } = this.child
    if (exitCode === 0) return
    throw new Error(`The server ended with ${exitCode ?? signalCode}:\n${this.#lines.join('\n')}`)
  }

  /** Ends it at once, as a lack of memory does, and waits until it has ended. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.#ended
  }

  #readLog(folder: string, onListening: () => void): void {
    createInterface(this.child.stderr as NonNullable<typeof this.child.stderr>).on('line', (text) => {
      this.#lines.push(text)
      if (this.#lines.length > mostLines) this.#lines.shift()
      if (!text.startsWith('{')) return
      const { msg, url, tokenFrom } = JSON.parse(text) as Line
      if (msg === 'Receiving') this.url = url
      if (msg !== 'For you') return
      this.adminUrl = url
      this.#token = readFileSync(resolve(folder, tokenFrom), 'utf8').trim()
      onListening()
    })
  }
}
