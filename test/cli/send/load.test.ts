import { describe, expect, test } from 'vitest'
import { nextDue } from '../../../src/cli/send/load.ts'

describe('requests at a rate', () => {
  /** When 5 requests are started at 100 a second, each `late` milliseconds after it was due. */
  function starts(late: (index: number) => number): number[] {
    let due = 0
    return Array.from({ length: 5 }, (_, index) => {
      const start = due + late(index)
      due = nextDue(due, 100, start)
      return start
    })
  }

  test('are evenly spaced, and delays of timers do not add up', () => {
    expect(starts(() => 0)).toEqual([0, 10, 20, 30, 40])
    expect(starts(() => 3)).toEqual([3, 13, 23, 33, 43])
  })

  test('are not followed by a burst after a long stop', () => {
    const due = starts((index) => (index === 0 ? 5000 : 0))
    expect(due).toEqual([5000, 4900, 4910, 4920, 4930])
  })
})
