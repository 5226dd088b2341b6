import { version } from '../runtime/platform.ts'
import { startTimer } from '../runtime/timer.ts'
import type { Inbox } from './inbox.ts'
import { heartbeatInterval, type ProcessInfo, type WorkerProblem } from './processes.ts'

/**
 * Registers this process and its role in the inbox, and renews the registration. No other work waits for it, and errors
 * are ignored: the next renewal tries again.
 */
export class ProcessRegistry {
  readonly #inbox: Pick<Inbox, 'heartbeat' | 'unregister'>
  readonly #self: Omit<ProcessInfo, 'role' | 'problems'> = { id: crypto.randomUUID(), version, startedAt: Date.now() }
  #role: ProcessInfo['role'] | undefined
  #sending: Promise<void> | undefined
  #sent = false
  #ended = false
  #stop = () => {}
  #problems: () => readonly WorkerProblem[] = () => []

  constructor(inbox: Pick<Inbox, 'heartbeat' | 'unregister'>) {
    this.#inbox = inbox
  }

  /** Adds a role to those of this process. */
  add(part: 'receiver' | 'worker'): void {
    const role = this.#role === undefined || this.#role === part ? part : 'all'
    if (role === this.#role) return
    this.#role = role
    if (!this.#sending) this.#sendIn(0) // after this turn of the event loop, which may add another role
  }

  /** Sets the source of the worker's problems, which each renewal reports. */
  reportProblems(problems: () => readonly WorkerProblem[]): void {
    this.#problems = problems
  }

  /** Removes the registration, if there may be one. If that fails, it expires. */
  async unregister(): Promise<void> {
    this.#ended = true
    this.#stop()
    await this.#sending
    if (this.#sent) await this.#attempt(() => this.#inbox.unregister(this.#self.id))
  }

  #sendIn(ms: number): void {
    this.#stop()
    if (!this.#ended) this.#stop = startTimer(() => (this.#sending = this.#send()), ms)
  }

  async #send(): Promise<void> {
    const role = this.#role as ProcessInfo['role']
    this.#sent = true // even if it fails, because the store may have committed it
    const problems = this.#problems()
    await this.#attempt(() => this.#inbox.heartbeat({ ...this.#self, role, ...(problems.length > 0 && { problems }) }))
    this.#sending = undefined
    this.#sendIn(role === this.#role ? heartbeatInterval : 0)
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch {
      // Other calls to the inbox report the error.
    }
  }
}
