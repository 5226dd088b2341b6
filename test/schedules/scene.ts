/** Schedulers with a clock that the test sets. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Hooks } from '../../src/hooks.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import type { DeliveryDetail } from '../../src/inbox/records.ts'
import type { Schedule } from '../../src/schedules/schedule.ts'
import { readSchedule, type ScheduleOptions, type ScheduleTime } from '../../src/schedules/schedule-options.ts'
import { type ScheduledDelivery, storeScheduled } from '../../src/schedules/scheduled-delivery.ts'
import { Scheduler, type SchedulerClock, type SchedulerParts } from '../../src/schedules/scheduler.ts'
import { childLogger } from '../../src/telemetry/logger.ts'
import { Recorder } from '../recorder.ts'

/** A clock whose timers never fire: the test wakes the scheduler. */
export class TestClock implements SchedulerClock {
  time: number
  /** The delay of the timer that runs. */
  delay: number | undefined

  constructor(time: string | number) {
    this.time = new Date(time).getTime()
  }

  readonly now = (): number => this.time

  readonly startTimer = (_work: () => void, ms: number): (() => void) => {
    this.delay = ms
    return () => {
      this.delay = undefined
    }
  }
}

export const scheduleOf = (name: string, time: ScheduleTime, options: ScheduleOptions = {}): Schedule =>
  readSchedule(name, time, options).schedule

/** A scheduler with the times of the deliveries that it has stored, and the messages that it has logged. */
export function schedulerOf(
  inbox: Store,
  clock: TestClock,
  schedules: readonly Schedule[],
  parts: Partial<SchedulerParts> = {},
) {
  const recorder = new Recorder()
  const stored: string[] = []
  const store = async (delivery: ScheduledDelivery) => {
    stored.push(new Date(delivery.time).toISOString())
    await storeScheduled(inbox, delivery)
  }
  const logger = childLogger(recorder)
  const scheduler = new Scheduler({ ...{ inbox, clock, logger, store }, schedules: () => schedules, ...parts })
  const wakeAt = (time: string): Promise<void> => {
    clock.time = Date.parse(time)
    return scheduler.wake()
  }
  return { scheduler, stored, recorder, wakeAt }
}

/**
 * Runs `program.ts`, for a file of SQLite or the URL of a PostgreSQL database. @returns Its output: how many deliveries it
 * has stored.
 */
export async function runProcess(store: string, minutes: number, death?: string): Promise<string> {
  const program = fileURLToPath(new URL('program.ts', import.meta.url))
  const input = JSON.stringify({ store, begin, minutes, death })
  return (await promisify(execFile)(process.execPath, [program, input], { encoding: 'utf8' })).stdout
}

/** The time at which the clock of each process begins. */
export const begin = '2026-06-01T00:00:00.000Z'

export const schedulesOf = (hooks: Hooks): Schedule[] => hooks.registrations.flatMap(({ schedule }) => schedule ?? [])

/** The scheduled deliveries in an inbox, the oldest first. */
export async function scheduledIn(inbox: Store): Promise<DeliveryDetail[]> {
  const { deliveries } = await inbox.list({ event: 'schedule', limit: 500 })
  const details = await Promise.all(deliveries.toReversed().map(({ id }) => inbox.get(id)))
  return details.flatMap((one) => one ?? [])
}
