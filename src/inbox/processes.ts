/**
 * The processes that use an inbox. Each process renews its registration, and is no longer listed after the registration
 * has expired. A process that runs handlers also has workers. The other processes watch the heartbeats of these
 * workers.
 */
import { version } from '../runtime/platform.ts'
import { startTimer } from '../runtime/timer.ts'
import { defaultTimeout } from './retry.ts'
import type { HandlerPolicy } from './task-queue.ts'

/** Milliseconds between two renewals of a registration. */
const heartbeatInterval = 10_000
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
}

/** Whether one of the processes runs handlers. A program that only calls `drain()` is not registered. */
export const hasWorker = (processes: readonly Pick<ProcessInfo, 'role'>[]): boolean =>
  processes.some(({ role }) => role !== 'receiver')

/** A row of the store; `problems` is JSON. */
export type ProcessRow = Omit<RegisteredProcess, 'problems'> & { problems: string | null }

export function toRegisteredProcess({ problems, ...row }: ProcessRow): RegisteredProcess {
  return problems === null ? row : { ...row, problems: JSON.parse(problems) }
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

/** Minimum milliseconds for which an event loop is blocked before its process counts as stuck. */
const minStuckTime = 60_000

/**
 * Whether the event loop of a process has been blocked for more than a minute, and for longer than the longest timeout
 * of its handlers.
 * @param silentFor Milliseconds since the last ping of the process.
 */
export function isStuck(workers: ReadonlyMap<number, readonly HandlerPolicy[]>, silentFor: number): boolean {
  const timeouts = [...workers.values()].flat().map(({ timeout = defaultTimeout }) => timeout)
  return silentFor > Math.max(minStuckTime, ...timeouts)
}

/** A worker as other processes see it. */
export interface WorkerHeartbeat {
  id: number
  /** The number of its latest heartbeat. */
  heartbeats: number
  /** Milliseconds between two heartbeats. */
  interval: number
}

/** The number of checks in a row without a new heartbeat after which a worker is dead. */
const maxMissed = 5

/**
 * Milliseconds without a heartbeat for which no other process reclaims the leases of a worker, from any moment on at which
 * the worker runs. The latest heartbeat may be two intervals older: the registration may take one, and the first
 * heartbeat follows one later.
 * @param interval Milliseconds between two heartbeats.
 */
export const leaseDuration = (interval: number): number => Math.min((maxMissed - 2) * interval, minStuckTime)

/**
 * Watches the heartbeats of all workers. It counts checks instead of time, so that no lease expires because a clock
 * jumps or the store was unavailable: a worker is dead once several checks in a row have found no new heartbeat.
 */
export class HeartbeatMonitor {
  readonly #seen = new Map<number, { heartbeats: number; missed: number }>()

  /**
   * Checks all workers once. If the heartbeats of a worker are less frequent than the checks, its limit is higher:
   * `maxMissed` is multiplied by the ratio of the two intervals, rounded up.
   * @param interval Milliseconds between two checks.
   * @returns the workers that are dead.
   */
  check<Worker extends WorkerHeartbeat>(workers: readonly Worker[], interval: number): Worker[] {
    const dead = workers.filter((worker) => {
      const before = this.#seen.get(worker.id)
      const missed = before?.heartbeats === worker.heartbeats ? before.missed + 1 : 0
      this.#seen.set(worker.id, { heartbeats: worker.heartbeats, missed })
      return missed >= maxMissed * Math.ceil(Math.max(1, worker.interval / interval))
    })
    const alive = new Set(workers.map(({ id }) => id))
    for (const { id } of dead) alive.delete(id)
    for (const id of this.#seen.keys()) if (!alive.has(id)) this.#seen.delete(id)
    return dead
  }
}
