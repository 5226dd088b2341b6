import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'

/** Commands to a program. `killSelfIn`: the GUID of a delivery whose handler kills the process in its first attempts. */
export type Order = 'close' | 'go' | { killSelfAfter: number } | { killSelfIn: string }

/** Messages from a program: it has loaded its modules, or it is ready. */
export type Notice = { loaded: true } | { ready: true; port: number }

/** The running children. This process kills them when it exits, because a suspended child does not notice the exit. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A child process that a test kills or suspends. */
export class Victim {
  /**
   * Resolves when the process has loaded its modules; it opens the inbox only after that. If the process ends first,
   * resolves when it has ended.
   */
  readonly loaded: Promise<void>
  /** Resolves with the port when the process is ready. Rejects if the process ends before. */
  readonly ready: Promise<number>
  /**
   * Resolves when the process has ended. The value is `undefined` if SIGKILL ended the process. Otherwise it is a text
   * with the exit code or the signal, and with the standard error of the process.
   */
  readonly ended: Promise<string | undefined>
  readonly #child: ChildProcess
  #complaints = ''

  /** @param options Command-line options for Node.js. */
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
      ready.reject(new Error(end ?? 'A process was killed before it was ready'))
      return end
    })
    ready.promise.catch(() => {}) // no caller awaits this if the process is killed during its start
    this.loaded = loaded.promise
    this.ready = ready.promise
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** The standard error of the process. */
  get complaints(): string {
    return this.#complaints
  }

  tell(order: Order): void {
    this.#child.send(order)
  }

  /** Suspends the process. Linux only. @returns when all of its threads are suspended. */
  async stop(): Promise<void> {
    this.#child.kill('SIGSTOP')
    const tasks = `/proc/${this.#child.pid}/task`
    const isSuspended = (task: string) => / T [^)]*$/.test(readFileSync(`${tasks}/${task}/stat`, 'latin1'))
    while (!readdirSync(tasks).every(isSuspended)) await setImmediate()
  }

  resume(): void {
    this.#child.kill('SIGCONT')
  }

  /** Kills the process. @returns when it has ended. */
  kill(): Promise<string | undefined> {
    this.#child.kill('SIGKILL')
    return this.ended
  }
}
