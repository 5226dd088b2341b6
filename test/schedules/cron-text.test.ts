import { Cron } from 'croner'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cronFault } from '../../src/schedules/cron-text.ts'

test.each(['* * * * *', '0 3 * * *', '*/15 9-17 * * 1-5', '0,30 0-23/2 1,15 1-12 0,7', '0 0 * jan-MAR Mon'])(
  'accepts %s',
  (text) => expect(cronFault(text)).toBeUndefined(),
)

test.each([
  ['', 'a cron text has five fields (minute, hour, day of the month, month, day of the week), got ""'],
  ['* * * *', 'a cron text has five fields (minute, hour, day of the month, month, day of the week), got "* * * *"'],
  ['@daily', 'a cron text has five fields (minute, hour, day of the month, month, day of the week), got "@daily"'],
  ['60 * * * *', 'the minute of a cron text must be "*", or values from 0 to 59 in lists'],
  ['0 24 * * *', 'the hour of a cron text must be "*", or values from 0 to 23 in lists'],
  ['0 0 0 * *', 'the day of the month of a cron text must be "*", or values from 1 to 31 in lists'],
  ['0 0 * 13 *', 'the month of a cron text must be "*", or values from 1 to 12 or JAN to DEC in lists'],
  ['0 0 * * 8', 'the day of the week of a cron text must be "*", or values from 0 to 7 or SUN to SAT in lists'],
])('rejects %s, and names the field', (text, message) => expect(cronFault(text)).toContain(message))

test.each(['*/0', '5/2', '*/60', '9-5', '1-2-3', '1/2/3', '1,,2', '-1', '1-', 'L', '?', '0x1', 'mon', '1.5'])(
  'rejects the minute %s',
  (minute) => expect(cronFault(`${minute} * * * *`)).toContain(`got "${minute}" in "${minute} * * * *"`),
)

test('accepts only texts whose times can be computed', () => {
  const item = fc.oneof(
    fc.constantFrom('*', '*/2', '*/59', '1-5', '1-7/3', '5-1', 'mon', 'jan-jun', '7', '/', '-'),
    fc.integer({ min: -1, max: 61 }).map(String),
  )
  const field = fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join(','))
  const texts = fc.array(field, { minLength: 5, maxLength: 5 }).map((parts) => parts.join(' '))
  fc.assert(
    fc.property(texts, (text) => {
      if (cronFault(text) === undefined) new Cron(text, { mode: '5-part', paused: true })
    }),
  )
})
