/**
 * A store as the simulation uses it. The simulation decides when a call of a process is carried out, and when the process
 * gets its answer.
 */
import type { Store } from '../../src/inbox/inbox.ts'
import type { DeliveryState, TaskState } from '../../src/inbox/records.ts'
import type { Answer } from '../../src/runtime/thread-server.ts'
import type { Random } from './random.ts'
import type { VirtualProcess, VirtualTime } from './virtual-time.ts'

/** Milliseconds between two polls of an idle worker. Longer than in a real store, because each poll takes several steps. */
export const pollInterval = 10_000

/** Milliseconds. Longer than a schedule: deliveries are pruned only when the schedule says so. */
export const retention: number = 30 * 24 * 60 * 60_000

/** Milliseconds. The tasks of a handler that no process has any more end soon. */
export const storeSettings = { heartbeat: 5000, vanishAfter: 120_000, retention }

/** A store that all simulated processes share. */
export interface SimulatedStore {
  /** Whether a network between the processes and the store may delay all work. */
  readonly hasNetwork?: boolean
  /** Deletes the data of the schedule before. @param schedule The schedule that begins. */
  empty(schedule: Schedule): void | Promise<void>
  /** Opens the inbox of a process. The store may change the queues between two steps. */
  open(process: VirtualProcess): { inbox: Store; queues: readonly Calls[] }
  /** The stored data. Returns the same object again if nothing has changed since the last call. */
  snapshot(): Snapshot | Promise<Snapshot>
  pause(handler: string): void | Promise<void>
  resume(handler: string): void | Promise<void>
  close(): void | Promise<void>
}

/** The parts of a schedule that a store may use. */
export interface Schedule {
  /** The random numbers of the store. */
  readonly random: Random
  readonly time: VirtualTime
  /** Milliseconds from the begin of the schedule until faults end. */
  readonly troubleEnds: number
  /** Adds a line to the trace, and counts a fault of this kind. */
  note(text: string, fault: string): void
}

/** The contents of a store, as far as the invariants need them. The deliveries are in the order of their ids. */
export interface Snapshot {
  readonly deliveries: readonly DeliveryRecord[]
}

export interface DeliveryRecord {
  readonly id: number
  readonly guid: string
  readonly state: DeliveryState
  /** Whether a worker has matched it with handlers. */
  readonly isMatched: boolean
  readonly tasks: readonly TaskRecord[]
}

export interface TaskRecord {
  readonly handler: string
  readonly state: TaskState
  readonly orderKey: string | undefined
  /** When it is due, if it waits and is not blocked. 0: at once. */
  readonly nextAt: number | undefined
  readonly attemptsUsed: number
  /** The worker that holds its lease. */
  readonly worker: number | undefined
  /** Whether it is claimed ahead. */
  readonly isAhead: boolean
  /** Whether it was a suspect when its worker claimed it. */
  readonly isSuspect: boolean
  /** How many of its leases have expired. */
  readonly cutOffs: number
}

/** What happens to a call: it succeeds, it fails without effect, or its answer is lost or takes long. */
export type Fate = 'succeeds' | 'fails' | 'is lost' | 'is answered late'

export interface SentCall {
  readonly method: string
  carryOut(): Answer | Promise<Answer>
  answer(answer: Answer): void
}

/** The answer of a call. */
export interface SentAnswer {
  /** When the process may get it. */
  readonly at: number
  deliver(): void
}

/** The calls of a process that are not carried out, and the answers that it has not got. */
export interface Calls {
  readonly waiting: readonly unknown[]
  readonly answers: readonly SentAnswer[]
  /** The calls that may be carried out next. */
  readonly nextCalls: readonly Pick<SentCall, 'method'>[]
  /** The answers that the process may get next. */
  readonly nextAnswers: readonly SentAnswer[]
  /** @param answerAt When the process gets the answer. */
  carryOut(call: Pick<SentCall, 'method'>, fate: Fate, answerAt: number): Promise<void> | undefined
  deliver(answer: SentAnswer): void
}

/** The calls to a thread. */
export class CallQueue implements Calls {
  readonly name: string
  readonly waiting: SentCall[] = []
  readonly answers: SentAnswer[] = []
  readonly #isOrdered: boolean

  /** @param options `isOrdered`: calls are carried out and answered in their order. Otherwise, in any order. */
  constructor(name: string, { isOrdered }: { isOrdered: boolean }) {
    this.name = name
    this.#isOrdered = isOrdered
  }

  get nextCalls(): readonly SentCall[] {
    return this.#isOrdered ? this.waiting.slice(0, 1) : this.waiting
  }

  get nextAnswers(): readonly SentAnswer[] {
    return this.#isOrdered ? this.answers.slice(0, 1) : this.answers
  }

  carryOut(call: SentCall, fate: Fate, answerAt: number): Promise<void> | undefined {
    this.waiting.splice(this.waiting.indexOf(call), 1)
    const answer = fate === 'fails' ? undefined : call.carryOut()
    if (answer instanceof Promise) return answer.then((later) => this.#add(call, fate, answerAt, later))
    this.#add(call, fate, answerAt, answer)
    return undefined
  }

  deliver(answer: SentAnswer): void {
    this.answers.splice(this.answers.indexOf(answer), 1)
    answer.deliver()
  }

  #add(call: SentCall, fate: Fate, at: number, answer: Answer | undefined): void {
    const given = answer && fate !== 'is lost' ? answer : { error: { message: 'disk I/O error' } }
    this.answers.push({ at, deliver: () => call.answer(given) })
  }
}
