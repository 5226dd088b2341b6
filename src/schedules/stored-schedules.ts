/**
 * The schedules of an inbox, in its key-value table: the time until which each one has been handled, and the members that
 * the API and the command line show.
 */
import type { KeyValues } from '../inbox/inbox.ts'
import type { Schedule } from './schedule.ts'

/** A schedule, as the inbox stores it. Times are milliseconds since 1970. */
export interface StoredSchedule {
  /** As it is displayed: `0 3 * * *` or `every 10m`. */
  time: string
  timezone?: string | undefined
  each?: Schedule['each']
  missed: Schedule['missed']
  /**
   * All times until here have been handled: there is a delivery for them, or they were missed. When the schedule is
   * first registered, this is that moment.
   */
  handledUntil: number
  /** The next time. `undefined` if there is none. */
  next?: number | undefined
}

export type StoredSchedules = Map<string, StoredSchedule>

const key = 'schedules'

export async function readSchedules(inbox: Pick<KeyValues, 'getValue'>): Promise<StoredSchedules> {
  return parse(await inbox.getValue(key))
}

/**
 * Changes the stored schedules.
 * @param change Changes the map. Called again if another process has changed the schedules meanwhile.
 */
export async function updateSchedules(inbox: KeyValues, change: (schedules: StoredSchedules) => void): Promise<void> {
  for (;;) {
    const before = await inbox.getValue(key)
    const schedules = parse(before)
    change(schedules)
    const after = JSON.stringify([...schedules])
    if (after === before || (await inbox.compareAndSet(key, before, after))) return
  }
}

const parse = (text: string | undefined): StoredSchedules => new Map(text === undefined ? [] : JSON.parse(text))
