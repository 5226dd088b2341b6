import { expect, test } from 'vitest'
import { isPaused } from '../../src/inbox/pauses.ts'

test.each([
  [[], 'a', false],
  [['a'], 'a', true],
  [['b'], 'a', false],
  [['*'], 'a', true],
])('pauses of %j pause handler %s: %s', (paused, handler, expected) => {
  expect(isPaused(new Set(paused), handler)).toBe(expected)
})
