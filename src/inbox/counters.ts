import type { DeliveryHeaders } from '../delivery.ts'
import { startTimer } from '../runtime/timer.ts'
import { minute } from '../runtime/units.ts'
import { type Count, handlerStep, type Measure } from './counts.ts'
import type { HandlerLoad } from './handler-loads.ts'
import { LatencyBuffer } from './latencies.ts'

/**
 * Milliseconds from the first unwritten count until the counts are written. A process that ends without `flush` loses
 * the unwritten counts.
 */
const flushDelay = 5000
/** The same for counts of rejected requests. `RejectionBuffer` writes the requests themselves after the same delay. */
const rejectionFlushDelay = 1000
/**
 * Maximum names of a measure that are counted separately. Further names are counted as `other`. The limit is needed
 * because senders may choose any number of names.
 */
const maxNames = 500
/**
 * Maximum characters of a name that is counted separately. Longer names are counted as `other`: PostgreSQL would reject
 * all counts that are written together with a name of more than 2,704 bytes, because names are in an index.
 */
const maxNameLength = 500
/** Maximum different counts in memory while the inbox cannot write them. Any other count is lost. */
const maxPending = 20_000

export interface EndedAttempt {
  handler: string
  outcome: string
  /** Milliseconds. */
  duration: number
  /** When the delivery was received, in milliseconds since 1970. */
  receivedAt: number
}

/** The part of `Statistics` that `Counters` uses. */
interface CountStore {
  addCounts(counts: readonly Count[]): Promise<void>
}

/** Counts events by the minute, and adds them to the counts of the inbox. */
export class Counters {
  readonly #inbox: CountStore
  readonly #names = new Map<Measure, Set<string>>()
  #counts = new Map<string, Count>()
  /**
   * For each measure, the count that changed last. The next call usually changes the same count, and then need not
   * build its key in `#counts`.
   */
  readonly #latest = new Map<Measure, Count>()
  readonly #latencies = new LatencyBuffer()
  #flushAt = Number.POSITIVE_INFINITY
  #cancelTimer = () => {}

  constructor(inbox: CountStore) {
    this.#inbox = inbox
  }

  count(measure: Measure, name: string, outcome = ''): void {
    const now = Date.now()
    const at = now - (now % minute)
    const latest = this.#latest.get(measure)
    if (latest?.at === at && latest.name === name && latest.outcome === outcome) {
      latest.count++
      return
    }
    this.#add({ at, measure, name: this.#limitNames(measure, name), outcome, count: 1 })
    this.#flushIn(measure === 'rejected' ? rejectionFlushDelay : flushDelay, now)
  }

  /** Counts an acknowledged delivery and its response. @param ms Milliseconds from the request to the response. */
  received({ event, secretIndex }: Pick<DeliveryHeaders, 'event' | 'secretIndex'>, outcome: string, ms: number): void {
    this.count('received', event, outcome)
    if (secretIndex !== undefined) this.count('secrets', String(secretIndex))
    this.count('answers', String(twoDigits(ms)))
  }

  /** Counts an attempt, and its latencies. */
  attempted({ handler, outcome, duration, receivedAt }: EndedAttempt): void {
    this.count('attempts', handler, outcome) // also starts the timer for the latencies
    if (outcome === 'released') return
    const name = this.#limitNames('attempts', handler)
    this.#latencies.add('durations', name, duration)
    if (outcome === 'succeeded') this.#latencies.add('completions', name, Math.max(0, Date.now() - receivedAt))
  }

  /** Adds a sample of the loads of handlers. Handlers without waiting tasks add nothing: their sums stay the same. */
  sampled(loads: readonly HandlerLoad[]): void {
    const now = Date.now()
    const [at, measure] = [now - (now % handlerStep), 'loads'] as const
    this.#add({ at, measure, name: '', outcome: '', count: 1 })
    for (const { handler, waiting, waitingSince } of loads) {
      if (waitingSince === undefined) continue
      const name = this.#limitNames('attempts', handler)
      this.#add({ at, measure, name, outcome: 'waiting', count: waiting })
      this.#add({ at, measure, name, outcome: 'age', count: Math.max(0, Math.round(now - waitingSince)) })
    }
    this.#flushIn(flushDelay, now)
  }

  /** Writes the counts. If that fails, the next `flush` writes them. */
  async flush(): Promise<void> {
    this.#cancelTimer()
    this.#flushAt = Number.POSITIVE_INFINITY
    const now = Date.now()
    const at = now - (now % handlerStep)
    const counts = [...this.#counts.values(), ...this.#latencies.take().map((latency) => ({ at, ...latency }))]
    if (counts.length === 0) return
    this.#counts = new Map()
    this.#latest.clear()
    try {
      await this.#inbox.addCounts(counts)
    } catch {
      for (const count of counts) this.#add(count)
      // `#add` has filled `#latest` again. The method `count` starts no timer for a count in `#latest`. So clear
      // `#latest`: the next call of `count` must start the timer.
      this.#latest.clear()
    }
  }

  #add(added: Count): void {
    const key = `${added.at} ${added.measure} ${added.outcome} ${added.name}`
    const count = this.#counts.get(key)
    if (count) count.count += added.count
    else if (this.#counts.size < maxPending) this.#counts.set(key, added)
    else return
    this.#latest.set(added.measure, count ?? added)
  }

  #flushIn(delay: number, now: number): void {
    if (now + delay >= this.#flushAt) return
    this.#cancelTimer()
    this.#flushAt = now + delay
    this.#cancelTimer = startTimer(() => this.flush(), delay)
  }

  #limitNames(measure: Measure, name: string): string {
    const names = this.#names.get(measure) ?? new Set()
    if (names.has(name)) return name
    if (names.size >= maxNames || name.length > maxNameLength) return 'other'
    this.#names.set(measure, names.add(name))
    return name
  }
}

/** Rounds to about two significant digits. It runs for every response, and `toPrecision` is slower. */
function twoDigits(ms: number): number {
  if (ms < 10) return Math.round(ms * 10) / 10
  const step = ms < 100 ? 1 : ms < 1000 ? 10 : 100
  return Math.round(ms / step) * step
}
