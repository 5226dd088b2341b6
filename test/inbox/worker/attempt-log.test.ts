import { describe, expect, test, vi } from 'vitest'
import { AttemptLog } from '../../../src/inbox/worker/attempt-log.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'
import { Recorder } from '../../recorder.ts'

/** The fields of each line of the delivery. */
const shared = { id: 7, guid: 'g', event: 'push' }
const linesOf = (log: AttemptLog) => (log.text ?? '').split('\n').slice(0, -1)

describe('the log of an attempt', () => {
  test('is undefined without entries', () => {
    expect(new AttemptLog(silentLogger, shared).text).toBeUndefined()
  })

  test('has a line for each entry, with time, level, message and fields', () => {
    const log = new AttemptLog(silentLogger, shared)
    log.logger.debug({}, 'one')
    log.logger.info({ number: 2, of: { what: 'things' } }, 'two')
    log.logger.warn({}, 'three')
    log.logger.error({}, 'four')
    const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z'
    expect(log.text).toMatch(
      new RegExp(
        `^${time} debug one\n${time} info two {"number":2,"of":{"what":"things"}}\n${time} warn three\n${time} error four\n$`,
      ),
    )
  })

  test('passes all entries on, with all fields', () => {
    const recorder = new Recorder()
    const log = new AttemptLog(recorder, shared)
    log.logger.info({ guid: 'g', event: 'push', more: 1 }, 'one')
    log.logger.error({}, 'two')
    expect(recorder.lines).toEqual([
      { level: 'info', fields: { guid: 'g', event: 'push', more: 1 }, message: 'one' },
      { level: 'error', fields: {}, message: 'two' },
    ])
  })

  test('omits the fields that all entries of a delivery share', () => {
    const log = new AttemptLog(silentLogger, shared)
    log.logger.info({ guid: 'g', event: 'push' }, 'one')
    log.logger.info({ ...shared, more: 1 }, 'two')
    log.logger.info({ ...shared, id: 8 }, 'three')
    expect(linesOf(log)[0]).toMatch(/ info one$/)
    expect(linesOf(log)[1]).toMatch(/ info two {"more":1}$/)
    expect(linesOf(log)[2]).toMatch(/ info three {"id":8}$/)
  })

  test('shows an error with its stack', () => {
    const log = new AttemptLog(silentLogger, shared)
    log.logger.error({ err: new Error('the reason') }, 'failed')
    expect(log.text).toContain('Error: the reason\\n    at ')
  })

  test('truncates long texts in the stored log only', () => {
    const recorder = new Recorder()
    const log = new AttemptLog(recorder, shared)
    const long = 'x'.repeat(1_000_000)
    const fields = { err: new Error(long), handler: 'deploy' }
    log.logger.error(fields, 'failed')
    log.logger.info({ long }, 'more')
    expect(linesOf(log)[0]).toMatch(/ failed {"err":"Error: x{16377}…","handler":"deploy"}$/)
    expect(linesOf(log)[1]).toMatch(/^… 1 more lines$/)
    expect(recorder.lines[0]?.fields).toEqual(fields)
  })

  test('hides secrets in the stored log only', () => {
    const recorder = new Recorder()
    const log = new AttemptLog(recorder, shared)
    const fields = { token: 'xyzzy', request: { headers: { Authorization: 'xyzzy', accept: '*/*' } } }
    log.logger.info(fields, 'asking')
    expect(log.text).toMatch(/ asking {"token":"\[not shown\]","request":{"headers":{.*"accept":"\*\/\*"}}}\n$/)
    expect(log.text).not.toContain('xyzzy')
    expect(recorder.lines).toMatchObject([{ fields }])
  })

  test('omits fields that cannot be JSON', () => {
    const recorder = new Recorder()
    const log = new AttemptLog(recorder, shared)
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    const hostile = {
      toJSON: () => {
        throw new Error('hostile')
      },
    }
    for (const fields of [cyclic, { big: 1n }, { hostile }]) log.logger.info(fields, 'a line')
    expect(linesOf(log).map((line) => line.replace(/^\S+ /, ''))).toEqual(Array(3).fill('info a line'))
    expect(recorder.lines).toHaveLength(3)
  })

  test('stores 32 KiB and the number of omitted lines, and passes those lines on', () => {
    const recorder = new Recorder()
    const log = new AttemptLog(recorder, shared)
    for (let i = 0; i < 1000; i++) log.logger.info({}, 'x'.repeat(100))
    const lines = linesOf(log)
    const end = lines.at(-1) as string
    expect((log.text as string).length - `${end}\n`.length).toBeLessThanOrEqual(32_768)
    expect((log.text as string).length).toBeGreaterThan(32_768 - 200)
    expect(end).toBe(`… ${1000 - (lines.length - 1)} more lines`)
    expect(recorder.lines).toHaveLength(1000)
  })

  test('stores nothing after a line that was too long, so that every gap is marked', () => {
    const log = new AttemptLog(silentLogger, shared)
    log.logger.info({}, 'first')
    log.logger.info({}, 'x'.repeat(40_000))
    log.logger.info({}, 'last')
    expect(linesOf(log)).toEqual([expect.stringMatching(/ info first$/), '… 2 more lines'])
  })

  test('is stored even though the logger throws or lacks the level', () => {
    const fail = vi.fn(() => {
      throw new Error('in the logger')
    })
    const log = new AttemptLog({ warn: fail, error: fail }, shared)
    log.logger.debug({}, 'one')
    log.logger.error({}, 'two')
    expect(fail).toHaveBeenCalledTimes(1)
    expect(linesOf(log)).toHaveLength(2)
  })
})
