/** The steps that are possible at a time. One object serves a whole schedule, because most steps are never taken. */
import type { Action } from './scenario.ts'
import type { Calls, SentAnswer, SentCall } from './store.ts'
import type { VirtualProcess, VirtualTimer } from './virtual-time.ts'

type Item = Action | VirtualTimer | Pick<SentCall, 'method'> | SentAnswer

export interface Step {
  readonly item: Item
  /** The process and the queue of a call or of an answer. */
  readonly process: VirtualProcess | undefined
  readonly queue: Calls | undefined
}

export class PossibleSteps {
  /** The number of steps that are possible now. */
  count = 0
  /** When the next step becomes possible. */
  next: number = Number.POSITIVE_INFINITY
  readonly #items: Item[] = []
  readonly #processes: (VirtualProcess | undefined)[] = []
  readonly #queues: (Calls | undefined)[] = []
  #now = 0

  /** Begins a new collection. */
  clear(now: number): void {
    this.count = 0
    this.next = Number.POSITIVE_INFINITY
    this.#now = now
  }

  /** @param at When the step becomes possible. */
  add(item: Item, at: number, process?: VirtualProcess, queue?: Calls): void {
    if (at > this.#now) {
      if (at < this.next) this.next = at
      return
    }
    this.#items[this.count] = item
    this.#processes[this.count] = process
    this.#queues[this.count++] = queue
  }

  at(index: number): Step {
    return { item: this.#items[index] as Item, process: this.#processes[index], queue: this.#queues[index] }
  }
}
