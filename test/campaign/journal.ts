import { appendFileSync, closeSync, openSync, readSync } from 'node:fs'

/** A line: a handler has started (+), has finished its work but not returned yet (=), or is about to fail (-). */
export interface Line {
  mark: '+' | '=' | '-'
  guid: string
  handler: string
  attempt: number
  /** The process that wrote the line. */
  pid: number
}

/** Writes one line in one system call, so that it is complete even if the process is killed right after. */
export function writeLine(path: string, { mark, guid, handler, attempt }: Omit<Line, 'pid'>): void {
  appendFileSync(path, `${mark} ${guid} ${handler} ${attempt} ${process.pid}\n`) // O_APPEND
}

/** The file to which handlers write lines. A test reads it while it grows. */
export class Journal {
  readonly path: string
  readonly lines: Line[] = []
  #offset = 0
  #rest = ''

  constructor(path: string) {
    this.path = path
    closeSync(openSync(path, 'a'))
  }

  /** Reads the new lines. @returns the number of all lines so far. */
  read(): number {
    const file = openSync(this.path, 'r')
    const chunk = Buffer.alloc(1024 * 1024)
    for (let count = -1; count !== 0; ) {
      count = readSync(file, chunk, 0, chunk.length, this.#offset)
      this.#offset += count
      const parts = (this.#rest + chunk.toString('latin1', 0, count)).split('\n')
      this.#rest = parts.pop() as string
      for (const part of parts) {
        const [mark, guid, handler, attempt, pid] = part.split(' ') as [Line['mark'], ...string[]]
        this.lines.push({
          mark,
          guid: guid as string,
          handler: handler as string,
          attempt: Number(attempt),
          pid: Number(pid),
        })
      }
    }
    closeSync(file)
    return this.lines.length
  }
}
