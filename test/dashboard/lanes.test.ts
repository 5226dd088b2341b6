import { describe, expect, test } from 'vitest'
import { waterfallOf } from '../../dashboard/delivery/lanes.ts'
import type { AttemptDetail, DeliveryDetail, TaskDetail } from '../../src/inbox/records.ts'

const receivedAt = 10_000

const attempt = (number: number, startedAt: number, more: Partial<AttemptDetail> = {}): AttemptDetail => ({
  ...{ number, startedAt, duration: 100, outcome: 'failed', error: undefined, result: undefined, log: undefined },
  ...more,
})

const task = (handler: string, state: TaskDetail['state'], attempts: AttemptDetail[], nextAttemptAt?: number) =>
  ({ handler, state, attempts, key: undefined, nextAttemptAt }) satisfies TaskDetail

const waterfall = (tasks: TaskDetail[], now = receivedAt) =>
  waterfallOf({ receivedAt, tasks } as unknown as DeliveryDetail, now)

describe('the waterfall', () => {
  test('has a lane for each handler, failing handlers first', () => {
    const states = ['done', 'gone', 'pending', 'retrying', 'running', 'dead', 'discarded'] as const
    const { lanes } = waterfall(states.map((state) => task(state, state, [])))
    expect(lanes.map(({ handler }) => handler)).toEqual([
      ...['dead', 'retrying', 'running', 'pending', 'discarded', 'gone', 'done'],
    ])
  })

  test('shows the waits before and between attempts, and until the next one', () => {
    const attempts = [attempt(1, 10_050), attempt(2, 15_150, { duration: 850 })]
    const { lanes, length } = waterfall([task('deploy', 'retrying', attempts, 40_000)])
    expect(lanes[0]?.segments).toEqual([
      { kind: 'waiting', from: 0, to: 50 },
      { kind: 'failed', from: 50, to: 150 },
      { kind: 'waiting', from: 150, to: 5150 },
      { kind: 'failed', from: 5150, to: 6000 },
      { kind: 'next', from: 6000, to: 30_000 },
    ])
    expect(length).toBe(30_000)
    expect(lanes[0]?.summary).toBe(
      'deploy is retrying: waited 50 ms, attempt 1 failed after 100 ms, waited 5 s, attempt 2 failed after 850 ms, ' +
        'waits 24 s for its next attempt',
    )
  })

  test('lets a running attempt and the wait of a due task end now', () => {
    const running = attempt(3, 11_000, { outcome: 'running', duration: undefined })
    const { lanes, length } = waterfall([task('a', 'running', [running]), task('b', 'pending', [])], 13_000)
    expect(lanes.map(({ summary }) => summary)).toEqual([
      'a is running: waited 1 s, attempt 3 has run for 2 s',
      'b is pending: has waited 3 s',
    ])
    expect(length).toBe(3000)
  })

  test('ends at the last attempt, also if other clocks are behind', () => {
    const attempts = [
      attempt(1, 9000, { outcome: 'cut off', duration: undefined }),
      attempt(2, 9500, { outcome: 'dead' }),
    ]
    const { lanes, length } = waterfall([task('deploy', 'dead', attempts)], 99_000)
    expect(lanes[0]?.segments).toEqual([
      { kind: 'cut off', from: 0, to: 0 },
      { kind: 'dead', from: 0, to: 100 },
    ])
    expect(lanes[0]?.summary).toBe('deploy is dead: attempt 1 was cut off, attempt 2 dead after 100 ms')
    expect(length).toBe(100)
  })

  test('has an axis even if nothing took any time', () => {
    expect(waterfall([task('deploy', 'gone', [])])).toMatchObject({
      lanes: [{ segments: [], summary: 'deploy is gone: no attempt' }],
      length: 1,
    })
  })
})
