import { expect, test } from 'vitest'
import type { Count } from '../../../src/inbox/counts.ts'
import { hour, minute } from '../../../src/runtime/units.ts'
import { Engine } from '../engine.ts'

const now = 1000 * 24 * hour

test('keeps counts per minute for 26 hours, counts per hour for 31 days, and totals of rejections forever', () => {
  const engine = new Engine()
  const ages = [hour, 25 * hour, 27 * hour, 30 * 24 * hour, 32 * 24 * hour]
  const counts = ages.map((age): Count => {
    return { at: now - age, measure: 'received', name: 'push', outcome: 'stored', count: 1 }
  })
  engine.write('addCounts', counts)
  engine.maintenance.prune(now)
  const rejected = counts.slice(-1).map((count): Count => ({ ...count, measure: 'rejected', name: 'wrong_signature' }))
  engine.write('addCounts', rejected)
  engine.maintenance.prune(now)
  expect(engine.read('rejections')).toMatchObject({ counts: { wrong_signature: 1 } })
  const kept = (step: number) =>
    engine.read('counts', { since: 0, step }).map(({ at }) => Math.round((now - at) / hour))
  expect(kept(minute)).toEqual([25, 1])
  expect(kept(hour)).toEqual([30 * 24, 27, 25, 1])
})
