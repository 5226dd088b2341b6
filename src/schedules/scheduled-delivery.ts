import { createdHeaders } from '../http.ts'
import type { DeliveryStore, NewDelivery, StoreResult } from '../inbox/inbox.ts'
import { publishStored, toNewDelivery } from '../inbox/store-delivery.ts'
import { rawNumber } from '../runtime/json.ts'
import { eachHandlerName, type ScheduledInstallation, type ScheduledRepository, scheduleEvent } from './schedule.ts'

/** An installation or a repository, with ids as text. */
export interface ScheduleTarget {
  installation: Omit<ScheduledInstallation, 'id'> & { id: string }
  repository?: (Omit<ScheduledRepository, 'id'> & { id: string }) | undefined
}

export interface ScheduledDelivery {
  /** The name of the schedule. */
  name: string
  /** The time of the schedule, in milliseconds since 1970. */
  time: number
  /**
   * Whether a handler of hookserver makes the deliveries from this one: for the installations, or with a target for the
   * repositories of its installation.
   */
  forEach: boolean
  target?: ScheduleTarget | undefined
}

/** A delivery for a time of a schedule. Its GUID, and so its identity, is the same in all processes. */
export function newScheduledDelivery({ name, time, forEach, target }: ScheduledDelivery): NewDelivery {
  const text = new Date(time).toISOString()
  const guid = ['schedule', name, text, ...idsOf(target, forEach)].join(':')
  const payload = { action: forEach ? eachHandlerName(name) : name, time: text, ...withNumbers(target) }
  const headers = createdHeaders({}, scheduleEvent, guid)
  return toNewDelivery({
    delivery: {
      ...{ event: scheduleEvent, guid, headers, source: scheduleEvent, receivedAt: new Date() },
      ...{ secretId: undefined, secretIndex: undefined },
    },
    ...{ body: new TextEncoder().encode(JSON.stringify(payload)), form: 'json' },
    ...{ algorithm: undefined, address: undefined },
  })
}

/** The end of the GUID. An installation and a repository may have the same id. */
function idsOf(target: ScheduleTarget | undefined, forEach: boolean): readonly string[] {
  if (!target) return []
  return forEach ? ['installation', target.installation.id] : [(target.repository ?? target.installation).id]
}

/** Stores a delivery for a time of a schedule, unless there is one already. */
export async function storeScheduled(
  inbox: Pick<DeliveryStore, 'store'>,
  scheduled: ScheduledDelivery,
): Promise<{ delivery: NewDelivery; result: StoreResult }> {
  const delivery = newScheduledDelivery(scheduled)
  const result = await inbox.store(delivery)
  publishStored(result, delivery)
  return { delivery, result }
}

/** The members of the payload. Ids are numbers, as in GitHub's payloads, and keep their digits. */
function withNumbers(target: ScheduleTarget | undefined): object {
  const members = Object.entries(target ?? {}).filter(([, member]) => member !== undefined)
  return Object.fromEntries(members.map(([name, member]) => [name, { ...member, id: rawNumber(member.id) }]))
}
