/** The times of a schedule, as pure functions of instants in milliseconds since 1970. */
import { Cron } from 'croner'
import type { ScheduleRule } from './schedule.ts'

/**
 * The latest time of a schedule after `after`, and not after `until`.
 *
 * In changes of daylight saving time, cron texts follow the usual cron. Without `*` and steps in the minute and the hour, a
 * local time that does not exist is replaced by the end of the gap, and a local time that exists twice counts once, the
 * first time. Other cron texts leave out times that do not exist, and are due both times if a time exists twice.
 */
export function latestDue(rule: ScheduleRule, after: number, until: number): number | undefined {
  const latest = 'every' in rule ? Math.floor(until / rule.every) * rule.every : previousOf(rule, until + 1)
  return latest !== undefined && latest > after ? latest : undefined
}

/** The first time of a schedule after `after`. `undefined` if there is none, as on 31 February. */
export function nextDue(rule: ScheduleRule, after: number): number | undefined {
  if ('every' in rule) return (Math.floor(after / rule.every) + 1) * rule.every
  return cronOf(rule).nextRun(new Date(after))?.getTime()
}

const cronOf = ({ cron, timezone }: { cron: string; timezone: string }): Cron =>
  new Cron(cron, { timezone, mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true })

const previousOf = (rule: { cron: string; timezone: string }, before: number): number | undefined =>
  cronOf(rule).previousRuns(1, new Date(before))[0]?.getTime()
