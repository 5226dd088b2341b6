import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type LogPosition, nextRange, parsePosition } from '../../src/github/log-position.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const now = 1000 * day
const startPosition: LogPosition = { at: 0, recentAt: 0, fullAt: 0 }
const position: LogPosition = { at: now - minute, recentAt: now - minute, fullAt: now - minute }

describe('the part of the log to read', () => {
  test.each([
    ['begins 5 minutes before the newest attempt', position, now - 6 * minute],
    ['is everything at first', startPosition, now - 3 * day],
    ['begins three hours ago once an hour', { ...position, recentAt: now - hour }, now - 3 * hour],
    ['is everything once a day', { ...position, fullAt: now - day }, now - 3 * day],
    [
      'begins before now, although an earlier version stored a time in the future',
      { ...position, at: now + day },
      now - 5 * minute,
    ],
    [
      'is everything if the last full read is in the future, because a clock was wrong',
      { ...position, fullAt: now + 1 },
      now - 3 * day,
    ],
    [
      'begins before the newest attempt, however long ago that was',
      { ...position, at: now - day },
      now - day - 5 * minute,
    ],
  ])('%s', (_what, from, expected) => {
    expect(nextRange(from, now, now - 3 * day).from).toBe(expected)
  })

  test('never begins before the earliest time', () => {
    expect(nextRange(startPosition, now, now - minute).from).toBe(now - minute)
  })

  test('is everything if the caller wants it, and the next full read is a day later', () => {
    const range = nextRange(position, now, now - 3 * day, true)
    expect(range.from).toBe(now - 3 * day)
    expect(range.next(now - 1)).toEqual({ at: now - 1, recentAt: now, fullAt: now })
  })

  test('is everything again an hour after a read of a broken log', () => {
    const broken = nextRange(startPosition, now, now - 3 * day).next(now, true)
    expect(nextRange(broken, now + hour - 1, now - 3 * day).from).toBeGreaterThan(now - day)
    expect(nextRange(broken, now + hour, now - 3 * day).from).toBe(now - 3 * day)
  })

  test('finds each attempt that appears up to 71 minutes late, at most an hour and a pause after it appeared', () => {
    const waits = fc.array(fc.integer({ min: 1, max: 49 * minute }), { minLength: 1, maxLength: 100 })
    fc.assert(
      fc.property(
        waits,
        fc.integer({ min: 0, max: 71 * minute }),
        fc.integer({ min: 0, max: day }),
        (pauses, late, sent) => {
          let [time, state] = [now, nextRange(startPosition, now, now).next(now)]
          const appears = now + sent + late
          for (const pause of pauses) {
            time += pause
            const range = nextRange(state, time, now)
            if (time >= appears && range.from <= now + sent) return // found
            state = range.next(time)
            expect(time - appears).toBeLessThan(hour + 49 * minute)
          }
        },
      ),
    )
  })
})

describe('a stored position', () => {
  test.each([
    [undefined, startPosition],
    ['1234', { ...startPosition, at: 1234 }],
    ['{"at":7,"seen":[[40000000001,7]]}', { ...startPosition, at: 7 }],
    ['{"at":"7","recentAt":null}', startPosition],
    ['broken', startPosition],
    [JSON.stringify(position), position],
  ])('%j is read', (text, expected) => {
    expect(parsePosition(text)).toEqual(expected)
  })
})
