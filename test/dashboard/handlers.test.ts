import { describe, expect, test } from 'vitest'
import { type ColumnName, nextSort, sorted, sortIn, successOf } from '../../dashboard/handlers/columns.ts'
import { latencyChart, maxOf, pathOf } from '../../dashboard/handlers/handler-charts.ts'
import type { Handler, HandlerSeries } from '../../src/server/api/schemas/responses.ts'

const none = { attempts: 0, succeeded: 0, failed: 0, dead: 0, waiting: 0, running: 0 }
const handler = (name: string, statistics: Partial<Handler['statistics']> = {}): Handler => {
  return { name, paused: false, statistics: { ...none, durations: null, completions: null, ...statistics } }
}
const latency = (p95: number) => ({ p50: 1, p95, p99: p95 })

describe('the table of handlers', () => {
  const handlers = [
    handler('b', { durations: latency(5000), failed: 1, dead: 2, waiting: 3 }),
    handler('c'),
    handler('a', { durations: latency(20), succeeded: 4, waiting: 3 }),
  ]
  const namesBy = (text?: string) => sorted(handlers, sortIn(text)).map(({ name }) => name)

  test('is sorted by name at first, and by the column in the address', () => {
    expect(namesBy()).toEqual(['a', 'b', 'c'])
    expect(namesBy('-name')).toEqual(['c', 'b', 'a'])
    expect(namesBy('p95')).toEqual(['c', 'a', 'b'])
    expect(namesBy('-p95')).toEqual(['b', 'a', 'c'])
    expect(namesBy('-failed')).toEqual(['b', 'a', 'c'])
    expect(namesBy('-waiting')).toEqual(['a', 'b', 'c'])
    expect(namesBy('success')).toEqual(['c', 'b', 'a'])
    for (const unknown of ['none', '-__proto__', 'constructor', '']) expect(namesBy(unknown)).toEqual(['a', 'b', 'c'])
  })

  test.each<[ColumnName, string | undefined, string]>([
    ['p95', undefined, '-p95'],
    ['p95', '-p95', 'p95'],
    ['p95', 'p95', '-p95'],
    ['name', '-p95', 'name'],
    ['name', undefined, '-name'],
  ])('a click on %s leads from the order %j to %s', (column, sort, next) => {
    expect(nextSort(column, sortIn(sort))).toBe(next)
  })

  test('has a success share only if an attempt succeeded or failed', () => {
    expect(handlers.map(successOf)).toEqual([0, undefined, 1])
  })
})

describe('the charts of a handler', () => {
  test('draw a line through neighboring values, and a short line for a value between two gaps', () => {
    expect(pathOf([10, 0, null, 5, null], 10, 450, 100)).toBe('M45.0 0.0L135.0 100.0M285.0 50.0h60.0')
    expect(pathOf([null, null], 1, 500, 100)).toBe('')
  })

  test('have the percentiles as lines, with gaps in steps without attempts', () => {
    const series = { since: 1000, step: 300, waiting: [0, 0] } as unknown as HandlerSeries
    const chart = latencyChart(series, [null, { p50: 1, p95: 2, p99: 3 }])
    expect(chart.at).toEqual([1000, 1300])
    expect(chart.lines.map(({ name, values }) => [name, values])).toEqual([
      ['p50', [null, 1]],
      ['p95', [null, 2]],
      ['p99', [null, 3]],
    ])
    expect(maxOf(chart)).toBe(3)
    expect(maxOf(latencyChart(series, [null, null]))).toBe(1)
  })
})
