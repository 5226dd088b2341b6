import { version } from '../runtime/platform.ts'
import { startTimer } from '../runtime/timer.ts'
import type { Inbox } from './inbox.ts'
import { heartbeatInterval, type ProcessInfo, type WorkerProblem } from './processes.ts'

/**
 * Says in the inbox that this process is there, and what it does, for as long as it does. Nobody has to wait for that,
 * or hear of it if it fails: it is said again.
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

  /** It does that from now on, beside what it does already. */
  add(part: 'receiver' | 'worker'): void {
    const role = this.#role === undefined || this.#role === part ? part : 'all'
    if (role === this.#role) return
    this.#role = role
    if (!this.#sending) this.#sendIn(0) // once the turn is over in which it may be given more to do
  }

  /** From now on the process also tells which problems its worker has. */
  reportProblems(problems: () => readonly WorkerProblem[]): void {
    this.#problems = problems
  }

  /** Takes it back, where it was said. */
  async unregister(): Promise<void> {
    this.#ended = true
    this.#stop()
    await this.#sending
    if (this.#sent) await this.#attempt(() => this.#inbox.unregister(this.#self.id)) // else it is left out later
  }

  #sendIn(ms: number): void {
    this.#stop()
    if (!this.#ended) this.#stop = startTimer(() => (this.#sending = this.#send()), ms)
  }

  async #send(): Promise<void> {
    const role = this.#role as ProcessInfo['role']
    this.#sent = true // though it fails: nobody knows how far it came
    const problems = this.#problems()
    await this.#attempt(() => this.#inbox.heartbeat({ ...this.#self, role, ...(problems.length > 0 && { problems }) }))
    this.#sending = undefined
    this.#sendIn(role === this.#role ? heartbeatInterval : 0)
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch {
      // whoever needs the inbox for more is told
    }
  }
}
