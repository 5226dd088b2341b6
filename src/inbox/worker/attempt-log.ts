import { childLogger, type FullLogger, isSecretField, type Logger, notShown } from '../../telemetry/logger.ts'

/** Characters of the log of one attempt. */
const maxLogLength = 32_768

/** The log of one attempt: stores each entry and passes it on to the logger of the application. */
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

  /** One line for each entry; `undefined` without entries. */
  get text(): string | undefined {
    const end = this.#dropped > 0 ? `… ${this.#dropped} more lines\n` : ''
    return this.#text + end || undefined
  }

  #keep(level: string, fields: object, message: string): void {
    const line = `${new Date().toISOString()} ${level} ${message}${ownFields(fields)}\n`
    if (this.#dropped === 0 && this.#text.length + line.length <= maxLogLength) this.#text += line
    else this.#dropped++
  }
}

/** The fields as JSON, without those that all entries of a delivery share. */
function ownFields(fields: object): string {
  const { guid: _guid, event: _event, ...own } = fields as Record<string, unknown>
  if (Object.keys(own).length === 0) return ''
  try {
    return ` ${JSON.stringify(own, redact)}`
  } catch {
    return ''
  }
}

function redact(name: string, value: unknown): unknown {
  if (isSecretField(name)) return notShown
  return value instanceof Error ? String(value.stack) : value
}
