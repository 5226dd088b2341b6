import { describe, expect, test, vi } from 'vitest'
import { HookError } from '../../src/errors.ts'
import { type Explain, RejectionLog } from '../../src/receiver/rejection-log.ts'
import { Recorder } from '../recorder.ts'
import { pass, requestOf, second, stopTheClock } from './fixtures.ts'

stopTheClock('Date')

const delivery = { 'x-github-delivery': '72d3162e', 'x-github-event': 'issues', 'x-hub-signature-256': 'sha256=00ff' }
const wrong = () => new HookError('wrong_signature')

function openRejectionLog() {
  const logger = new Recorder()
  const log = new RejectionLog(logger)
  const work: Promise<unknown>[] = []
  const request = requestOf({ headers: delivery, waitUntil: (one) => void work.push(one) })
  /** Reports a rejection, and waits until it is logged. */
  const report = async (error: HookError, explain?: Explain) => {
    log.rejected(error, request, explain)
    await Promise.all(work.splice(0))
  }
  return { log, lines: logger.lines, work, request, report }
}

describe('the log of rejections', () => {
  test('has the error and the delivery', async () => {
    const { report, lines } = openRejectionLog()
    await report(wrong())
    const fields = { code: 'wrong_signature', guid: '72d3162e', event: 'issues' }
    expect(lines).toEqual([{ level: 'warn', fields, message: 'Rejected a delivery: Wrong signature' }])
  })

  test('has the cause, which the sender does not see', async () => {
    for (const cause of ['203.0.113.1 is in none of the ranges', new Error('203.0.113.1 is in none of the ranges')]) {
      const { report, lines } = openRejectionLog()
      await report(new HookError('forbidden_origin', { cause }))
      expect(lines.map(({ message }) => message)).toEqual([
        'Rejected a delivery: Requests must originate from GitHub (203.0.113.1 is in none of the ranges)',
      ])
    }
  })

  test('has the reason why GitHub cannot be reached, below the errors that wrap it', async () => {
    const { report, lines } = openRejectionLog()
    const unreachable = new Error('connect ECONNREFUSED 192.0.2.1:443')
    const failure = new Error('Error reaching GitHub', { cause: new TypeError('fetch failed', { cause: unreachable }) })
    await report(new HookError('ranges_unavailable', { cause: failure }))
    expect(lines.map(({ message }) => message)).toEqual([
      `Rejected a delivery: Error reaching GitHub (${unreachable.message})`,
    ])
  })

  test('has the explanation in place of the cause, and the cause without an explanation', async () => {
    const error = () => new HookError('wrong_signature', { cause: 'the cause' })
    const explanations: [Explain, string][] = [
      [async () => 'the explanation', 'the explanation'],
      [async () => undefined, 'the cause'],
      [() => Promise.reject(new Error('no explanation')), 'the cause'],
    ]
    for (const [explain, why] of explanations) {
      const { report, lines } = openRejectionLog()
      await report(error(), explain)
      expect(lines.map(({ message }) => message)).toEqual([`Rejected a delivery: Wrong signature (${why})`])
    }
  })

  test('reports a delivery that was accepted with a warning', async () => {
    const { log, lines, work, request } = openRejectionLog()
    log.tolerated(new HookError('forbidden_origin', { cause: '203.0.113.1 is in none of the ranges' }), request)
    await Promise.all(work)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ level: 'warn', fields: { code: 'forbidden_origin', guid: '72d3162e' } })
    expect(lines[0]?.message).toMatch(
      /^Accepted a delivery .*: Requests must originate from GitHub \(203\.0\.113\.1 is/,
    )
  })

  test('has no other headers', async () => {
    const { report, lines } = openRejectionLog()
    await report(wrong())
    expect(JSON.stringify(lines)).not.toContain('00ff')
  })
})

describe('a flood of rejections', () => {
  test('with the same code is one line a second, with the number of rejections in between', async () => {
    const { report, lines } = openRejectionLog()
    for (let i = 0; i < 100; i++) await report(wrong())
    pass(second - 1)
    await report(wrong())
    expect(lines).toHaveLength(1)
    expect(lines[0]?.fields).not.toHaveProperty('unreported')
    pass(1)
    await report(wrong())
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatchObject({ fields: { code: 'wrong_signature', unreported: 100 } })
  })

  test('does not hide a rejection with another code', async () => {
    const { report, lines } = openRejectionLog()
    for (let i = 0; i < 3; i++) await report(wrong())
    for (let i = 0; i < 2; i++) await report(new HookError('missing_signature'))
    expect(lines.map(({ fields }) => fields.code)).toEqual(['wrong_signature', 'missing_signature'])
    pass(second)
    await report(new HookError('missing_signature'))
    expect(lines.at(-1)?.fields).toMatchObject({ code: 'missing_signature', unreported: 1 })
  })

  test('counts from 0 after each line', async () => {
    const { report, lines } = openRejectionLog()
    for (const rejections of [3, 1, 2]) {
      for (let i = 0; i < rejections; i++) await report(wrong())
      pass(second)
    }
    expect(lines.map(({ fields }) => fields.unreported)).toEqual([undefined, 2, undefined])
    await report(wrong())
    expect(lines.at(-1)?.fields.unreported).toBe(1)
  })

  test('is not explained more often than it is logged', async () => {
    const { report } = openRejectionLog()
    const explain = vi.fn<Explain>(async () => 'why')
    for (let i = 0; i < 10; i++) await report(wrong(), explain)
    expect(explain).toHaveBeenCalledTimes(1)
    pass(second)
    await report(wrong(), explain)
    expect(explain).toHaveBeenCalledTimes(2)
  })

  test('does not hide accepted deliveries, and vice versa', async () => {
    const { log, report, lines, request } = openRejectionLog()
    for (let i = 0; i < 3; i++) log.tolerated(new HookError('forbidden_origin'), request)
    await report(wrong())
    await report(wrong())
    expect(lines.map(({ fields }) => fields.code)).toEqual(['forbidden_origin', 'wrong_signature'])
    pass(second)
    await report(wrong())
    expect(lines.at(-1)?.fields.unreported).toBe(1)
  })

  test('does not wait for a slow explanation', () => {
    const { log, request } = openRejectionLog()
    const explain = vi.fn<Explain>(() => new Promise(() => {}))
    for (let i = 0; i < 10; i++) log.rejected(wrong(), request, explain)
    expect(explain).toHaveBeenCalledTimes(1)
  })
})

describe('the platform', () => {
  test('is kept running until the line is written, and not longer', async () => {
    const { log, lines, work, request } = openRejectionLog()
    const why = Promise.withResolvers<string>()
    log.rejected(wrong(), request, () => why.promise)
    log.rejected(wrong(), request)
    expect([work.length, lines.length]).toEqual([1, 0])
    why.resolve('why')
    await work[0]
    expect(lines).toHaveLength(1)
  })

  test('need not provide waitUntil: the line is written anyway', async () => {
    const logger = new Recorder()
    const { lines } = logger
    new RejectionLog(logger).rejected(wrong(), requestOf({ headers: {} }))
    await vi.waitFor(() => expect(lines).toHaveLength(1))
    expect(lines[0]?.fields).toEqual({ code: 'wrong_signature', guid: undefined, event: undefined })
  })
})
