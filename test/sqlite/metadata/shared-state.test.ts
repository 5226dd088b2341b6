import { expect, test } from 'vitest'
import { lease } from '../../../src/sqlite/metadata/shared-state.ts'
import { day, minute } from '../../receiver/fixtures.ts'
import { Engine } from '../engine.ts'

test('a lease that a clock set far ahead does not last until then', () => {
  const { writing } = new Engine()
  const now = 100 * day
  const acquire = (holder: string, at: number, ms = minute) => lease(writing, 'sweep', holder, ms, at)
  expect(acquire('ended', now + day)).toBe(true)
  expect([acquire('a', now, 0), acquire('a', now), acquire('b', now)]).toEqual([false, true, false])
  expect(acquire('b', now - minute)).toBe(false) // the holder may still run
})
