import { expect, test } from 'vitest'
import { showProgress } from '../../../src/cli/output.ts'
import { answerLines, Summary } from '../../../src/cli/send/summary.ts'

function newSummary(rate?: number): Summary {
  const { signal } = new AbortController()
  return new Summary({ to: 'http://127.0.0.1/hooks', total: 6, rate, wanted: 2, stop: signal })
}

function summaryOf(latencies: readonly number[], rate?: number): Summary {
  const summary = newSummary(rate)
  for (const [index, ms] of latencies.entries()) {
    summary.started(index * 10)
    summary.ended(index * 10 + ms, { status: 200, text: `answer ${index}`, ms })
  }
  return summary
}

test('the percentiles are those of the answered requests', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
  expect(summaryOf(hundred.toReversed()).latency).toEqual({ p50: 50, p95: 95, p99: 99, max: 100 })
  expect(newSummary().latency).toBeUndefined()
})

test('the rate is that of the answers, or that of the starts if a rate is set', () => {
  const latencies = Array.from({ length: 11 }, () => 100) // starts every 10 ms, from 0 to 100; the last answer is at 200
  expect(summaryOf(latencies).rate).toBe(55)
  expect(summaryOf(latencies, 100).rate).toBe(100)
  expect(newSummary(100).rate).toBe(0)
})

test('answers are counted by status, with their text if all answers with the status have the same text', () => {
  const summary = summaryOf([1, 1])
  for (let time = 0; time < 2; time++) summary.ended(1, { status: 503, text: 'busy', ms: 1 })
  expect(summary.answers).toEqual([
    { status: 200, count: 2 },
    { status: 503, count: 2, text: 'busy' },
  ])
  // The two answers with 200 had different texts. So their entry has no text, even if a third answer repeats one text.
  summary.ended(1, { status: 200, text: 'answer 0', ms: 1 })
  expect(summary.answers[0]).toEqual({ status: 200, count: 3 })
})

test('the text of a single answer is cut, because an error page would fill the terminal', () => {
  const summary = newSummary()
  summary.ended(1, { status: 500, text: `<html>\n${'x'.repeat(60_000)}`, ms: 1 })
  const text = answerLines(summary, 'a-guid').slice(1).join('\n')
  expect(text).toMatch(/^<html>\nx+…$/)
  expect(text).toHaveLength(2000)
})

test('progress is a line on a terminal, which is removed at the end, and nothing elsewhere', async () => {
  const written: string[] = []
  const write = (text: string) => written.push(text)
  const summary = summaryOf([1, 1])
  summary.ended(1, { failure: 'gone', refused: false })
  showProgress(() => summary.progress(), 100, { write })()
  expect(written).toEqual([])
  const end = showProgress(() => summary.progress(), 100, { isTTY: true, write })
  await Promise.resolve()
  end()
  expect(written).toEqual(['\r\x1b[K3 of 6 (50 %)  200: 2  no answer: 1', '\r\x1b[K'])
})
