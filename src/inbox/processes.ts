/**
 * The processes that use an inbox. Each process renews its registration, and is no longer listed after the registration
 * has expired. A process that runs handlers also has workers: see `worker-heartbeats.ts`.
 */
import { version } from '../runtime/platform.ts'
import { startTimer } from '../runtime/timer.ts'

/** Milliseconds between two renewals of a registration. */
const heartbeatInterval = 10_000
/** Milliseconds without a renewal after which a process is marked as silent: it has missed two of them. */
export const silenceTimeout: number = 2.5 * heartbeatInterval
/** Milliseconds without a renewal after which a registration expires. */
export const processTimeout = 60_000

/** Milliseconds by which the clocks of processes may differ. */
export const clockTolerance = 1000

/** A reason why the worker of a process does not run all due tasks. */
export interface WorkerProblem {
  /**
   * `store_failing`: the latest call of the store has failed, so no handler starts. `handler_overdue`: attempts of
   * `handler` have ended, but their code still runs and counts toward the handler's `concurrency`. `memory_exhausted`:
   * large payloads wait, because running handlers use all the memory that `payloadMemory` allows for large payloads.
   */
  code: 'store_failing' | 'handler_overdue' | 'memory_exhausted'
  /** With `store_failing`: the message of the error, 500 characters at most. */
  message?: string
  /** With `handler_overdue`: the name of the handler. */
  handler?: string
  /** With `handler_overdue`: the number of these attempts. */
  count?: number
}

/** A process as it registers. The store adds host, process id and time. */
export interface ProcessInfo {
  /** A random id, because operating systems reuse process ids. */
  id: string
  /** Whether it receives deliveries, runs handlers, or both. */
  role: 'all' | 'receiver' | 'worker'
  /** The version of hookserver. */
  version: string
  /** Milliseconds since 1970. */
  startedAt: number
  /** Absent if there are none. */
  problems?: readonly WorkerProblem[]
}

/** A process that uses the inbox, with its host and process id. */
export interface RegisteredProcess extends ProcessInfo {
  /** The name of the machine. */
  host: string
  /** The process id on this machine. */
  pid: number
  /** When it last renewed its registration, by the store's clock, in milliseconds since 1970. */
  seenAt: number
  /** True if it has sent no heartbeat for 25 s, because it was killed, suspended or blocked. Absent otherwise. */
  silent?: true
}

/** Whether one of the processes runs handlers. A program that only calls `drain()` is not registered. */
export const hasWorker = (processes: readonly Pick<ProcessInfo, 'role'>[]): boolean =>
  processes.some(({ role }) => role !== 'receiver')

/** A row of the store; `problems` is JSON. */
export type ProcessRow = Omit<RegisteredProcess, 'problems' | 'silent'> & {
  problems: string | null
  silent: boolean | number
}

export function toRegisteredProcess({ problems, silent, ...row }: ProcessRow): RegisteredProcess {
  return { ...row, ...(problems !== null && { problems: JSON.parse(problems) }), ...(silent && { silent: true }) }
}

/** The list of the processes that use the inbox. */
export interface ProcessStore {
  /** Registers a process, or renews its registration, which expires after a minute. */
  heartbeat(process: ProcessInfo): Promise<void>
  /** Removes a process that ends. Does nothing for an unknown id. */
  unregister(id: string): Promise<void>
  /** The registered processes, in the order in which they started. */
  processes(): Promise<RegisteredProcess[]>
}

type ProcessWriter = Pick<ProcessStore, 'heartbeat' | 'unregister'>

/**
 * Registers this process and its role in the inbox, and renews the registration. No other work waits for these calls,
 * and their errors are ignored: the next renewal tries again.
 */
export class ProcessRegistry {
  readonly #inbox: ProcessWriter
  readonly #self: Omit<ProcessInfo, 'role' | 'problems'> = { id: crypto.randomUUID(), version, startedAt: Date.now() }
  #role: ProcessInfo['role'] | undefined
  #sending: Promise<void> | undefined
  #sent = false
  #ended = false
  #stop = () => {}
  #problems: () => readonly WorkerProblem[] = () => []

  constructor(inbox: ProcessWriter) {
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

  /** Removes the registration, if there may be one. If the removal fails, the registration expires. */
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
    this.#sent = true // set before the call, because the store may commit the heartbeat even if the call fails
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
