import { builtinModule } from '../runtime/platform.ts'
import { escapeUnsafe, escapeUnsafeInLines } from '../runtime/untrusted-text.ts'

/** The part of pino's interface that hookserver calls; pino, bunyan-like loggers and test doubles fit. */
export interface Logger {
  debug?(fields: object, message: string): void
  info?(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** A logger of which every level can be called. */
export type FullLogger = Required<Logger>

const ignore = (): void => {}

/** Fields that let somebody in, or prove who sent, in small letters: their values are in no log, and not kept. */
const secretFields = new Set([
  ...['secret', 'token', 'authorization', 'proxy-authorization', 'cookie', 'set-cookie'],
  ...['signature', 'x-hub-signature', 'x-hub-signature-256'],
])

export const isSecretField = (name: string): boolean => secretFields.has(name.toLowerCase())

/** What is shown in place of such a value. */
export const notShown = '[not shown]'

/** Says nothing: `logger: false`. */
export const silentLogger: Logger = { warn: ignore, error: ignore }

/** Warnings and errors to the console: the default. */
export const consoleLogger: Logger = {
  warn: (fields, message) => console.warn(...line(fields, message)),
  error: (fields, message) => console.error(...line(fields, message)),
}

/** The arguments for the console. It prints an error's stack as it is, so fields with unsafe characters become text. */
function line(fields: object, message: string): unknown[] {
  const text = escapeUnsafe(`hookserver: ${message}`)
  if (Object.keys(fields).length === 0) return ['%s', text] // no % of a sender's is a directive
  const printed = inspected(fields)
  const safe = printed && escapeUnsafeInLines(printed)
  return safe === printed ? ['%s', text, fields] : ['%s', text, safe]
}

/** Fields as the console prints them; `undefined` without Node.js, where the console is not a terminal. */
function inspected(fields: object): string | undefined {
  try {
    return builtinModule<{ inspect(value: unknown): string }>('node:util')?.inspect(fields)
  } catch {
    return undefined
  }
}

/** `logger`, with `fields` in every line. What it throws is dropped: a log that fails must not fail a delivery. */
export function childLogger(logger: Logger, fields: object = {}): FullLogger {
  const write = (level: keyof Logger) => (more: object, message: string) => {
    try {
      logger[level]?.({ ...fields, ...more }, message)
    } catch {
      // nowhere to tell of it
    }
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
