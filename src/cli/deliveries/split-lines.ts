import { constants } from 'node:buffer'

/** The maximum bytes of a line: Node.js can make no longer string. */
export const maxLineBytes: number = constants.MAX_STRING_LENGTH

export interface Line {
  text: string
  /** Counted from 1. */
  number: number
}

/** A line that is longer than the limit. */
export class LongLine extends Error {
  /** The number of the line. */
  readonly line: number

  constructor(line: number, maxBytes: number) {
    super(`longer than ${maxBytes} bytes, the limit of a line`)
    this.line = line
  }
}

/**
 * The lines of a text in UTF-8. They end with LF or CRLF. Unlike `node:readline`, which ends the process with an
 * uncaught exception, it can report a line without an end, such as that of a large binary file.
 * @throws {LongLine} before it holds more than `maxBytes` of a line.
 */
export async function* splitLines(
  input: AsyncIterable<Buffer>,
  maxBytes: number = maxLineBytes,
): AsyncGenerator<Line, void, undefined> {
  let number = 1
  let parts: Buffer[] = []
  let length = 0
  const add = (part: Buffer) => {
    length += part.length
    if (length > maxBytes) throw new LongLine(number, maxBytes)
    parts.push(part)
  }
  const take = (): Line => {
    const text = Buffer.concat(parts, length).toString()
    parts = []
    length = 0
    return { text: text.endsWith('\r') ? text.slice(0, -1) : text, number: number++ }
  }
  for await (const chunk of input) {
    let start = 0
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', start)) {
      add(chunk.subarray(start, end))
      yield take()
      start = end + 1
    }
    add(chunk.subarray(start))
  }
  if (length > 0) yield take()
}
