import { describe, expect, test } from 'vitest'
import { exec } from '../../src/exec/index.ts'
import { Output } from '../../src/exec/output.ts'
import { Recorder } from '../recorder.ts'
import { deliveryOf, failureOf, programs } from './fixtures.ts'

const { sh } = programs()

/** The log of a run that writes these chunks to standard output. */
function linesOf(...chunks: (string | Uint8Array)[]) {
  const log = new Recorder()
  const output = new Output(log)
  for (const chunk of chunks) output.stdout.write(Buffer.from(chunk as string))
  output.end()
  return log.messages
}

test('the output is logged line by line, with the name of the stream', async () => {
  const { run, log } = deliveryOf()
  await run(exec(sh('echo one; echo two >&2; printf "\\nthree"')))
  const line = (stream: string, message: string) => ({
    ...{ level: 'info', fields: expect.objectContaining({ stream, guid: 'a-guid' }), message },
  })
  expect(log.lines.filter(({ fields }) => fields.stream === 'stdout')).toEqual(
    ['one', '', 'three'].map((message) => line('stdout', message)),
  )
  expect(log.lines.filter(({ fields }) => fields.stream === 'stderr')).toEqual([line('stderr', 'two')])
})

describe('a line', () => {
  test('may span chunks, and a chunk may have several lines', () => {
    expect(linesOf('o', 'n', 'e\ntwo\n\nth', 'ree')).toEqual(['one', 'two', '', 'three'])
    expect(linesOf()).toEqual([])
    expect(linesOf('\n')).toEqual([''])
  })

  test('may end in CR LF', () => {
    expect(linesOf('one\r\ntwo\r', '\nthree\r')).toEqual(['one', 'two', 'three'])
  })

  test('is UTF-8, even if chunks split a character', () => {
    const bytes = Buffer.from('größer 日本 𝒳')
    for (let at = 0; at <= bytes.length; at++) {
      expect(linesOf(bytes.subarray(0, at), bytes.subarray(at))).toEqual(['größer 日本 𝒳'])
    }
    expect(linesOf(Buffer.from([0x61, 0xff, 0x62, 0xe2]))).toEqual(['a\ufffdb\ufffd'])
  })

  test('is cut at 2000 characters, with a mark', () => {
    expect(linesOf('x'.repeat(2000))).toEqual(['x'.repeat(2000)])
    expect(linesOf('x'.repeat(2001), '\nnext')).toEqual([`${'x'.repeat(1999)}…`, 'next'])
    expect(linesOf(...Array<string>(50).fill('y'.repeat(65536)), '\n')).toEqual([`${'y'.repeat(1999)}…`])
    expect(linesOf(`${'x'.repeat(1998)}𝒳${'x'.repeat(9)}`)).toEqual([`${'x'.repeat(1998)}…`])
  })
})

describe('more than 1000 lines', () => {
  test('are dropped, and their number is logged', () => {
    const lines = (count: number) => Array.from({ length: count }, (_, i) => `${i}\n`).join('')
    expect(linesOf(lines(1000))).toHaveLength(1000)
    expect(linesOf(lines(1001)).slice(999)).toEqual(['999', '1 more line was dropped'])
  })

  test('are counted over both streams, and the error still quotes the last lines of standard error', async () => {
    const { run, log } = deliveryOf()
    const { message } = await failureOf(run(exec(sh('seq 900; seq 900 >&2; printf "the reason" >&2; exit 1'))))
    expect(message).toMatch(/\n898\n899\n900\nthe reason$/)
    expect(log.lines).toHaveLength(1001)
    expect(log.lines.at(-1)).toMatchObject({
      level: 'info',
      fields: { dropped: 801 },
      message: '801 more lines were dropped',
    })
  })
})
