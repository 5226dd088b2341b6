import type { Delivery } from '../delivery.ts'
import type { HandlerOptions } from '../handler.ts'
import { type Check, checkOptions, fail, isOneOf, isString, must } from '../runtime/check-options.ts'
import { isObject } from '../runtime/json.ts'
import { maxTimer } from '../runtime/timer.ts'
import { type Duration, durationCheck, toMilliseconds } from '../runtime/units.ts'
import { cronFault } from './cron-text.ts'
import type { Schedule, ScheduleEach, SchedulePayload } from './schedule.ts'

/** When a schedule is due: a cron text with five fields, or an interval. */
export type ScheduleTime = string | { readonly every: Duration }

/** The options of `hooks.schedule()`: those of a handler, except its name, source and paths, and those of the schedule. */
export interface ScheduleOptions<Each extends ScheduleEach | undefined = ScheduleEach | undefined>
  extends Omit<HandlerOptions, 'name' | 'source' | 'paths'> {
  /** The IANA time zone of the cron text, such as `Europe/Berlin`. Default: `UTC`. */
  timezone?: string | undefined
  /**
   * Makes a delivery for each installation of the App, or for each repository of these installations. Suspended
   * installations and archived repositories are left out. Default: one delivery.
   */
  each?: Each
  /**
   * What happens after an outage, when no process made a delivery at a time of the schedule. `'latest'` makes one for
   * the latest missed time. `'skip'` makes none. Default: `'latest'`.
   */
  missed?: 'latest' | 'skip' | undefined
}

type TargetOf<Each> = Each extends 'repository'
  ? Required<Pick<SchedulePayload, 'installation' | 'repository'>>
  : Each extends 'installation'
    ? Required<Pick<SchedulePayload, 'installation'>>
    : unknown

/** The handler of a schedule. Its payload has the members that `each` says. */
export type ScheduleHandler<Name extends string = string, Each extends ScheduleEach | undefined = undefined> = (
  delivery: Delivery<`schedule.${Name}`> & { readonly payload: TargetOf<Each> },
) => unknown

/**
 * Checks the arguments of `hooks.schedule()`.
 * @returns The schedule, and the options of its handler.
 * @throws {TypeError} naming the wrong argument or option.
 */
export function readSchedule(
  name: unknown,
  time: unknown,
  options: ScheduleOptions | undefined = {},
): { schedule: Schedule; handlerOptions: HandlerOptions } {
  if (!isString(name) || !/^[\w.-]{1,100}$/.test(name)) {
    fail('hooks.schedule(): "name"', 'a string of 1 to 100 letters, digits, "_", "-" and "."', name)
  }
  const call = `hooks.schedule('${name}')`
  if (!isObject(options)) fail(`${call}: the options`, 'an object', options)
  const { timezone, each, missed = 'latest', ...handlerOptions } = options as ScheduleOptions
  checkOptions({ timezone, each, missed }, checks, { prefix: call })
  for (const fixed of ['name', 'source', 'paths']) {
    if (fixed in handlerOptions) throw new TypeError(`${call}: a schedule does not have the option "${fixed}"`)
  }
  const read = isString(time) ? readCron(call, time, timezone) : readInterval(call, time, timezone)
  return { schedule: { name, each, missed, ...read }, handlerOptions }
}

type ReadTime = Pick<Schedule, 'rule' | 'time' | 'timezone'>

function readCron(call: string, text: string, timezone = 'UTC'): ReadTime {
  const time = text.trim().replace(/\s+/g, ' ')
  const fault = cronFault(time)
  if (fault !== undefined) throw new TypeError(`${call}: ${fault}`)
  return { rule: { cron: time, timezone }, time, timezone }
}

function readInterval(call: string, time: unknown, timezone: string | undefined): ReadTime {
  if (!isObject(time)) fail(`${call}: the time`, "a cron text such as '0 3 * * *', or { every: '10m' }", time)
  checkInterval(time.every, `${call}: "every"`)
  const given = time.every as Duration
  if (timezone !== undefined) throw new TypeError(`${call}: the option "timezone" needs a cron text, not an interval`)
  const shown = typeof given === 'number' ? `${given}ms` : given
  return { rule: { every: toMilliseconds(given) }, time: `every ${shown}`, timezone: undefined }
}

const checkInterval = durationCheck({ min: 1000, max: maxTimer, plausible: 10_000 })

const checks: Record<'timezone' | 'each' | 'missed', Check> = {
  timezone: must((value) => isString(value) && isTimeZone(value), "the name of a time zone, such as 'Europe/Berlin'"),
  each: isOneOf('installation', 'repository'),
  missed: isOneOf('latest', 'skip'),
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
