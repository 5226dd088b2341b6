/** Which processes use an inbox: each says so again and again, and one that is silent is taken to be gone. */

/** Milliseconds between two times that a process says it is there, and after which one that is silent is left out. */
export const heartbeatInterval = 10_000
export const processTimeout = 60_000

/** What keeps the worker of a process from running all that is due. */
export interface WorkerProblem {
  /**
   * `handler_overdue`: attempts of `handler` run on after they have ended, and keep their places in its concurrency.
   * `memory_exhausted`: running handlers hold all the memory that `runningLimit` allows, and large payloads wait.
   */
  code: 'handler_overdue' | 'memory_exhausted'
  handler?: string
  /** How many attempts. */
  count?: number
}

/** What a process says of itself. The store adds what it knows. */
export interface ProcessInfo {
  /** Of this use of the inbox: the number of a process soon belongs to another. */
  id: string
  /** What it does with deliveries: receives them, handles them, or both. */
  role: 'all' | 'receiver' | 'worker'
  /** Of hookserver. */
  version: string
  /** In milliseconds since 1970, as it is in `seenAt`. */
  startedAt: number
  /** Not given where there are none. */
  problems?: readonly WorkerProblem[]
}

/** A row of the store; `problems` is JSON. */
export type ProcessRow = Omit<RegisteredProcess, 'problems'> & { problems: string | null }

export function toRegisteredProcess({ problems, ...row }: ProcessRow): RegisteredProcess {
  return problems === null ? row : { ...row, problems: JSON.parse(problems) }
}

/** What the others see of it. */
export interface RegisteredProcess extends ProcessInfo {
  host: string
  pid: number
  /** When it said so last, by the store's clock. */
  seenAt: number
}
