/**
 * A store as the simulation uses it. The simulation decides when a call of a process is carried out, and when the process
 * gets its answer.
 */
import type { Inbox } from '../../src/inbox/inbox.ts'
import type { DeliveryState, TaskState } from '../../src/inbox/records.ts'
import type { Answer } from '../../src/runtime/thread-server.ts'
import type { VirtualProcess } from './virtual-time.ts'

/** A store that all simulated processes share. */
export interface SimulatedStore {
  /** Deletes the data of the schedule before. */
  empty(): void | Promise<void>
  /** Opens the inbox of a process. */
  open(process: VirtualProcess): { inbox: Inbox; queues: readonly CallQueue[] }
  /** The stored data. Returns the same object again if nothing has changed since the last call. */
  snapshot(): Snapshot | Promise<Snapshot>
  pause(handler: string): void | Promise<void>
  resume(handler: string): void | Promise<void>
  close(): void | Promise<void>
}

/** What a store contains, as far as the invariants need it. The deliveries are in the order of their ids. */
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
}

/** What happens to a call: it succeeds, it fails without effect, or its answer is lost. */
export type Fate = 'succeeds' | 'fails' | 'is lost'

export interface SentCall {
  readonly method: string
  carryOut(): Answer | Promise<Answer>
  answer(answer: Answer): void
}

/** The calls of one client of a process, in the order in which they are carried out and answered. */
export class CallQueue {
  readonly name: string
  readonly waiting: SentCall[] = []
  readonly answered: { method: string; deliver(): void }[] = []

  constructor(name: string) {
    this.name = name
  }

  /** Carries out the first waiting call. @returns its method. */
  async carryOut(fate: Fate): Promise<string> {
    const call = this.waiting.shift() as SentCall
    const answer = fate === 'fails' ? undefined : await call.carryOut()
    const given = fate === 'succeeds' && answer ? answer : { error: { message: 'disk I/O error' } }
    this.answered.push({ method: call.method, deliver: () => call.answer(given) })
    return call.method
  }

  /** Gives the process the oldest answer. @returns the method of its call. */
  deliver(): string {
    const answered = this.answered.shift() as { method: string; deliver(): void }
    answered.deliver()
    return answered.method
  }
}
