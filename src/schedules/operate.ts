/** The operations of the API and the command line on schedules. */
import type { DeliveryReader, DeliveryStore, KeyValues } from '../inbox/inbox.ts'
import type { DeliveryState } from '../inbox/records.ts'
import { scheduleEvent } from './schedule.ts'
import { storeScheduled } from './scheduled-delivery.ts'
import { readSchedules, type StoredSchedule } from './stored-schedules.ts'

/** A schedule that workers have or had, with its last delivery. */
export interface ScheduleStatus extends StoredSchedule {
  name: string
  /** Whether its handler, or all handlers, are paused. */
  paused: boolean
  last?: { id: number; at: number; state: DeliveryState } | undefined
}

/** The schedules of all processes, by name. */
export async function scheduleStatuses(
  inbox: Pick<KeyValues & DeliveryReader, 'getValue' | 'list' | 'overview'>,
): Promise<ScheduleStatus[]> {
  const [schedules, { paused }] = await Promise.all([readSchedules(inbox), inbox.overview()])
  const sorted = [...schedules].sort(([a], [b]) => (a < b ? -1 : 1))
  return Promise.all(
    sorted.map(async ([name, stored]) => {
      const query = { source: scheduleEvent, event: scheduleEvent, action: name, limit: 1 }
      const [last] = (await inbox.list(query)).deliveries
      return {
        ...{ name, ...stored, paused: paused.includes(name) || paused.includes('*') },
        last: last && { id: last.id, at: last.receivedAt, state: last.state },
      }
    }),
  )
}

/** No process has registered the schedule. */
export class UnknownSchedule extends Error {}

/** Makes a delivery of a schedule now. @throws {UnknownSchedule} */
export async function runSchedule(
  inbox: Pick<KeyValues & DeliveryStore, 'getValue' | 'store'>,
  name: string,
  now: number = Date.now(),
): Promise<{ id: number; guid: string }> {
  const schedules = await readSchedules(inbox)
  const schedule = schedules.get(name)
  if (!schedule) throw new UnknownSchedule(`There is no schedule ${name}: ${describeKnown([...schedules.keys()])}`)
  const { delivery, result } = await storeScheduled(inbox, { name, time: now, forEach: schedule.each !== undefined })
  return { id: result.id, guid: delivery.guid }
}

const describeKnown = (names: readonly string[]): string =>
  names.length > 0 ? `the schedules are ${names.join(', ')}` : 'no worker has had a schedule yet'
