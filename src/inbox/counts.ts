/**
 * Counts of events, for statistics. The inbox keeps them, so that they outlive a process and add up over all processes.
 */

import type { DeliveryHeaders } from '../delivery.ts'
import { startTimer } from '../runtime/timer.ts'
import { day, hour, minute } from '../runtime/units.ts'
import type { HandlerLoad } from './handler-loads.ts'
import { LatencyBuffer } from './latencies.ts'

/** Each comment has the form `counted events: name; outcome`, where `name` and `outcome` are members of a `Count`. */
export const measures = [
  /** Verified deliveries: the event; `stored`, `rearmed` or `duplicate`. */
  'received',
  /** Rejected requests: the error code. */
  'rejected',
  /** Attempts: the handler; how the attempt ended. The store counts those that are cut off. */
  'attempts',
  /** 2xx responses: milliseconds, rounded to two digits. */
  'answers',
  /** Verified deliveries: the index of the secret that signed them. */
  'secrets',
  /** Attempts that were not released: the handler; milliseconds, see `latencies.ts`. */
  'durations',
  /** Attempts that succeeded: the handler; milliseconds since the receipt of the delivery, as in `durations`. */
  'completions',
  /**
   * Sums over samples of the load of handlers: the handler; `waiting` for tasks, `age` for the milliseconds that the
   * oldest one has waited. Without a name and an outcome: the number of samples.
   */
  'loads',
] as const
/** A kind of events, or of samples, that the inbox counts. */
export type Measure = (typeof measures)[number]

/** A number of events in one step of time. */
export interface Count {
  /** Milliseconds since 1970; in query results, the beginning of the step. */
  at: number
  /** The kind of events that was counted. */
  measure: Measure
  /** The name within the measure, such as that of an event or a handler. See `measures`. */
  name: string
  /** Empty if the measure has no outcomes. */
  outcome: string
  /** How many events there were in the step. */
  count: number
}

/** Which counts to read, and the length of their steps. */
export interface CountQuery {
  /** The beginning of the first step, in milliseconds since 1970. */
  since: number
  /**
   * Milliseconds: a multiple of a minute if the step is shorter than an hour, else a multiple of an hour. The counts of
   * minutes are kept for 26 hours, the counts of hours for 31 days.
   */
  step: number
  /** Default: all measures. */
  measures?: readonly Measure[] | undefined
  /**
   * Reads only the counts of these names, in steps that have begun: a lookup for each name, measure and step, however
   * many other names there are. Default: all names.
   */
  names?: readonly string[] | undefined
  /** Whether to add up the counts of all names, whose `name` is then empty. There may be many of them. */
  sumNames?: boolean | undefined
  /** Whether to add up the counts of all steps, whose `at` is then `since`. */
  sumSteps?: boolean | undefined
}

/**
 * The step of the latencies and loads of handlers, in milliseconds. It is longer than a minute, because a handler has
 * many rows in each step: one for each bucket.
 */
export const handlerStep: number = 5 * minute

/** Milliseconds for which counts are kept, by step. */
export const countRetention: readonly { step: number; age: number }[] = [
  { step: minute, age: 26 * hour },
  { step: hour, age: 31 * day },
]

/** The step of totals, which are never deleted. */
export const totalStep = 0

/** A row of the table of counts: a count within one step. */
export interface CountRow extends Count {
  step: number
}

/** When the stored steps of a query begin that have begun by `now`, for the query of some names. */
export function stepsOf({ since, step }: CountQuery, now: number): number[] {
  const stored = storedStep(step)
  const first = Math.ceil(since / stored) * stored
  return Array.from(
    { length: Math.max(0, Math.floor((now - first) / stored) + 1) },
    (_, index) => first + index * stored,
  )
}

/** The step of the counts that are added up to a step of a query. */
export const storedStep = (step: number): number => (step < hour ? minute : hour)

/** The rows that a count is added to: a minute, an hour and, for rejected requests, the total by code. */
export function toCountRows(counts: readonly Count[]): CountRow[] {
  return counts.flatMap((count) => {
    const rows = countRetention.map(({ step }) => ({ ...count, step, at: count.at - (count.at % step) }))
    return count.measure === 'rejected' ? [...rows, { ...count, step: totalStep, at: 0 }] : rows
  })
}

/**
 * The counts of attempts whose leases have expired. Their worker cannot count them. @param handlers One for each attempt.
 */
export function cutOffCounts(handlers: readonly string[], at: number): Count[] {
  return handlers.map((name) => ({ at, measure: 'attempts', name, outcome: 'cut off', count: 1 }))
}

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

/** An attempt that has ended. */
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
