import { describe, expect, test } from 'vitest'
import { LatencyBuffer } from '../../src/inbox/latencies.ts'

const bucketOf = (ms: number): number => {
  const latencies = new LatencyBuffer()
  latencies.add('durations', 'deploy', ms)
  return Number(latencies.take()[0]?.outcome)
}

describe('the latencies of handlers', () => {
  test('keep a time within 10 %', () => {
    for (let ms = 1; ms < 1e9; ms *= 1.07) {
      expect(Math.abs(bucketOf(ms) - ms) / ms, `${ms} ms as ${bucketOf(ms)} ms`).toBeLessThan(0.101)
    }
  })

  test.each([
    [0, 0],
    [0.4, 0],
    [1, 1],
    [5000, 4640],
    [900_000, 825_000],
    [Number.MAX_SAFE_INTEGER, 1e10],
  ])('count %d ms as %d ms', (ms, bucket) => expect(bucketOf(ms)).toBe(bucket))

  test('are counts by handler, measure and bucket, and are taken once', () => {
    const latencies = new LatencyBuffer()
    for (const ms of [10, 10, 1000]) latencies.add('durations', 'deploy', ms)
    latencies.add('completions', 'deploy', 1000)
    latencies.add('durations', '__proto__', 1)
    expect(latencies.take()).toEqual([
      { measure: 'durations', name: 'deploy', outcome: '10', count: 2 },
      { measure: 'durations', name: 'deploy', outcome: '1000', count: 1 },
      { measure: 'completions', name: 'deploy', outcome: '1000', count: 1 },
      { measure: 'durations', name: '__proto__', outcome: '1', count: 1 },
    ])
    expect(latencies.take()).toEqual([])
  })
})
