import { once } from 'node:events'
import { utimesSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { hookserver } from '../../src/adapters/node.ts'
import { Hooks } from '../../src/hooks.ts'
import { createLogger } from '../../src/server/logging.ts'
import { anyString } from '../any-string.ts'
import { project } from './service.ts'

/** The JSON line that is logged for these fields. */
async function lineOf(fields: object) {
  const stream = new PassThrough()
  const logger = await createLogger({ level: 'debug' }, stream as unknown as NodeJS.WriteStream)
  logger.info(fields, 'said')
  const text = String(stream.read())
  return { text, line: JSON.parse(text) }
}

describe('the log of a server', () => {
  test('has the fields and the message in a line of JSON', async () => {
    const date = new Date(0)
    const { line } = await lineOf({ number: 1, of: { what: ['things', { deep: true }] }, date, nothing: null })
    const shown = { number: 1, of: { what: ['things', { deep: true }] }, date: date.toJSON(), nothing: null }
    expect(line).toEqual({ level: 30, time: expect.any(Number), ...shown, msg: 'said' })
  })

  test('shows no secret, at any depth, whether its name is in upper or lower case', async () => {
    const headers = { Authorization: 'Bearer xyzzy', 'X-Hub-Signature-256': 'sha256=xyzzy', accept: '*/*' }
    const { text, line } = await lineOf({
      token: 'xyzzy',
      a: { b: [{ headers, cookie: ['xyzzy'] }] },
      secret: { of: 'xyzzy' },
    })
    expect(text).not.toContain('xyzzy')
    expect(line.a.b[0].headers.accept).toBe('*/*')
    expect([line.token, line.a.b[0].cookie]).toEqual(['[not shown]', '[not shown]'])
  })

  test('shows no secret of an object that converts itself to JSON', async () => {
    const request = { toJSON: () => ({ url: '/', headers: { authorization: 'xyzzy' } }) }
    const stored = { toJSON: true, token: 'xyzzy' }
    const err = Object.assign(new Error('failed'), { toJSON: () => ({ url: 'https://user:xyzzy@example.org' }) })
    const { text, line } = await lineOf({ request, list: [request], stored, err })
    expect(text).not.toContain('xyzzy')
    expect([line.request.url, line.stored.toJSON, line.err.message]).toEqual(['/', true, 'failed'])
  })

  test('shows the other fields if one cannot be converted to JSON', async () => {
    const broken = {
      toJSON() {
        throw new Error('broken')
      },
    }
    const { line } = await lineOf({
      broken,
      missing: { toJSON: () => undefined },
      invalid: new Date(Number.NaN),
      id: 1,
    })
    expect(line).toMatchObject({ broken: '[not serializable]', missing: null, invalid: null, id: 1 })
  })

  test('shows an error with its causes and codes, and leaves out its request', async () => {
    const request = { url: 'https://user:xyzzy@example.org', headers: { authorization: 'xyzzy' } }
    const cause = Object.assign(new TypeError('beneath'), { config: request })
    const err = Object.assign(new Error('above', { cause }), { code: 'EABOVE', status: 401, token: 'xyzzy', request })
    const { text, line } = await lineOf({ err, nested: { err } })
    expect(text).not.toContain('xyzzy')
    expect(line.err).toMatchObject({ type: 'Error', message: 'above: beneath', code: 'EABOVE', status: 401 })
    expect(line.err.stack).toContain('caused by: TypeError: beneath')
    expect(line.nested.err).toEqual(line.err)
  })

  test('shows the errors of an AggregateError', async () => {
    const { line } = await lineOf({ err: new AggregateError([new Error('one'), new Error('other')], 'both') })
    expect(line.err.aggregateErrors).toMatchObject([{ message: 'one' }, { message: 'other' }])
  })

  test('truncates long texts, and so an error and its causes', async () => {
    const long = 'x'.repeat(1_000_000)
    const cause = Object.assign(new Error(long), { stdout: long })
    const err = Object.assign(new Error(long, { cause }), { name: long, stdout: long })
    const several = new AggregateError(Array(100).fill(err), long)
    const { text, line } = await lineOf({ err, several, list: [long], guid: 'g' })
    expect(text.length).toBeLessThan(300_000)
    const short = `${long.slice(0, 16_384)}…`
    expect([line.err.message, line.err.type, line.err.stdout, line.list]).toEqual([short, short, short, [short]])
    expect(line.err.stack).toHaveLength(short.length)
    expect([line.several.message, line.several.aggregateErrors.length, line.guid]).toEqual([short, 100, 'g'])
  })

  test('is finite for cyclic objects', async () => {
    const [fields, several] = [{} as Record<string, unknown>, new AggregateError([], 'itself')]
    fields.self = fields
    several.errors.push(several)
    const [outer, inner] = [new Error('outer'), new Error('inner')]
    outer.cause = inner
    inner.cause = outer
    const { line } = await lineOf({ fields, several, many: Array(1000).fill(0), outer })
    expect(line.outer.message).toBe('outer: inner')
    expect(line.fields.self.self.self.self).toBeDefined()
    expect([line.several.message, line.many.length]).toEqual(['itself', 100])
  })
})

describe('a log that cannot be written', () => {
  /** A stream like that of a file on a full disk: `write` throws, as the synchronous stream of a file does. */
  const full = () => {
    const stream = new PassThrough()
    const write = vi.spyOn(stream, 'write').mockImplementation(() => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    })
    return { stream: stream as unknown as NodeJS.WriteStream, write }
  }

  test('does not fail its caller, and continues when the disk has room again', async () => {
    const { stream, write } = full()
    const logger = await createLogger({ level: 'info' }, stream)
    logger.info({}, 'lost')
    expect(write).toHaveBeenCalledOnce()
    write.mockRestore()
    logger.info({}, 'kept')
    expect(JSON.parse(String(stream.read()))).toMatchObject({ msg: 'kept' })
  })

  test('does not end the process if the reader of the pipe has ended', async () => {
    const stream = new PassThrough() as unknown as NodeJS.WriteStream
    const logger = await createLogger({ level: 'info', format: 'pretty' }, stream)
    expect(stream.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))).toBe(true) // has a listener
    expect(() => logger.info({}, 'lost')).not.toThrow()
  })
})

/** The text that a terminal receives for these fields and this message. */
async function printed(fields: object, message: string): Promise<string> {
  const stream = Object.assign(new PassThrough(), { isTTY: true })
  const logger = await createLogger({ level: 'debug' }, stream as unknown as NodeJS.WriteStream)
  logger.error(fields, message)
  return String(stream.read())
}

describe('the log of a server on a terminal', () => {
  test('is JSON with the format json, and readable without colors elsewhere with the format pretty', async () => {
    const textOf = async (format: 'json' | 'pretty', isTTY: boolean) => {
      const stream = Object.assign(new PassThrough(), { isTTY })
      const logger = await createLogger({ level: 'info', format }, stream as unknown as NodeJS.WriteStream)
      logger.info({ id: 1 }, 'said')
      return String(stream.read())
    }
    expect(JSON.parse(await textOf('json', true))).toMatchObject({ id: 1, msg: 'said' })
    expect(await textOf('pretty', false)).toMatch(/^\[[\d:]+\] INFO: said\n {4}id: 1\n$/)
  })

  test('begins the stack of an error with the line of code, and leaves out the frames of Node.js', async () => {
    const file = join(project({ 'broken.ts': 'const a = 1\n\tthrow new Error(a)' }), 'broken.ts')
    utimesSync(file, 0, 0)
    const frames = [
      `    at label (${pathToFileURL(file)}:2:8)`,
      '    at new Promise (<anonymous>)',
      '    at node:fs:1:1',
    ]
    const err = Object.assign(new Error('no'), { stack: ['Error: no', ...frames].join('\n') })
    const text = stripVTControlCharacters(await printed({ err }, 'Handler failed'))
    const lines = text.slice(text.indexOf('"stack"')).split('\n').slice(1)
    expect(lines.map((line) => line.replace(/^ {10}/, ''))).toEqual([
      `${file}:2:8`,
      '\tthrow new Error(a)',
      '\t      ^',
      '',
      'Error: no',
      frames[0],
      '    }',
      '',
    ])
    expect((await lineOf({ err })).line.err.stack).toBe(err.stack)
  })

  test.each([
    ['is no code', 'secret.txt'],
    ['does not exist', 'missing.ts'],
    ['has changed since the process started', 'changed.ts'],
  ])('shows no line of a file that %s', async (_, name) => {
    const folder = project({ 'secret.txt': 'xyzzy', 'changed.ts': 'xyzzy' })
    utimesSync(join(folder, 'secret.txt'), 0, 0)
    const text = await printed({ err: new Error(`no\n    at ${join(folder, name)}:1:1`) }, 'Handler failed')
    expect(text).toContain(name)
    expect(text).not.toContain('xyzzy')
  })

  test('shows an error whose message looks like an invalid frame', async () => {
    expect(await printed({ err: new Error('no\n    at file://host/a.ts:1:1') }, 'Handler failed')).toContain(
      'host/a.ts',
    )
  })

  test('shows all digits of a number', async () => {
    expect(await printed({ id: 12345678901234567890n }, 'said')).toContain('12345678901234567890')
  })

  test('shows fields with the names of methods of objects', async () => {
    const shown = await printed({ valueOf: 'first', toString: 'second' }, 'said')
    expect(stripVTControlCharacters(shown)).toMatch(/valueOf: "first"\n +toString: "second"/)
  })

  test('shows a message that is not a string', async () => {
    expect(await printed({}, 42 as unknown as string)).toContain('42')
  })
})

const unsafe = /(?![\t\n])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u

describe('untrusted text in the log of a server', () => {
  const unit = fc.constantFrom(...'\u0000\t\n\r\u001b\u007f\u009b\u061c\u200e\u202e\u2028\u2069ab[m"\\%s\ud800')
  const text = fc.oneof(fc.string({ unit }), anyString())
  const fieldsOf = (value: string, other: string) => {
    const err = Object.assign(new Error(value, { cause: new TypeError(other) }), { code: other })
    return { event: value, err, of: { [other]: [value] }, type: other, name: value, [value]: 1 }
  }

  test('is escaped in JSON, and keeps its value', async () => {
    await fc.assert(
      fc.asyncProperty(text, text, async (value, other) => {
        const { text: shown, line } = await lineOf({ event: value, of: { [other]: [value] } })
        expect(shown.slice(0, -1)).not.toMatch(/\n|\t/)
        expect(shown).not.toMatch(unsafe)
        expect(line.event.toWellFormed()).toBe(value.toWellFormed())
        expect((await lineOf(fieldsOf(value, other))).text).not.toMatch(unsafe)
      }),
    )
  })

  test('is escaped on a terminal', async () => {
    vi.stubEnv('NO_COLOR', '1')
    onTestFinished(() => void vi.unstubAllEnvs())
    await fc.assert(
      fc.asyncProperty(text, text, async (value, other) => {
        expect(await printed(fieldsOf(value, other), other)).not.toMatch(unsafe)
      }),
    )
  })

  test('is escaped on a terminal with colors, and the colors stay', async () => {
    vi.stubEnv('NO_COLOR', '')
    onTestFinished(() => void vi.unstubAllEnvs())
    const shown = await printed({ err: new Error('red \u001b[31m\u009b') }, 'two\nlines \u202e\u001b[2J')
    expect(shown).toContain('\u001b[31mERROR\u001b[39m')
    expect(stripVTControlCharacters(shown)).toContain('two\\u000alines \\u202e\\u001b[2J')
    expect(stripVTControlCharacters(shown)).toMatch(/Error: red \\u001b\[31m\\u009b\n +at /)
    expect(stripVTControlCharacters(shown)).not.toMatch(unsafe)
  })

  test.each(['X-GitHub-Event', 'X-GitHub-Delivery'])(
    'is escaped if a sender without a secret puts it into %s',
    async (name) => {
      const stream = new PassThrough()
      const hooks = new Hooks({
        secret: 'xyzzy',
        validateIp: false,
        logger: await createLogger({ level: 'debug' }, stream as unknown as NodeJS.WriteStream),
      })
      const server = createServer(hookserver(hooks)).listen(0, '127.0.0.1')
      onTestFinished(() => void server.close())
      await once(server, 'listening')
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
      const head = `POST /hooks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${name}: pu\u009bsh\r\nContent-Length: 2\r\n\r\n{}`
      socket.end(Buffer.from(head, 'latin1'))
      socket.resume()
      await once(socket, 'close')
      const logged = String(stream.read())
      expect(logged).toContain('pu\\u009bsh')
      expect(logged).not.toMatch(unsafe)
    },
  )
})
