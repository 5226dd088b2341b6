import type { Handler } from '../handler.ts'
import type { Schedule, ScheduleEach, SchedulePayload } from './schedule.ts'
import type { ScheduledDelivery, ScheduleTarget } from './scheduled-delivery.ts'

/** The parts of a `Hooks` that the handler uses. */
export interface EachParts {
  /** Lists the installations of the App, or the repositories of one installation. */
  targets(installation: ScheduleTarget['installation'] | undefined): AsyncIterable<ScheduleTarget>
  /** Stores a delivery, unless the inbox has it already. */
  store(delivery: ScheduledDelivery): Promise<unknown>
}

/** Deliveries that are stored at a time: the inbox commits them together. */
const batchSize = 100

/**
 * The handler that makes a delivery for each installation or repository. It is a handler, so that the inbox retries it
 * while GitHub does not answer. It lists all targets before it stores the first delivery, so that a retry seldom stores
 * duplicates.
 *
 * With `each: 'repository'`, it makes a delivery for each installation, and gets that delivery itself. So an installation
 * that rejects requests delays no other one.
 */
export function eachTarget({ name }: Schedule, each: ScheduleEach, { targets, store }: EachParts): Handler {
  return async ({ payload, installationId, signal }) => {
    const { time, installation } = payload as unknown as SchedulePayload
    // The number in the payload may be rounded.
    const parent = installation && { ...installation, id: installationId ?? '' }
    const found: ScheduleTarget[] = []
    for await (const target of targets(parent)) {
      signal.throwIfAborted()
      found.push(target)
    }
    const forEach = each === 'repository' && !parent
    for (let start = 0; start < found.length; start += batchSize) {
      signal.throwIfAborted()
      const batch = found.slice(start, start + batchSize)
      await Promise.all(batch.map((target) => store({ name, time: Date.parse(time), forEach, target })))
    }
    return { deliveries: found.length }
  }
}
