import type { Logger } from '../src/index.ts'

interface Line {
  level: 'debug' | 'info' | 'warn' | 'error'
  fields: Record<string, unknown>
  message: string
}

/** A logger that stores its lines. */
export class Recorder implements Required<Logger> {
  readonly lines: Line[] = []

  debug(fields: object, message: string): void {
    this.#keep('debug', fields, message)
  }

  info(fields: object, message: string): void {
    this.#keep('info', fields, message)
  }

  warn(fields: object, message: string): void {
    this.#keep('warn', fields, message)
  }

  error(fields: object, message: string): void {
    this.#keep('error', fields, message)
  }

  get messages(): string[] {
    return this.lines.map(({ message }) => message)
  }

  #keep(level: Line['level'], fields: object, message: string): void {
    this.lines.push({ level, fields: fields as Record<string, unknown>, message })
  }
}
