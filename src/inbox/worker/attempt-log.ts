import { childLogger, type FullLogger, isSecretField, type Logger, notShown } from '../../telemetry/logger.ts'

/** Characters of log that are kept of one attempt. */
const maxLogLength = 32_768

/** A logger that passes everything on, and keeps it for the attempt that it is about. */
export class AttemptLog {
  readonly logger: FullLogger
  #text = ''
  #dropped = 0

  constructor(logger: Logger) {
    const keep = (level: keyof Logger) => (fields: object, message: string) => {
      this.#keep(level, fields, message)
      logger[level]?.(fields, message)
    }
    this.logger = childLogger({ debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') })
  }

  /** What was logged, a line each; nothing if nothing was. */
  get text(): string | undefined {
    const end = this.#dropped > 0 ? `… ${this.#dropped} more lines\n` : ''
    return this.#text + end || undefined
  }

  #keep(level: string, fields: object, message: string): void {
    const line = `${new Date().toISOString()} ${level} ${message}${rest(fields)}\n`
    if (this.#dropped === 0 && this.#text.length + line.length <= maxLogLength) this.#text += line
    else this.#dropped++
  }
}

/** The fields, without those that every line of a delivery has. */
function rest(fields: object): string {
  const { guid: _guid, event: _event, ...own } = fields as Record<string, unknown>
  if (Object.keys(own).length === 0) return ''
  try {
    return ` ${JSON.stringify(own, shown)}`
  } catch {
    return ''
  }
}

function shown(name: string, value: unknown): unknown {
  if (isSecretField(name)) return notShown
  return value instanceof Error ? String(value.stack) : value
}
