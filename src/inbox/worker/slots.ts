/** Limits how many tasks of a handler a worker runs at a time. */
import type { Registration } from '../../handler.ts'
import { getOrCreate } from '../../runtime/get-or-create.ts'

/** Maximum attempts of a handler that run at a time in one process, if it has no `concurrency`. */
export const defaultConcurrency = 25

/**
 * The maximum number of tasks of a handler that wait for a slot. They are claimed ahead, so that the handler need not
 * wait for the store between two tasks, and so that each call of the store is about many tasks. Limited, because the
 * claimed tasks of a process that dies have to wait until their leases expire.
 */
const maxAhead = 200

/** The right to run one task of a handler. It has one owner at a time, from the claim of the task to its end. */
export interface Slot {
  /**
   * `undefined`: the task may run. Otherwise, the task was claimed ahead: resolves with `true` when it may run, and with
   * `false` if the slot is released first.
   */
  readonly turn: Promise<boolean> | undefined
  /** Has no effect if the slot has been released before. */
  release(): void
}

/** Slots of one handler that a claim has taken, and that no task owns yet. */
interface FreeSlots {
  readonly length: number
  /** How many of them are for tasks that are claimed ahead. */
  readonly ahead: number
  /** @returns a slot, if one is left. The slots of tasks that have to wait come last. */
  pop(): Slot | undefined
  /** Releases the slots that are left. */
  release(): void
}

/**
 * A slot of a task.
 *
 * - waiting: the task was claimed ahead. → taken, when another task has ended; → released.
 * - taken: the task may run. → released.
 * - released: the task owns no slot. Final.
 */
class OwnedSlot implements Slot {
  readonly turn: Promise<boolean> | undefined
  readonly #handler: HandlerSlots
  readonly #resolve: ((mayRun: boolean) => void) | undefined
  #state: 'waiting' | 'taken' | 'released'

  constructor(handler: HandlerSlots, state: 'waiting' | 'taken') {
    this.#handler = handler
    this.#state = state
    if (state === 'taken') return
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.turn = promise
    this.#resolve = resolve
  }

  /** Gives a waiting task the slot of a task that has ended. */
  take(): void {
    this.#state = 'taken'
    this.#resolve?.(true)
  }

  release(): void {
    const state = this.#state
    this.#state = 'released'
    if (state === 'taken') this.#handler.end()
    if (state === 'waiting') this.#handler.waiting.delete(this)
    this.#resolve?.(false)
  }
}

/** The slots of one handler. Tasks wait only while no slot is free. */
class HandlerSlots {
  /** That of the latest registration: a program may register the handler again with another one. */
  #concurrency = defaultConcurrency
  taken = 0
  /** In the order in which the tasks were claimed. */
  readonly waiting = new Set<OwnedSlot>()
  /** How many more tasks this round may claim ahead. */
  room = 0
  /** The number of tasks that ended between the two latest rounds. */
  ended = 0
  /** The number of tasks that have ended since the last round. */
  #endedNow = 0

  startRound(): void {
    this.ended = this.#endedNow
    this.room = Math.max(0, Math.min(this.ended, maxAhead) - this.waiting.size)
    this.#endedNow = 0
  }

  take(): Slot {
    this.taken++
    return new OwnedSlot(this, 'taken')
  }

  takeAhead(): Slot {
    this.room = Math.max(0, this.room - 1) // the next task of a chain needs no room
    const slot = new OwnedSlot(this, 'waiting')
    this.waiting.add(slot)
    return slot
  }

  end(): void {
    this.#endedNow++
    this.free(1)
  }

  /** Frees slots that were taken, and gives free slots to waiting tasks. */
  free(count: number): void {
    this.taken -= count
    for (const slot of this.waiting) {
      if (this.taken >= this.#concurrency) return
      this.taken++
      this.waiting.delete(slot)
      slot.take()
    }
  }

  setConcurrency(concurrency: number): void {
    this.#concurrency = concurrency
    this.free(0)
  }
}

/**
 * Gives out the slots of handlers. A round may also claim tasks ahead, which wait for a slot: as many as have ended since
 * the round before. So a task waits for about as long as a round takes, a handler that is slow has no waiting tasks, and
 * the first rounds of a small backlog leave it to other workers. Tasks of handlers with one attempt are not claimed ahead:
 * if the process dies, the attempt of a task that was claimed ahead does not count, so the handler could run twice.
 */
export class Slots {
  readonly #handlers = new Map<string, HandlerSlots>()

  /** The number of slots that tasks own, of all handlers, including the slots of waiting tasks. */
  get taken(): number {
    return [...this.#handlers.values()].reduce((sum, { taken, waiting }) => sum + taken + waiting.size, 0)
  }

  /** The number of free slots of a handler. It is negative if `concurrency` was lowered while its tasks run. */
  free({ name, options }: Registration): number {
    return (options.concurrency ?? defaultConcurrency) - (this.#handlers.get(name)?.taken ?? 0)
  }

  /** How many tasks of a handler a round may claim now: one for each free slot, and some ahead. */
  claimable(registration: Registration): number {
    return Math.max(0, this.free(registration)) + this.#room(registration)
  }

  /** The number of tasks of a handler that ended between the two latest rounds. */
  ended({ name }: Registration): number {
    return this.#handlers.get(name)?.ended ?? 0
  }

  startRound(): void {
    for (const slots of this.#handlers.values()) slots.startRound()
  }

  /** @returns a slot, if one is free. */
  take(registration: Registration): Slot | undefined {
    const slots = this.#of(registration)
    return this.free(registration) < 1 ? undefined : slots.take()
  }

  /** @returns a slot in which a task may run, or for which it may wait. */
  takeAhead(registration: Registration): Slot | undefined {
    const slot = this.take(registration)
    if (slot || this.#room(registration) < 1) return slot
    return this.#of(registration).takeAhead()
  }

  /**
   * @returns a slot for the next task of a chain. The task may wait for it, although the round has no room: the task that
   * has ended is in no slot any more.
   */
  takeNext(registration: Registration): Slot | undefined {
    const slot = this.take(registration)
    return slot || !mayClaimAhead(registration) ? slot : this.#of(registration).takeAhead()
  }

  /** Takes all free slots of a handler, and room for tasks that wait. */
  takeAll(registration: Registration): FreeSlots {
    const slots = this.#of(registration)
    let [free, ahead] = [Math.max(0, this.free(registration)), this.#room(registration)]
    slots.taken += free
    return {
      get length() {
        return free + ahead
      },
      get ahead() {
        return ahead
      },
      pop: () => {
        if (free > 0) {
          free--
          slots.taken--
          return slots.take()
        }
        if (ahead < 1) return undefined
        ahead--
        return slots.takeAhead()
      },
      release: () => {
        slots.free(free)
        free = 0
        ahead = 0
      },
    }
  }

  /** Releases the slots of all waiting tasks. */
  releaseWaiting(): void {
    for (const { waiting } of this.#handlers.values()) for (const slot of waiting) slot.release()
  }

  #room(registration: Registration): number {
    return mayClaimAhead(registration) ? (this.#handlers.get(registration.name)?.room ?? 0) : 0
  }

  #of({ name, options }: Registration): HandlerSlots {
    const slots = getOrCreate(this.#handlers, name, () => new HandlerSlots())
    slots.setConcurrency(options.concurrency ?? defaultConcurrency)
    return slots
  }
}

const mayClaimAhead = ({ options }: Registration): boolean => options.attempts !== 1
