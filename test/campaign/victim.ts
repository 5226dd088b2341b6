import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'

/** The orders to a program. */
export type Order = 'close' | 'go' | { killSelfAfter: number }

/** The messages of a program: its modules are loaded, and it serves. */
export type Notice = { loaded: true } | { ready: true; port: number }

/** Those that run: one that stands still would not see that its parent has ended. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A process that runs a program, to be killed. */
export class Victim {
  /** Its modules are loaded; it opens the inbox next. */
  readonly loaded: Promise<void>
  /** Its port, once it serves. */
  readonly ready: Promise<number>
  /** Resolves with nothing if it was killed, else with its exit code and output. */
  readonly ended: Promise<string | undefined>
  readonly #child: ChildProcess
  #complaints = ''

  /** @param options For Node.js. */
  constructor(program: string, settings: object, options: readonly string[] = []) {
    const args = [...options, program, JSON.stringify(settings)]
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    running.add(this.#child)
    this.#child.stderr?.on('data', (data) => (this.#complaints += data))
    const [loaded, ready] = [Promise.withResolvers<void>(), Promise.withResolvers<number>()]
    this.#child.on('message', (notice: Notice) => ('ready' in notice ? ready.resolve(notice.port) : loaded.resolve()))
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      running.delete(this.#child)
      const end = signal === 'SIGKILL' ? undefined : `A process exited (${code ?? signal}): ${this.#complaints}`
      loaded.resolve()
      ready.reject(new Error(end ?? 'A process was killed before it served'))
      return end
    })
    ready.promise.catch(() => {}) // if it is killed during its start, nothing awaits this
    this.loaded = loaded.promise
    this.ready = ready.promise
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** Its standard error. */
  get complaints(): string {
    return this.#complaints
  }

  tell(order: Order): void {
    this.#child.send(order)
  }

  /** Stops it as it stands. @returns once each of its threads stands still. Linux only. */
  async stop(): Promise<void> {
    this.#child.kill('SIGSTOP')
    const tasks = `/proc/${this.#child.pid}/task`
    const stands = (task: string) => / T [^)]*$/.test(readFileSync(`${tasks}/${task}/stat`, 'latin1'))
    while (!readdirSync(tasks).every(stands)) await setImmediate()
  }

  /** Has it go on. */
  goOn(): void {
    this.#child.kill('SIGCONT')
  }

  /** Kills it. @returns once it is gone. */
  kill(): Promise<string | undefined> {
    this.#child.kill('SIGKILL')
    return this.ended
  }
}
