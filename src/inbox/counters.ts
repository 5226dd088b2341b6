import type { DeliveryHeaders } from '../delivery.ts'
import { startTimer } from '../runtime/timer.ts'
import { type Count, type Measure, minute } from './counts.ts'
import type { Inbox } from './inbox.ts'

/** Milliseconds between two writes; what came since the last is lost with the process. */
const flushInterval = 5000
/** Names that are counted apart: those that a sender chooses must not be without end. */
const maxNames = 500
/** Counts that wait to be written, where the inbox takes none. */
const maxPending = 20_000

/** Counts what happens, by the minute, and adds it to the inbox's counts. */
export class Counters {
  readonly #inbox: Pick<Inbox, 'addCounts'>
  readonly #names = new Set<string>()
  #counts = new Map<string, Count>()
  #scheduled = false

  constructor(inbox: Pick<Inbox, 'addCounts'>) {
    this.#inbox = inbox
  }

  count(measure: Measure, name: string, outcome = ''): void {
    const now = Date.now()
    const [at, bounded] = [now - (now % minute), this.#bounded(name)]
    const key = keyOf(at, measure, outcome, bounded)
    const before = this.#counts.get(key)
    if (before) before.count++
    else if (this.#counts.size < maxPending) this.#counts.set(key, { at, measure, name: bounded, outcome, count: 1 })
    if (this.#scheduled) return
    this.#scheduled = true
    startTimer(() => this.flush(), flushInterval)
  }

  /** @param ms Milliseconds from the request to its answer. */
  received({ event, secretIndex }: Pick<DeliveryHeaders, 'event' | 'secretIndex'>, outcome: string, ms: number): void {
    this.count('received', event, outcome)
    if (secretIndex !== undefined) this.count('secrets', String(secretIndex))
    this.count('answers', String(twoDigits(ms)))
  }

  /** Writes what was counted since the last time; what could not be written is part of the next. */
  async flush(): Promise<void> {
    this.#scheduled = false
    const counts = [...this.#counts.values()]
    if (counts.length === 0) return
    this.#counts = new Map()
    try {
      await this.#inbox.addCounts(counts)
    } catch {
      for (const count of counts) this.#putBack(count)
    }
  }

  #putBack(count: Count): void {
    const key = keyOf(count.at, count.measure, count.outcome, count.name)
    const since = this.#counts.get(key)
    if (since) since.count += count.count
    else if (this.#counts.size < maxPending) this.#counts.set(key, count)
  }

  #bounded(name: string): string {
    if (this.#names.has(name)) return name
    if (this.#names.size >= maxNames) return 'other'
    this.#names.add(name)
    return name
  }
}

const keyOf = (at: number, measure: Measure, outcome: string, name: string): string =>
  `${at} ${measure} ${outcome} ${name}`

/** Quicker than `toPrecision`, since every answer needs it. */
function twoDigits(ms: number): number {
  if (ms < 10) return Math.round(ms * 10) / 10
  const step = ms < 100 ? 1 : ms < 1000 ? 10 : 100
  return Math.round(ms / step) * step
}
