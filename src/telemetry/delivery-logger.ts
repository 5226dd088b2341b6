/** `delivery.log`: takes the call forms of pino, and calls the logger of the application with fields and a message. */
import { childLogger, type Logger } from './logger.ts'

/** The call forms of pino. In a text, `%s`, `%d`, `%i`, `%f`, `%j`, `%o` and `%O` stand for the values. */
export interface LogMethod {
  (text: string, ...values: unknown[]): void
  (fields: object, text?: string, ...values: unknown[]): void
  /**
   * Logs the error as the field `err`. The default text is the message of the error. `unknown`, because that is the type of
   * an error in `catch`.
   */
  (error: unknown, text?: string, ...values: unknown[]): void
}

/** The logger of a delivery. */
export interface DeliveryLogger {
  /** Details that help to find a defect. */
  debug: LogMethod
  /** The normal course. */
  info: LogMethod
  /** A problem that needs attention. */
  warn: LogMethod
  /** A failure that the handler survives. A thrown error ends the attempt instead. */
  error: LogMethod
}

/** @param fields Members of every line. */
export function deliveryLogger(logger: Logger, fields: object): DeliveryLogger {
  const child = childLogger(logger, fields)
  const method =
    (level: keyof Logger): LogMethod =>
    (...args: unknown[]) =>
      child[level](...lineOf(args))
  return { debug: method('debug'), info: method('info'), warn: method('warn'), error: method('error') }
}

type Line = [fields: object, message: string]

/** The line of a call. Never throws, because a line that cannot be written must not fail the handler. */
function lineOf(args: readonly unknown[]): Line {
  try {
    return parseCall(args)
  } catch {
    return [{}, '[cannot be shown]'] // a getter or a conversion of a value has thrown
  }
}

function parseCall([first, ...rest]: readonly unknown[]): Line {
  if (typeof first !== 'object') return withValues({}, first, rest)
  const fields: { err?: unknown } = first instanceof Error ? { err: first } : (first ?? {})
  const [text = fields.err instanceof Error ? fields.err.message : '', ...values] = rest
  return withValues(fields, text, values)
}

/**
 * Fills the values into the text. Of the values without a placeholder, an error becomes the field `err`, and the others
 * follow the text. pino leaves them out, but `log.warn('failed', error)` must not lose the error.
 */
function withValues(fields: object, text: unknown, values: readonly unknown[]): Line {
  if (values.length === 0) return [fields, shown(text)] // as in pino, '%%' stays if there are no values
  const left = [...values]
  const filled = shown(text).replace(/%([%sd]|[ifj]|[oO])/g, (placeholder, kind: string) => {
    if (kind === '%') return '%'
    return left.length > 0 ? formatted(left.shift(), kind) : placeholder
  })
  const err = 'err' in fields ? undefined : left.find((value) => value instanceof Error)
  const more = left.filter((value) => value !== err).map(shown)
  return [err === undefined ? fields : { ...fields, err }, [filled, ...more].join(' ')]
}

function formatted(value: unknown, kind: string): string {
  if (kind === 'd' || kind === 'f') return String(Number(value))
  return kind === 'i' ? String(Math.trunc(Number(value))) : shown(value)
}

/** A text as it is, and an object as JSON. */
function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null || value instanceof Error) return String(value)
  try {
    return JSON.stringify(value)
  } catch {
    return Object.prototype.toString.call(value) // the object refers to itself
  }
}
