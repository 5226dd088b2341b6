import type { Handler, HandlerOptions, RegisteredHandler } from '../handler.ts'
import { type EachParts, eachTarget } from './each-target.ts'
import { eachHandlerName, type Schedule, scheduleEvent } from './schedule.ts'

/** A handler to register for a schedule. */
interface ScheduleRegistration {
  event: string
  options: HandlerOptions
  /** @param given The handler of the application. */
  toHandler(given: Handler): RegisteredHandler
}

/**
 * The handlers of a schedule: that of the application, and with `each` one that makes the deliveries for the
 * installations or repositories. They get only deliveries of the schedule, not those of a sender with the same event.
 */
export function scheduleHandlers(
  schedule: Schedule,
  options: HandlerOptions,
  parts: EachParts,
): readonly ScheduleRegistration[] {
  const { name, each } = schedule
  const own: ScheduleRegistration = {
    event: `${scheduleEvent}.${name}`,
    options: { ...options, name, source: scheduleEvent },
    toHandler: (handler) => ({ replies: false, handler, schedule }),
  }
  if (!each) return [own]
  const eachName = eachHandlerName(name)
  const makeDeliveries: ScheduleRegistration = {
    event: `${scheduleEvent}.${eachName}`,
    options: { name: eachName, source: scheduleEvent },
    toHandler: () => ({ replies: false, handler: eachTarget(schedule, each, parts), isInternal: true }),
  }
  return [own, makeDeliveries]
}
