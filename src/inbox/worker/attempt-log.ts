import { childLogger, type FullLogger, isSecretName, type Logger, notShown, truncated } from '../../telemetry/logger.ts'

/** The maximum length of the log of one attempt, in characters. */
const maxLogLength = 32_768

/** The log of one attempt. Keeps the entries up to `maxLogLength`, and passes all on to the application's logger. */
export class AttemptLog {
  readonly logger: FullLogger
  readonly #shared: Readonly<Record<string, unknown>>
  #text = ''
  #dropped = 0

  /** @param shared The fields that all lines of the delivery share. Its page shows them, so the entries leave them out. */
  constructor(logger: Logger, shared: object) {
    this.#shared = { ...shared }
    const keep = (level: keyof Logger) => (fields: object, message: string) => {
      this.#keep(level, fields, message)
      logger[level]?.(fields, message)
    }
    this.logger = childLogger({ debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') })
  }

  /** One line for each kept entry, then the number of dropped ones. `undefined` if there are no entries. */
  get text(): string | undefined {
    const end = this.#dropped > 0 ? `… ${this.#dropped} more lines\n` : ''
    return this.#text + end || undefined
  }

  #keep(level: string, fields: object, message: string): void {
    const line = `${new Date().toISOString()} ${level} ${message}${ownFields(fields, this.#shared)}\n`
    if (this.#dropped === 0 && this.#text.length + line.length <= maxLogLength) this.#text += line
    else this.#dropped++
  }
}

/** The fields as JSON, with truncated texts, and without those that all entries of a delivery share. */
function ownFields(fields: object, shared: Readonly<Record<string, unknown>>): string {
  const own = Object.entries(fields).filter(([name, value]) => !Object.hasOwn(shared, name) || shared[name] !== value)
  if (own.length === 0) return ''
  try {
    return ` ${JSON.stringify(Object.fromEntries(own), redact)}`
  } catch {
    return ''
  }
}

function redact(name: string, value: unknown): unknown {
  if (isSecretName(name)) return notShown
  const text = value instanceof Error ? String(value.stack) : value
  return typeof text === 'string' ? truncated(text) : text
}
