import type { FullLogger } from '../telemetry/logger.ts'

/** Characters of a line; what is longer is cut, and ends in `…`. */
const longestLine = 2000
/** Lines of a run that are logged, both streams together. */
const mostLines = 1000
/** Lines of standard error that the error of a failed run quotes. */
const quotedLines = 5

/** What a program writes: each line goes to the log, and the last of standard error are kept for the error's text. */
export class Output {
  readonly stdout: Lines = new Lines((line) => this.#take('stdout', line))
  readonly stderr: Lines = new Lines((line) => this.#take('stderr', line))
  readonly #log: FullLogger
  readonly #lastOfStderr: string[] = []
  #lines = 0

  constructor(log: FullLogger) {
    this.#log = log
  }

  /** Takes the lines that no line break has ended, and logs how many there were too many. */
  end(): void {
    this.stdout.end()
    this.stderr.end()
    const dropped = this.#lines - mostLines
    if (dropped > 0) this.#log.info({ dropped }, `${dropped} more ${dropped === 1 ? 'line was' : 'lines were'} dropped`)
  }

  /** The last lines of standard error that are not blank, each after a line break. */
  quote(): string {
    return this.#lastOfStderr.map((line) => `\n${line}`).join('')
  }

  #take(stream: 'stdout' | 'stderr', line: string): void {
    this.#lines++
    if (this.#lines <= mostLines) this.#log.info({ stream }, line)
    if (stream === 'stdout' || line.trim() === '') return
    this.#lastOfStderr.push(line)
    if (this.#lastOfStderr.length > quotedLines) this.#lastOfStderr.shift()
  }
}

/** Bytes in, lines out. It holds no more than a line's length, however long a line may be. */
class Lines {
  readonly #emit: (line: string) => void
  readonly #decoder = new TextDecoder() // UTF-8; characters that two chunks share are put together
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
      this.#line += part.slice(0, longestLine + 1 - this.#line.length) // one more, by which it is known to be too long
    }
  }

  #finish(): void {
    const line = this.#line.replace(/\r$/, '')
    this.#line = ''
    this.#emit(line.length > longestLine ? `${line.slice(0, longestLine - 1).replace(/[\ud800-\udbff]$/, '')}…` : line)
  }
}
