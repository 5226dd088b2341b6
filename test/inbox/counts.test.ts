import { describe, expect, test, vi } from 'vitest'
import { Hooks } from '../../src/hooks.ts'
import { Counters } from '../../src/inbox/counters.ts'
import { type Count, toCountRows } from '../../src/inbox/counts.ts'
import type { Store } from '../../src/inbox/inbox.ts'
import { hour, minute } from '../../src/runtime/units.ts'
import { signedRequest } from '../../src/samples/signed-request.ts'
import { inject } from '../../src/testing/inject.ts'
import { pass, stopTheClock, turnOfTheLoop } from '../receiver/fixtures.ts'
import { eventually, inboxFile, openInbox } from './stores.ts'

function createCounters(addCounts: Store['addCounts'] = async () => {}) {
  const written = vi.fn(addCounts)
  return { counters: new Counters({ addCounts: written }), written }
}

const shortOf = (counts: readonly Count[] | undefined) =>
  counts?.map(({ measure, name, outcome, count }) => [measure, name, outcome, count])

describe('the counters', () => {
  stopTheClock('setTimeout', 'clearTimeout', 'Date')

  test('writes the sums five seconds after the first count', () => {
    const { counters, written } = createCounters()
    for (let times = 0; times < 3; times++) counters.count('attempts', 'deploy', 'succeeded')
    counters.count('attempts', 'deploy', 'failed')
    counters.count('secrets', '0')
    pass(4999)
    expect(written).not.toHaveBeenCalled()
    pass(1)
    expect(shortOf(written.mock.calls[0]?.[0])).toEqual([
      ['attempts', 'deploy', 'succeeded', 3],
      ['attempts', 'deploy', 'failed', 1],
      ['secrets', '0', '', 1],
    ])
    pass(60_000)
    expect(written).toHaveBeenCalledTimes(1)
  })

  test('writes all counts one second after a rejection', () => {
    const { counters, written } = createCounters()
    counters.count('attempts', 'deploy', 'succeeded')
    pass(2000)
    counters.count('rejected', 'not_found')
    counters.count('rejected', 'not_found')
    pass(999)
    expect(written).not.toHaveBeenCalled()
    pass(1)
    expect(shortOf(written.mock.calls[0]?.[0])).toEqual([
      ['attempts', 'deploy', 'succeeded', 1],
      ['rejected', 'not_found', '', 2],
    ])
    pass(60_000)
    expect(written).toHaveBeenCalledTimes(1)
  })

  test('counts by minute', async () => {
    const { counters, written } = createCounters()
    vi.setSystemTime(10 * minute - 1)
    counters.count('rejected', 'a')
    vi.setSystemTime(10 * minute)
    counters.count('rejected', 'a')
    await counters.flush()
    expect(written.mock.calls[0]?.[0].map(({ at }) => at)).toEqual([9 * minute, 10 * minute])
  })

  test('counts the event, secret and response time of a delivery', async () => {
    const { counters, written } = createCounters()
    counters.received({ event: 'push', secretIndex: 1 }, 'stored', 1.2345)
    counters.received({ event: 'push', secretIndex: undefined }, 'duplicate', 1234)
    await counters.flush()
    expect(shortOf(written.mock.calls[0]?.[0])).toEqual([
      ['received', 'push', 'stored', 1],
      ['secrets', '1', '', 1],
      ['answers', '1.2', '', 1],
      ['received', 'push', 'duplicate', 1],
      ['answers', '1200', '', 1],
    ])
  })

  test('counts the duration of an attempt, and the time from the receipt to the success', async () => {
    vi.setSystemTime(7 * minute)
    const { counters, written } = createCounters()
    const attempt = { handler: 'deploy', duration: 100, receivedAt: 6 * minute }
    counters.attempted({ ...attempt, outcome: 'succeeded' })
    counters.attempted({ ...attempt, outcome: 'failed', duration: 1000 })
    counters.attempted({ ...attempt, outcome: 'released' })
    pass(5000)
    expect(shortOf(written.mock.calls[0]?.[0])).toEqual([
      ['attempts', 'deploy', 'succeeded', 1],
      ['attempts', 'deploy', 'failed', 1],
      ['attempts', 'deploy', 'released', 1],
      ['durations', 'deploy', '100', 1],
      ['durations', 'deploy', '1000', 1],
      ['completions', 'deploy', '56200', 1],
    ])
    expect(written.mock.calls[0]?.[0].map(({ at }) => at / minute)).toEqual([7, 7, 7, 5, 5, 5])
  })

  test('counts the latencies of at most 500 handlers separately', async () => {
    const { counters, written } = createCounters()
    for (let index = 0; index < 10_000; index++) {
      counters.attempted({ handler: `h${index}`, outcome: 'failed', duration: 1, receivedAt: 0 })
    }
    await counters.flush()
    const durations = written.mock.calls[0]?.[0].filter(({ measure }) => measure === 'durations') ?? []
    expect(durations).toHaveLength(501)
    expect(durations.at(-1)).toMatchObject({ name: 'other', count: 9500 })
  })

  test('adds up samples of the load of handlers', async () => {
    vi.setSystemTime(7 * minute)
    const { counters, written } = createCounters()
    const idle = { handler: 'audit', waiting: 0, waitingSince: undefined, running: 1 }
    counters.sampled([idle])
    counters.sampled([idle, { handler: 'deploy', waiting: 3, waitingSince: 6 * minute, running: 1 }])
    counters.sampled([{ handler: 'deploy', waiting: 4, waitingSince: 8 * minute, running: 1 }])
    pass(5000)
    expect(shortOf(written.mock.calls[0]?.[0])).toEqual([
      ['loads', '', '', 3],
      ['loads', 'deploy', 'waiting', 7],
      ['loads', 'deploy', 'age', minute],
    ])
  })

  test('repeats a failed write together with the next counts', async () => {
    vi.setSystemTime(60 * minute) // so that the minute does not change
    const { counters, written } = createCounters(() => Promise.reject(new Error('The disk is full')))
    counters.count('rejected', 'a')
    pass(5000)
    await turnOfTheLoop()
    written.mockImplementation(async () => {})
    counters.count('rejected', 'a')
    await counters.flush()
    expect(shortOf(written.mock.calls[1]?.[0])).toEqual([['rejected', 'a', '', 2]])
  })

  test('repeats a failed write together with another count of the same name and outcome', async () => {
    let failures = 1
    const { counters, written } = createCounters(() =>
      failures-- > 0 ? Promise.reject(new Error()) : Promise.resolve(),
    )
    counters.count('attempts', 'deploy', 'succeeded')
    await counters.flush()
    counters.count('attempts', 'deploy', 'succeeded')
    pass(5000)
    expect(shortOf(written.mock.calls[1]?.[0])).toEqual([['attempts', 'deploy', 'succeeded', 2]])
  })

  test('counts names that are too long for the index of the inbox together', async () => {
    const { counters, written } = createCounters()
    const long = 'x'.repeat(501)
    counters.count('received', `a${long}`, 'stored')
    counters.count('received', `b${long}`, 'stored')
    counters.count('received', long.slice(1), 'stored')
    await counters.flush()
    expect(shortOf(written.mock.calls[0]?.[0])).toEqual([
      ['received', 'other', 'stored', 2],
      ['received', 'x'.repeat(500), 'stored', 1],
    ])
  })

  test('counts the names of a measure beyond the five hundredth together', async () => {
    const { counters, written } = createCounters()
    for (let index = 0; index < 600; index++) counters.count('received', `event ${index}`, 'stored')
    counters.count('received', 'event 1', 'stored')
    await counters.flush()
    const counts = written.mock.calls[0]?.[0] ?? []
    expect(counts).toHaveLength(501)
    expect(counts.find(({ name }) => name === 'other')?.count).toBe(100)
    expect(counts.find(({ name }) => name === 'event 1')?.count).toBe(2)
    counters.count('rejected', 'not_found')
    await counters.flush()
    expect(shortOf(written.mock.calls[1]?.[0])).toEqual([['rejected', 'not_found', '', 1]])
  })
})

test('close() writes the counts of received, rejected and handled deliveries', async () => {
  const path = inboxFile()
  const secret = ['new', 'old']
  const hooks = new Hooks({ secret, validateIp: false, inbox: openInbox(path), logger: false })
  hooks.hook('push', () => 'ok')
  const push = signedRequest('push', { secret: 'old' })
  expect((await inject(hooks, push)).status).toBe(202)
  expect((await inject(hooks, push)).status).toBe(200)
  expect((await inject(hooks, signedRequest('push', { secret: 'wrong' }))).status).toBe(400)
  const other = openInbox(path)
  await eventually(async () => expect((await other.overview()).states.done).toBe(1))
  await hooks.close()
  const counts = await other.counts({ since: 0, step: minute })
  const timed = ['answers', 'durations', 'completions']
  const found = shortOf(counts.filter(({ measure }) => !timed.includes(measure)))
  expect(found?.toSorted()).toEqual([
    ['attempts', 'hook:push', 'succeeded', 1],
    ['received', 'push', 'duplicate', 1],
    ['received', 'push', 'stored', 1],
    ['rejected', 'wrong_signature', '', 1],
    ['secrets', '1', '', 2],
  ])
  expect((await other.rejections()).counts).toEqual({ wrong_signature: 1 })
  const sums = timed.map((name) => {
    return counts.filter(({ measure }) => measure === name).reduce((sum, { count }) => sum + count, 0)
  })
  expect(sums).toEqual([2, 1, 1])
})

const at = 5 * hour + 7 * minute + 1

test.for<[Partial<Count>, number[][]]>([
  [
    { measure: 'received', name: 'push', outcome: 'stored' },
    [
      [minute, 5 * hour + 7 * minute],
      [hour, 5 * hour],
    ],
  ],
  [
    { measure: 'rejected', name: 'wrong_signature' },
    [
      [minute, 5 * hour + 7 * minute],
      [hour, 5 * hour],
      [0, 0],
    ],
  ],
])('adds a count of %o to its minute and hour, and a rejection also to the total', ([more, expected]) => {
  const count = { at, measure: 'received', name: 'a', outcome: '', count: 2, ...more } as const
  const rows = toCountRows([count])
  expect(rows.map((row) => [row.step, row.at])).toEqual(expected)
  for (const row of rows) expect(row).toMatchObject({ ...count, at: row.at })
})
