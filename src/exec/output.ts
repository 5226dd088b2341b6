import { shortened } from '../runtime/untrusted-text.ts'
import type { FullLogger } from '../telemetry/logger.ts'

/** Maximum characters of a line; longer lines are cut and end in `…`. */
const maxLineLength = 2000
/** Maximum logged lines of a run, both streams together. */
const maxLines = 1000
/** Lines of standard error quoted in the error of a failed run. */
const quotedLines = 5

/** The output of a program: logs each line, and keeps the last lines of standard error for the error's text. */
export class Output {
  readonly stdout: Lines = new Lines((line) => this.#take('stdout', line))
  readonly stderr: Lines = new Lines((line) => this.#take('stderr', line))
  readonly #log: FullLogger
  readonly #lastOfStderr: string[] = []
  #lines = 0

  constructor(log: FullLogger) {
    this.#log = log
  }

  /** Takes the last line of each stream if it has no line break, and logs the number of dropped lines. */
  end(): void {
    this.stdout.end()
    this.stderr.end()
    const dropped = this.#lines - maxLines
    if (dropped > 0) this.#log.info({ dropped }, `${dropped} more ${dropped === 1 ? 'line was' : 'lines were'} dropped`)
  }

  /** The last non-blank lines of standard error, each after a line break. */
  quote(): string {
    return this.#lastOfStderr.map((line) => `\n${line}`).join('')
  }

  #take(stream: 'stdout' | 'stderr', line: string): void {
    this.#lines++
    if (this.#lines <= maxLines) this.#log.info({ stream }, line)
    if (stream === 'stdout' || line.trim() === '') return
    this.#lastOfStderr.push(line)
    if (this.#lastOfStderr.length > quotedLines) this.#lastOfStderr.shift()
  }
}

/** Splits bytes into lines. Its buffer never exceeds the maximum length of a line by more than one character. */
class Lines {
  readonly #emit: (line: string) => void
  readonly #decoder = new TextDecoder() // UTF-8; joins characters that span two chunks
  #line = ''

  constructor(emit: (line: string) => void) {
    this.#emit = emit
  }

  write(chunk: Uint8Array): void {
    this.#split(this.#decoder.decode(chunk, { stream: true }))
  }

  end(): void {
    this.#split(this.#decoder.decode())
    if (this.#line !== '') this.#finish()
  }

  #split(text: string): void {
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) this.#finish()
      this.#line += part.slice(0, maxLineLength + 1 - this.#line.length) // one more, to detect long lines
    }
  }

  #finish(): void {
    const line = this.#line.replace(/\r$/, '')
    this.#line = ''
    this.#emit(shortened(line, maxLineLength))
  }
}
