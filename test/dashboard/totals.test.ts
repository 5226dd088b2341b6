import { describe, expect, test } from 'vitest'
import { attempts, latencies, received, stacked } from '../../dashboard/overview/chart-data.ts'
import { chartSummary } from '../../dashboard/overview/chart-summary.ts'
import { percent } from '../../dashboard/statistics/percent.ts'
import { byEvent, byHandler, lastHours, stepStarts, sumPerStep } from '../../dashboard/statistics/totals.ts'
import type { Series } from '../../src/server/api/schemas/responses.ts'

const hour = 3_600_000
const quick = { p50: 1, p95: 2, p99: 3 }

/** Three hours. In the second one no request was answered. */
const series: Series = {
  ...{ since: 0, step: hour, secrets: [], latency: quick, latencies: [quick, null, { ...quick, p99: 9 }] },
  received: [
    { event: 'issues', outcome: 'stored', counts: [1, 0, 2] },
    { event: 'push', outcome: 'stored', counts: [3, 0, 4] },
    { event: 'push', outcome: 'duplicate', counts: [0, 0, 1] },
  ],
  attempts: [
    { handler: 'deploy', outcome: 'succeeded', counts: [2, 0, 1] },
    { handler: 'deploy', outcome: 'failed', counts: [1, 0, 0] },
    { handler: 'deploy', outcome: 'released', counts: [0, 0, 5] },
    { handler: 'audit', outcome: 'released', counts: [0, 0, 1] },
  ],
  rejected: [
    { code: 'wrong_signature', counts: [1, 0, 0] },
    { code: 'not_found', counts: [2, 0, 6] },
  ],
}
const nothing: Series = { ...series, received: [], attempts: [], rejected: [], latency: null, latencies: [null, null] }

describe('sums', () => {
  test('add all lists step by step, with zeros for missing steps', () => {
    expect(sumPerStep([[1, 2], [3]], 2)).toEqual([4, 2])
    expect(sumPerStep([], 3)).toEqual([0, 0, 0])
    expect(stepStarts(series)).toEqual([0, hour, 2 * hour])
  })

  test('by event are sorted by frequency', () => {
    expect(byEvent(series)).toEqual([
      { event: 'push', counts: [3, 0, 5], total: 8, duplicates: 1 },
      { event: 'issues', counts: [1, 0, 2], total: 3, duplicates: 0 },
    ])
    expect(byEvent(nothing)).toEqual([])
  })

  test('by handler exclude attempts that a shutdown interrupted', () => {
    const [deploy, audit] = byHandler(series)
    expect(deploy).toMatchObject({ handler: 'deploy', attempts: 9, succeeded: 3, failed: 1, dead: 0, rate: 0.75 })
    expect(audit).toMatchObject({ handler: 'audit', attempts: 1, rate: undefined })
  })

  test('of the last hours add the last steps', () => {
    expect(byEvent(lastHours(series, 1)).map(({ total }) => total)).toEqual([5, 2])
    expect(lastHours(series, 1)).toMatchObject({ since: 2 * hour, latencies: [{ p99: 9 }] })
    expect(lastHours(series, 99)).toEqual(series)
  })
})

describe('charts', () => {
  test('show each outcome, and rare ones only if they occur', () => {
    expect(received(series).lines.map(({ name, values }) => [name, values])).toEqual([
      ['stored', [4, 0, 6]],
      ['duplicate', [0, 0, 1]],
      ['rejected', [3, 0, 6]],
    ])
    expect(attempts(series).lines.map(({ name }) => name)).toEqual(['succeeded', 'failed', 'dead', 'released'])
    expect(attempts(nothing).lines.map(({ name }) => name)).toEqual(['succeeded', 'failed', 'dead'])
  })

  test('have a gap without measurements', () => {
    expect(latencies(series).lines.map(({ values }) => values)).toEqual([
      [1, null, 1],
      [2, null, 2],
      [3, null, 9],
    ])
  })

  test('stack the lines', () => {
    expect(stacked(received(series).lines)).toEqual([
      [4, 0, 6],
      [4, 0, 7],
      [7, 0, 13],
    ])
  })

  test('have a description', () => {
    const writing = { value: String, time: (at: number) => `hour ${at / hour}` }
    expect(chartSummary('Deliveries', received(series), writing)).toBe(
      'Deliveries. stored: peak of 6 at hour 2; duplicate: peak of 1 at hour 2; rejected: peak of 6 at hour 2.',
    )
    expect(chartSummary('Answers', latencies(nothing), writing)).toBe('Answers. p50: none; p95: none; p99: none.')
  })
})

test('rounds a share to 0 % or 100 % only if it is exact', () => {
  expect([0, 0.0001, 0.055, 0.5, 0.994, 0.99999, 1].map(percent)).toEqual([
    ...['0 %', '<0.1 %', '5.5 %', '50 %', '99.4 %', '>99.9 %', '100 %'],
  ])
})
