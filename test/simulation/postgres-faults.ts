/** What goes wrong between the processes of a schedule and the server. It follows from the seed. */
import type { Schedule } from './store.ts'

/** At a time, something happens to all connections of a process: they break, or nothing gets through for a while. */
export interface NetworkFault {
  readonly at: number
  readonly kind: 'break' | 'stall'
  /** Milliseconds of a stall. */
  readonly duration: number
}

export class NetworkFaults {
  /** The probability that the network of a process stalls when one of its transactions has committed. */
  readonly stallsAfterCommit: number
  readonly #time: Schedule['time']
  readonly #end: number
  readonly #faults: NetworkFault[] = []

  constructor({ random, time, troubleEnds }: Schedule) {
    this.#time = time
    this.#end = time.now + troubleEnds
    this.stallsAfterCommit = random.chance(0.3) ? random.next() * 0.1 : 0
    const happen = (kind: NetworkFault['kind'], probability: number) => {
      while (random.chance(probability)) {
        const at = time.now + random.between(0, random.chance(0.3) ? 1000 : troubleEnds - 1)
        this.#faults.push({ at, kind, duration: random.between(1000, 90_000) })
      }
    }
    happen('stall', 0.4)
    happen('break', 0.3)
    this.#faults.sort((a, b) => a.at - b.at)
  }

  get isTrouble(): boolean {
    return this.#time.now < this.#end
  }

  /** @returns a fault whose time has come. */
  next(): NetworkFault | undefined {
    const [first] = this.#faults
    return first && first.at <= this.#time.now ? this.#faults.shift() : undefined
  }
}
