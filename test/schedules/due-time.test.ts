import { expect, test } from 'vitest'
import { latestDue, nextDue } from '../../src/schedules/due-time.ts'
import type { ScheduleRule } from '../../src/schedules/schedule.ts'

/** All times of a rule after `from`, until `to`. */
function timesOf(rule: ScheduleRule, from: string, to: string): string[] {
  const times: string[] = []
  for (let time = nextDue(rule, Date.parse(from)); time !== undefined && time <= Date.parse(to); ) {
    times.push(new Date(time).toISOString().replace(/:00\.000Z$/, 'Z'))
    time = nextDue(rule, time)
  }
  return times
}

const berlin = (cron: string): ScheduleRule => ({ cron, timezone: 'Europe/Berlin' })

// On 29 March 2026, 02:00 to 03:00 does not exist in Berlin. On 25 October, 02:00 to 03:00 exists twice.
test.each<[string, ScheduleRule, string, string, string[]]>([
  [
    'a time that does not exist is the end of the gap',
    berlin('30 2 * * *'),
    ...(['2026-03-28T00:00Z', '2026-03-30T12:00Z'] as const),
    ['2026-03-28T01:30Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z'],
  ],
  [
    'a time that exists twice counts once',
    berlin('30 2 * * *'),
    ...(['2026-10-24T12:00Z', '2026-10-26T12:00Z'] as const),
    ['2026-10-25T00:30Z', '2026-10-26T01:30Z'],
  ],
  [
    'a time that does not exist counts once for a list of hours',
    berlin('30 2,14 * * *'),
    ...(['2026-03-28T18:00Z', '2026-03-29T18:00Z'] as const),
    ['2026-03-29T01:00Z', '2026-03-29T12:30Z'],
  ],
  [
    'a time that exists twice counts once for a list of hours',
    berlin('30 2,14 * * *'),
    ...(['2026-10-24T18:00Z', '2026-10-25T18:00Z'] as const),
    ['2026-10-25T00:30Z', '2026-10-25T13:30Z'],
  ],
  [
    'every hour continues when the clock goes forward',
    berlin('0 * * * *'),
    ...(['2026-03-28T23:30Z', '2026-03-29T02:30Z'] as const),
    ['2026-03-29T00:00Z', '2026-03-29T01:00Z', '2026-03-29T02:00Z'],
  ],
  [
    'every hour continues when the clock goes back',
    berlin('0 * * * *'),
    ...(['2026-10-24T23:30Z', '2026-10-25T02:30Z'] as const),
    ['2026-10-25T00:00Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z'],
  ],
  [
    'a day of the month or a day of the week is enough',
    { cron: '0 0 13 * 5', timezone: 'UTC' },
    ...(['2026-11-01T12:00Z', '2026-12-13T00:00Z'] as const),
    ['2026-11-06', '2026-11-13', '2026-11-20', '2026-11-27', '2026-12-04', '2026-12-11', '2026-12-13'].map(
      (day) => `${day}T00:00Z`,
    ),
  ],
  [
    'an interval counts from 1970, in all processes',
    { every: 6 * 3_600_000 },
    ...(['2026-01-01T05:00Z', '2026-01-01T18:00Z'] as const),
    ['2026-01-01T06:00Z', '2026-01-01T12:00Z', '2026-01-01T18:00Z'],
  ],
])('%s', (_title, rule, from, to, times) => expect(timesOf(rule, from, to)).toEqual(times))

test('the latest due time is the last of the times that come one after the other', () => {
  const [from, until] = [Date.parse('2026-10-24T21:00Z'), Date.parse('2026-10-25T04:00Z')]
  for (const rule of [berlin('30 2 * * *'), berlin('0,30 1-3 * * *'), berlin('*/45 1-3 * * *'), { every: 1_800_000 }]) {
    const times = timesOf(rule, new Date(from).toISOString(), new Date(until).toISOString())
    for (let now = from; now < until; now += 900_000) {
      const last = times.findLast((time) => Date.parse(time) <= now)
      expect(latestDue(rule, from, now)).toBe(last && Date.parse(last))
    }
  }
})

test('a time is due from its millisecond on, and not after it has been handled', () => {
  const [rule, time] = [berlin('30 4 * * *'), Date.parse('2026-06-01T02:30Z')]
  expect(latestDue(rule, time - 1, time - 1)).toBeUndefined()
  expect(latestDue(rule, time - 1, time)).toBe(time)
  expect(latestDue(rule, time, time + 1)).toBeUndefined()
  expect(latestDue({ every: 60_000 }, time - 1, time)).toBe(time)
  expect(latestDue({ every: 60_000 }, time, time + 59_999)).toBeUndefined()
})

test('a day that does not exist has no time', () => {
  const rule = { cron: '0 0 31 2 *', timezone: 'UTC' }
  expect(nextDue(rule, 0)).toBeUndefined()
  expect(latestDue(rule, 0, Date.parse('2026-06-01'))).toBeUndefined()
})
