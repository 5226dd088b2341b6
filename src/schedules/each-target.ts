import type { Handler } from '../handler.ts'
import type { Schedule, ScheduleEach, SchedulePayload } from './schedule.ts'
import type { ScheduledDelivery, ScheduleTarget } from './scheduled-delivery.ts'

/** The parts of a `Hooks` that the handler uses. */
export interface EachParts {
  /** Lists the installations of the App, or their repositories. */
  targets(each: ScheduleEach): AsyncIterable<ScheduleTarget>
  /** Stores a delivery, unless the inbox has it already. */
  store(delivery: ScheduledDelivery): Promise<unknown>
}

/**
 * The handler that makes a delivery for each installation or repository. It is a handler, so that the inbox retries it
 * while GitHub does not answer. It lists all targets before it stores the first delivery, so that a retry seldom stores
 * duplicates.
 */
export function eachTarget({ name }: Schedule, each: ScheduleEach, { targets, store }: EachParts): Handler {
  return async ({ payload, signal }) => {
    const found: ScheduleTarget[] = []
    for await (const target of targets(each)) {
      signal.throwIfAborted()
      found.push(target)
    }
    const time = Date.parse((payload as unknown as SchedulePayload).time)
    for (const target of found) {
      signal.throwIfAborted()
      await store({ name, time, forEach: false, target })
    }
    return { deliveries: found.length }
  }
}
