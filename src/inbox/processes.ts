/** The processes that use an inbox. Each renews its registration; one that does not is no longer listed. */

/** Milliseconds between two renewals of a registration. */
export const heartbeatInterval = 10_000
/** Milliseconds without a renewal after which a registration expires. */
export const processTimeout = 60_000

/** A reason why the worker of a process does not run all due tasks. */
export interface WorkerProblem {
  /**
   * `handler_overdue`: attempts of `handler` still run after they have ended, and use up its concurrency.
   * `memory_exhausted`: running handlers use all the memory that `runningLimit` allows, and large payloads wait.
   */
  code: 'handler_overdue' | 'memory_exhausted'
  handler?: string
  /** The number of attempts. */
  count?: number
}

/** A process as it registers. The store adds host, process id and time. */
export interface ProcessInfo {
  /** Unique for each use of the inbox, because operating systems reuse process ids. */
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

/** A registered process. */
export interface RegisteredProcess extends ProcessInfo {
  host: string
  pid: number
  /** When it last renewed its registration, by the store's clock, in milliseconds since 1970. */
  seenAt: number
}

/** A row of the store; `problems` is JSON. */
export type ProcessRow = Omit<RegisteredProcess, 'problems'> & { problems: string | null }

export function toRegisteredProcess({ problems, ...row }: ProcessRow): RegisteredProcess {
  return problems === null ? row : { ...row, problems: JSON.parse(problems) }
}
