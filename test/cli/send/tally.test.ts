import { expect, test } from 'vitest'
import { showProgress } from '../../../src/cli/send/progress.ts'
import { InboxOverview } from '../../../src/cli/send/tally.ts'

function tallyOf(latencies: readonly number[]): InboxOverview {
  const tally = new InboxOverview()
  tally.start(0)
  for (const [index, ms] of latencies.entries()) {
    tally.begin(index * 10)
    tally.end(index * 10 + ms, { status: 200, text: `answer ${index}`, ms })
  }
  return tally
}

test('percentiles are those of what was answered', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
  const { p50, p95, p99, max } = tallyOf(hundred).latency() ?? {}
  expect(p50).toBeCloseTo(50, 0)
  expect(p95).toBeCloseTo(95, 0)
  expect(p99).toBeCloseTo(99, 0)
  expect(max).toBeCloseTo(100, 0)
  expect(new InboxOverview().latency()).toBeUndefined()
})

test('a rate is that of the answers, or of the gaps between beginnings', () => {
  const tally = tallyOf(Array.from({ length: 11 }, () => 100)) // from 0 to 200, claimed every 10
  expect(tally.rate(false)).toBe(55)
  expect(tally.rate(true)).toBe(100)
  expect(new InboxOverview().rate(true)).toBe(0)
})

test('texts of answers are told apart, up to a few', () => {
  const tally = tallyOf([1, 1, 1, 1, 1, 1, 1])
  tally.begin(0)
  tally.end(1, { status: 200, text: 'answer 3', ms: 1 })
  const answers = tally.answers()
  expect(answers).toHaveLength(6)
  expect(answers.slice(0, 2)).toEqual([
    { status: 200, text: 'answer 3', count: 2 },
    { status: 200, count: 2 },
  ])
})

test('progress is a line on a terminal, which is taken away, and nothing elsewhere', () => {
  const written: string[] = []
  const write = (text: string) => written.push(text)
  const tally = tallyOf([1, 1])
  tally.end(1, { failure: 'gone', refused: false })
  showProgress(tally, 6, { write })()
  expect(written).toEqual([])
  showProgress(tally, 6, { isTTY: true, write })()
  expect(written).toEqual(['\r\x1b[K3 of 6 (50 %)  200: 2  no answer: 1', '\r\x1b[K'])
})
