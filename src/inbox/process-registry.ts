import { startTimer } from '../timer.ts'
import { version } from '../version.ts'
import type { Inbox } from './inbox.ts'
import { type Presence, presenceInterval, type WorkerProblem } from './processes.ts'

/**
 * Says in the inbox that this process is there, and what it does, for as long as it does. Nobody has to wait for that,
 * or hear of it if it fails: it is said again.
 */
export class Attendance {
  readonly #inbox: Pick<Inbox, 'present' | 'absent'>
  readonly #self: Omit<Presence, 'role' | 'problems'> = { id: crypto.randomUUID(), version, startedAt: Date.now() }
  #role: Presence['role'] | undefined
  #saying: Promise<void> | undefined
  #said = false
  #ended = false
  #stop = () => {}
  #problems: () => readonly WorkerProblem[] = () => []

  constructor(inbox: Pick<Inbox, 'present' | 'absent'>) {
    this.#inbox = inbox
  }

  /** It does that from now on, beside what it does already. */
  add(part: 'receiver' | 'worker'): void {
    const role = this.#role === undefined || this.#role === part ? part : 'all'
    if (role === this.#role) return
    this.#role = role
    if (!this.#saying) this.#sayIn(0) // once the turn is over in which it may be given more to do
  }

  /** From now on the process also tells which problems its worker has. */
  tellProblems(problems: () => readonly WorkerProblem[]): void {
    this.#problems = problems
  }

  /** Takes it back, where it was said. */
  async end(): Promise<void> {
    this.#ended = true
    this.#stop()
    await this.#saying
    if (this.#said) await this.#attempt(() => this.#inbox.absent(this.#self.id)) // else it is left out later
  }

  #sayIn(ms: number): void {
    this.#stop()
    if (!this.#ended) this.#stop = startTimer(() => (this.#saying = this.#say()), ms)
  }

  async #say(): Promise<void> {
    const role = this.#role as Presence['role']
    this.#said = true // though it fails: nobody knows how far it came
    const problems = this.#problems()
    await this.#attempt(() => this.#inbox.present({ ...this.#self, role, ...(problems.length > 0 && { problems }) }))
    this.#saying = undefined
    this.#sayIn(role === this.#role ? presenceInterval : 0)
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch {
      // whoever needs the inbox for more is told
    }
  }
}
