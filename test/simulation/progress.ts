/**
 * Whatever is due starts within a bound. Adds up the time for which a handler, or the match of new deliveries, has work
 * and could do it, and does none. Also adds up the time for which a worker holds leases that it does not know.
 */
import { isPaused } from '../../src/inbox/pauses.ts'
import { Counter, type History, type WorkerState } from './history.ts'
import { memoryOfObject, type Scenario } from './scenario.ts'
import { pollInterval, type Snapshot } from './store.ts'
import type { VirtualProcess } from './virtual-time.ts'

/** Time that passes, without faults. */
export interface TimePasses {
  readonly ms: number
  /** The time after it. */
  readonly now: number
  readonly workers: readonly WorkerState[]
}

/** Milliseconds: a poll that finds an error, and two more polls. */
const bound = 3 * pollInterval

/**
 * Milliseconds: a pause after a failed call of the store, and several steps. Less than handlers may take, so that leases
 * cannot wait for them.
 */
const unknownBound = 5000

/**
 * Whether work may wait for longer: a wrong clock delays a retry, a poll after crashes starts only one suspect, a worker
 * without heartbeats claims in vain, and a large payload waits for memory until other handlers have ended.
 */
function isDisturbed({ actions, payloadMemory }: Scenario): boolean {
  return actions.some((action) => {
    if (action.kind !== 'deliver') return disturbing.includes(action.kind)
    return action.behaviors.includes('ends the process') || action.size * memoryOfObject > payloadMemory / 16
  })
}

const disturbing: readonly string[] = ['set the clock', 'crash', 'stop heartbeats']

/** The waiting work in a snapshot. */
interface Waiting {
  readonly unmatched: number
  /** When tasks are due, by handler. */
  readonly due: ReadonlyMap<string, readonly number[]>
  /** The running tasks, by handler. */
  readonly leased: Counter<string>
  /** The running tasks, by process. */
  readonly leasedBy: Counter<VirtualProcess | undefined>
}

const match = 'match'

export class Progress {
  readonly #history: History
  readonly #bound: number
  /** Milliseconds of waiting, by handler. */
  readonly #waited = new Counter<string>()
  readonly #counts = new Map<string, number>()
  #snapshot: Snapshot | undefined
  #waiting: Waiting = { unmatched: 0, due: new Map(), leased: new Counter(), leasedBy: new Counter() }
  /** Milliseconds for which a process has held leases that its worker does not know. */
  readonly #unknown = new Counter<VirtualProcess>()

  constructor(history: History) {
    this.#history = history
    this.#bound = isDisturbed(history.scenario) ? 8 * bound : bound
  }

  begins(handler: string): void {
    this.#waited.counts.delete(handler)
  }

  check({ ms, now, workers }: TimePasses, snapshot: Snapshot): string | undefined {
    if (snapshot !== this.#snapshot) this.#waiting = waitingIn(snapshot, this.#history)
    this.#snapshot = snapshot
    const { unmatched, due } = this.#waiting
    const ready = workers.filter(({ mayStart, handlers }) => mayStart && handlers.size > 0)
    this.#count(match, ready.length > 0 ? unmatched : 0, ms)
    for (const [handler, times] of due) {
      const count = times.filter((at) => at <= now).length
      this.#count(handler, this.#mayRun(handler, ready) ? count : 0, ms)
    }
    for (const { process, mayStart, isCalling, slots } of workers) {
      // A task that the worker knows owns a slot, except while a call records its result or releases its lease.
      if (!mayStart || this.#waiting.leasedBy.of(process) <= slots) this.#unknown.counts.delete(process)
      else if (!isCalling) this.#unknown.add(process, ms)
    }
    const [holder] = [...this.#unknown.counts].find(([, held]) => held > unknownBound) ?? []
    if (holder) return `${holder.name} has held leases for ${unknownBound} ms that it does not know`
    const [late] = [...this.#waited.counts].find(([, waited]) => waited > this.#bound) ?? []
    return late && `${late === match ? 'new deliveries have' : `tasks of ${late} have`} waited for ${this.#bound} ms`
  }

  #mayRun(handler: string, ready: readonly WorkerState[]): boolean {
    if (isPaused(this.#history.paused, handler)) return false
    const own = ready.filter(({ handlers }) => handlers.has(handler))
    const slots = own.reduce((sum, { handlers }) => sum + (handlers.get(handler) ?? 0), 0)
    const free = own.some(({ process, handlers }) => {
      return (this.#history.running(process).get(handler) ?? 0) < (handlers.get(handler) ?? 0)
    })
    return free && this.#waiting.leased.of(handler) < slots
  }

  /** @param count How much work waits. If it is less than before, some of it was done. */
  #count(name: string, count: number, ms: number): void {
    if (count === 0 || count < (this.#counts.get(name) ?? 0)) this.#waited.counts.delete(name)
    else this.#waited.add(name, ms)
    this.#counts.set(name, count)
  }
}

function waitingIn({ deliveries }: Snapshot, history: History): Waiting {
  const due = new Map<string, number[]>()
  const leased = new Counter<string>()
  const leasedBy = new Counter<VirtualProcess | undefined>()
  let unmatched = 0
  for (const { isMatched, tasks } of deliveries) {
    if (!isMatched) unmatched++
    for (const { handler, state, nextAt, worker } of tasks) {
      if (state === 'running') leased.add(handler)
      if (worker !== undefined) leasedBy.add(history.processOf(worker))
      if (nextAt === undefined) continue
      const times = due.get(handler)
      if (times) times.push(nextAt)
      else due.set(handler, [nextAt])
    }
  }
  return { unmatched, due, leased, leasedBy }
}
