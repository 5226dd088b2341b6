import { describe, expect, test } from 'vitest'
import { LongLine, splitLines } from '../../src/cli/deliveries/split-lines.ts'

async function* chunks(...texts: (string | Buffer)[]) {
  for (const text of texts) yield Buffer.from(text)
}

async function linesOf(input: AsyncIterable<Buffer>): Promise<string[]> {
  const lines: string[] = []
  for await (const { text, number } of splitLines(input)) lines.push(`${number}: ${text}`)
  return lines
}

describe('lines', () => {
  test('end with LF or CRLF, and the last one may have no end', async () => {
    expect(await linesOf(chunks('a\r\n\nb\u2028c\rd\n', 'e'))).toEqual(['1: a', '2: ', '3: b\u2028c\rd', '4: e'])
    expect(await linesOf(chunks('a\n'))).toEqual(['1: a'])
    expect(await linesOf(chunks())).toEqual([])
  })

  test('may be split at any byte', async () => {
    const bytes = Buffer.from('é🚀\r\nü\n')
    expect(await linesOf(chunks(...Array.from(bytes, (byte) => Buffer.of(byte))))).toEqual(['1: é🚀', '2: ü'])
  })

  test('fail at the first one that is longer than the limit, after those before it', async () => {
    const lines = splitLines(chunks('1234\n12', '345', '\n1\n'), 4)
    expect(await lines.next()).toMatchObject({ value: { text: '1234', number: 1 } })
    const error = await lines.next().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(LongLine)
    expect(error).toMatchObject({ line: 2, message: 'longer than 4 bytes, the limit of a line' })
  })
})
