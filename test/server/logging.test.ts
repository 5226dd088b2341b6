import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { createLogger } from '../../src/server/logging.ts'

/** What is logged for these fields, as a machine reads it. */
function lineOf(fields: object) {
  const stream = new PassThrough()
  createLogger('debug', stream as unknown as NodeJS.WriteStream).info(fields, 'said')
  const text = String(stream.read())
  return { text, line: JSON.parse(text) }
}

describe('the log of a server', () => {
  test('has fields and message in a line of JSON', () => {
    const date = new Date(0)
    const { line } = lineOf({ number: 1, of: { what: ['things', { deep: true }] }, date, nothing: null })
    const shown = { number: 1, of: { what: ['things', { deep: true }] }, date: date.toJSON(), nothing: null }
    expect(line).toEqual({ level: 30, time: expect.any(Number), ...shown, msg: 'said' })
  })

  test('shows no secret, however deep it is, and however its name is written', () => {
    const headers = { Authorization: 'Bearer xyzzy', 'X-Hub-Signature-256': 'sha256=xyzzy', accept: '*/*' }
    const { text, line } = lineOf({
      token: 'xyzzy',
      a: { b: [{ headers, cookie: ['xyzzy'] }] },
      secret: { of: 'xyzzy' },
    })
    expect(text).not.toContain('xyzzy')
    expect(line.a.b[0].headers.accept).toBe('*/*')
    expect([line.token, line.a.b[0].cookie]).toEqual(['[not shown]', '[not shown]'])
  })

  test('explains an error with its causes and codes, and leaves out the request that it brings with it', () => {
    const request = { url: 'https://user:xyzzy@example.org', headers: { authorization: 'xyzzy' } }
    const cause = Object.assign(new TypeError('beneath'), { config: request })
    const err = Object.assign(new Error('above', { cause }), { code: 'EABOVE', status: 401, token: 'xyzzy', request })
    const { text, line } = lineOf({ err, nested: { err } })
    expect(text).not.toContain('xyzzy')
    expect(line.err).toMatchObject({ type: 'Error', message: 'above: beneath', code: 'EABOVE', status: 401 })
    expect(line.err.stack).toContain('caused by: TypeError: beneath')
    expect(line.nested.err).toEqual(line.err)
  })

  test('shows the errors of an error that has several', () => {
    const { line } = lineOf({ err: new AggregateError([new Error('one'), new Error('other')], 'both') })
    expect(line.err.aggregateErrors).toMatchObject([{ message: 'one' }, { message: 'other' }])
  })

  test('comes to an end where objects do not', () => {
    const [fields, several] = [{} as Record<string, unknown>, new AggregateError([], 'itself')]
    fields.self = fields
    several.errors.push(several)
    const { line } = lineOf({ fields, several, many: Array(1000).fill(0) })
    expect(line.fields.self.self.self.self).toBeDefined()
    expect([line.several.message, line.many.length]).toEqual(['itself', 100])
  })
})
