import type { BasicStore, KeyValues, NamedLeases } from '../inbox/inbox.ts'
import { startTimer } from '../runtime/timer.ts'
import { day } from '../runtime/units.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import { latestDue, nextDue } from './due-time.ts'
import type { Schedule } from './schedule.ts'
import type { ScheduledDelivery } from './scheduled-delivery.ts'
import { readSchedules, type StoredSchedule, updateSchedules } from './stored-schedules.ts'

export type ScheduleInbox = BasicStore & KeyValues & NamedLeases

/** The clock and the timers of a scheduler. Tests replace them. */
export interface SchedulerClock {
  now(): number
  /** See `startTimer` in `runtime/timer.ts`. */
  startTimer(work: () => void, ms: number): () => void
}

export interface SchedulerParts {
  inbox: ScheduleInbox
  /** The registered schedules. */
  schedules(): readonly Schedule[]
  /** Stores a delivery, unless the inbox has it already. */
  store(delivery: ScheduledDelivery): Promise<unknown>
  logger: FullLogger
  /** Default: that of the system. */
  clock?: SchedulerClock | undefined
  /** Milliseconds until another process may take over from one that has died. Default: 30000. */
  leaseDuration?: number | undefined
}

/** Milliseconds after which a time counts as missed. */
const missedAfter = 60_000
/**
 * The maximum milliseconds between two looks at the clock: a timer does not notice that the clock was set, or that the
 * machine was suspended.
 */
const maxWait = 60_000
/** Milliseconds until the next try, if the inbox fails or another process has the lease. */
const retryDelay = 5000
/** If a process dies while it has the lease, another process makes the delivery when the lease has expired. */
const defaultLeaseDuration = 30_000
/**
 * If a clock was set ahead, times after now may have been handled. They are not repeated when the clock is set back. So
 * the schedule pauses until then, but not for longer than this.
 */
const maxAhead = day
/** Milliseconds from the next time of a schedule that no process registers any more until it is forgotten. */
const forgetAfter = 30 * day

/**
 * Makes the deliveries of schedules. Each process that works has one, and the inbox makes sure that a time is handled
 * once: the key-value table says until when a schedule has been handled, a lease lets one process at a time go on from
 * there, and the identity of the delivery makes a second one a duplicate.
 *
 *     new --register--> waiting --its next time comes--> due --lease acquired, stored, handled--> waiting
 *                                                        due --another process has handled it--> waiting
 *                                                        due --another process has the lease, the inbox fails--> due
 *
 * A process may end at any moment. If it has stored the delivery, but not recorded that the time is handled, the next
 * process stores a duplicate.
 */
export class Scheduler {
  readonly #parts: SchedulerParts
  readonly #clock: SchedulerClock
  readonly #leaseDuration: number
  readonly #holder = crypto.randomUUID()
  readonly #waiting = new Map<Schedule, StoredSchedule>()
  #stopTimer: () => void = () => {}
  #round: Promise<void> | undefined
  /** Whether another round must follow the current one, because a schedule may be new. */
  #isWoken = false
  #isStopped = false

  constructor(parts: SchedulerParts) {
    this.#parts = parts
    this.#clock = parts.clock ?? { now: Date.now, startTimer }
    this.#leaseDuration = parts.leaseDuration ?? defaultLeaseDuration
  }

  /** Registers new schedules, handles those that are due, and sets the timer. */
  wake(): Promise<void> {
    this.#isWoken = true
    this.#round ??= this.#runRounds()
    return this.#round
  }

  /** Ends after the current round. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#stopTimer()
    await this.#round
  }

  async #runRounds(): Promise<void> {
    this.#stopTimer()
    let delay = maxWait
    while (this.#isWoken && !this.#isStopped) {
      this.#isWoken = false
      delay = await this.#runRound()
    }
    this.#round = undefined
    if (!this.#isStopped) this.#stopTimer = this.#clock.startTimer(() => void this.wake(), delay)
  }

  /** @returns Milliseconds until the next round. */
  async #runRound(): Promise<number> {
    try {
      await this.#registerAll()
      const now = this.#clock.now()
      const due = [...this.#waiting].filter(([, { next = Number.POSITIVE_INFINITY }]) => next <= now)
      await Promise.all(due.map(([schedule]) => this.#handle(schedule)))
      return this.#delay()
    } catch (err) {
      this.#parts.logger.error({ err }, 'Cannot register schedules; hookserver tries again')
      return retryDelay
    }
  }

  /** Milliseconds until the next time, or until the next try if a schedule is still due. */
  #delay(): number {
    const now = this.#clock.now()
    const waits = [...this.#waiting.values()].map(({ next = Number.POSITIVE_INFINITY }) => next - now)
    return Math.min(maxWait, ...waits.map((wait) => (wait > 0 ? wait : retryDelay)))
  }

  /** Registers the schedules that are new in this process, or whose clock was wrong. */
  async #registerAll(): Promise<void> {
    const schedules = this.#parts.schedules()
    for (const known of this.#waiting.keys()) if (!schedules.includes(known)) this.#waiting.delete(known)
    const now = this.#clock.now()
    const unregistered = schedules.filter((one) => !isUsable(this.#waiting.get(one), one, now))
    if (unregistered.length === 0) return
    const names = schedules.map(({ name }) => name)
    await updateSchedules(this.#parts.inbox, (stored) => {
      for (const [name, { next = now }] of stored) {
        if (!names.includes(name) && next + forgetAfter < now) stored.delete(name)
      }
      for (const schedule of unregistered) {
        const found = stored.get(schedule.name)
        const { handledUntil, next } = isUsable(found, schedule, now) ? found : begun(schedule, now)
        const current = { ...shownOf(schedule), handledUntil, next }
        stored.set(schedule.name, current)
        this.#waiting.set(schedule, current)
      }
    })
    for (const schedule of unregistered) this.#warnIfNever(schedule)
  }

  #warnIfNever(schedule: Schedule): void {
    const { name, time } = schedule
    if (this.#waiting.get(schedule)?.next !== undefined) return
    this.#parts.logger.warn({ schedule: name, time }, 'A schedule has no time at which it is due: check its cron text')
  }

  /** Handles a schedule that is due. Leaves it due if the inbox fails, or if another process has the lease. */
  async #handle(schedule: Schedule): Promise<void> {
    try {
      await this.#handleWithLease(schedule)
    } catch (err) {
      this.#parts.logger.error(
        { err, schedule: schedule.name },
        'Cannot make the delivery of a schedule; hookserver tries again',
      )
    }
  }

  async #handleWithLease(schedule: Schedule): Promise<void> {
    const { inbox } = this.#parts
    const lease = `schedule:${schedule.name}`
    if (!(await this.#isDue(schedule)) || !(await inbox.lease(lease, this.#holder, this.#leaseDuration))) return
    try {
      if (await this.#isDue(schedule)) await this.#makeDelivery(schedule)
    } finally {
      await inbox.lease(lease, this.#holder, 0)
    }
  }

  /** Whether no process has handled the time yet. */
  async #isDue(schedule: Schedule): Promise<boolean> {
    const stored = (await readSchedules(this.#parts.inbox)).get(schedule.name)
    if (!stored) {
      this.#waiting.delete(schedule) // the inbox was emptied, so the next round registers the schedule again
      return false
    }
    // Another version of the program may have another rule.
    const next = nextDue(schedule.rule, stored.handledUntil)
    this.#waiting.set(schedule, { ...stored, ...shownOf(schedule), next })
    return next !== undefined && next <= this.#clock.now()
  }

  async #makeDelivery(schedule: Schedule): Promise<void> {
    const { name, rule, each, missed } = schedule
    const { handledUntil } = this.#waiting.get(schedule) as StoredSchedule
    const now = this.#clock.now()
    const time = latestDue(rule, handledUntil, now)
    if (time === undefined) return
    if (missed === 'skip' && now - time > missedAfter) {
      this.#parts.logger.info({ schedule: name, time: new Date(time).toISOString() }, 'Skipped a missed time')
    } else {
      await this.#parts.store({ name, time, forEach: each !== undefined })
    }
    await updateSchedules(this.#parts.inbox, (stored) => {
      const current = { ...shownOf(schedule), handledUntil: time, next: nextDue(rule, time) }
      stored.set(name, current)
      this.#waiting.set(schedule, current)
    })
  }
}

const shownOf = ({ time, timezone, each, missed }: Schedule): Omit<StoredSchedule, 'handledUntil' | 'next'> => ({
  ...{ time, timezone, each, missed },
})

/** The state of a schedule that begins now. */
const begun = ({ rule }: Schedule, now: number) => ({ handledUntil: now, next: nextDue(rule, now) })

/** Whether a schedule may go on from its stored state: its times are the same, and were not handled by a wrong clock. */
const isUsable = (
  stored: StoredSchedule | undefined,
  { time, timezone }: Schedule,
  now: number,
): stored is StoredSchedule =>
  stored !== undefined && stored.time === time && stored.timezone === timezone && stored.handledUntil <= now + maxAhead
