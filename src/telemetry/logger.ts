import { builtinModule } from '../runtime/platform.ts'
import { escapeUnsafe, escapeUnsafeInLines } from '../runtime/untrusted-text.ts'

/** The members of pino's logger that hookserver calls. Loggers like bunyan, and test doubles, fit too. */
export interface Logger {
  /** Details that help to find a defect. Left out: the lines are not logged. */
  debug?(fields: object, message: string): void
  /** The normal course, such as a handled delivery. Left out: the lines are not logged. */
  info?(fields: object, message: string): void
  /** A problem that needs attention, such as a rejected request. */
  warn(fields: object, message: string): void
  /** A failure, such as a handler that threw. */
  error(fields: object, message: string): void
}

/** A logger with all levels. */
export type FullLogger = Required<Logger>

const ignore = (): void => {}

/** The last words of the names of secrets. Only the last word counts, so that `secretId` and `tokenFile` are shown. */
const secretWords = [
  ...['secret', 'token', 'password', 'passwd', 'passphrase', 'credentials?', 'cookie', 'signature(?:-256)?'],
  ...['authorization', 'assertion', 'jwt', '(?:api|access|auth|private|secret|signing|subscription|functions)[-_]?key'],
  // AWS sends a JWT in x-amzn-oidc-data. Vercel sends the header Authorization of its own calls in x-vercel-sc-headers.
  // With x-origin-verify, CloudFront proves that a request came through it.
  ...['oidc-data', 'sc-headers', 'origin-verify'],
]
const secretName = new RegExp(`(?:${secretWords.join('|')})$`, 'i')

/**
 * Whether this is the name of a field or header with a credential or a signature: `accessToken`, `client_secret`,
 * `x-api-key`. The log of `hookserver serve`, the stored logs of attempts, and the stored headers do not show its value.
 */
export const isSecretName = (name: string): boolean => secretName.test(name)

/** The text in place of the value of a secret field. */
export const notShown = '[not shown]'

/** The maximum characters of a text in the fields of a line, such as the stack of an error. */
export const maxTextLength = 16_384

export const truncated = (text: string, maxLength: number = maxTextLength): string =>
  text.length > maxLength ? `${text.slice(0, maxLength)}…` : text

/** Names with their numbers, without the number 1: `deploy (2), mail`. */
export const countedNames = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => (count === 1 ? name : `${name} (${count})`))
    .join(', ')

/** Logs nothing: `logger: false`. */
export const silentLogger: Logger = { warn: ignore, error: ignore }

const writeToConsole = (level: keyof Logger) => (fields: object, message: string) =>
  console[level](...line(fields, message))

/** Writes warnings and errors to the console. */
export const consoleLogger: Logger = { warn: writeToConsole('warn'), error: writeToConsole('error') }

/** Writes all levels to the console: `logger: console`. The console itself would not escape the messages. */
const fullConsoleLogger: Logger = { ...consoleLogger, debug: writeToConsole('debug'), info: writeToConsole('info') }

/** The logger for the value of the option `logger`. */
export function loggerFrom(option: Logger | false): FullLogger {
  if (option === false) return childLogger(silentLogger)
  return childLogger(option === console ? fullConsoleLogger : option)
}

/**
 * The key of the default logger in `globalThis`. A variable of this module is not enough: the module that a server
 * loads may import another copy of this package.
 */
const defaultKey: unique symbol = Symbol.for('hookserver.defaultLogger')
const defaults = globalThis as { [defaultKey]?: Logger }

/** The logger of a `Hooks` without the option `logger`: the console, unless the process has set another. */
export const defaultLogger = (): Logger => defaults[defaultKey] ?? consoleLogger

/** Sets the logger of every `Hooks` that is created from now on without the option `logger`. */
export function setDefaultLogger(logger: Logger): void {
  defaults[defaultKey] = logger
}

/**
 * Arguments for the console. The console prints the stack of an error without escaping or truncating it. So if the
 * printed fields contain unsafe characters or a long text, this function gives the console a text instead of the fields.
 */
function line(fields: object, message: string): unknown[] {
  const text = escapeUnsafe(`hookserver: ${message}`)
  if (Object.keys(fields).length === 0) return ['%s', text] // '%s', because the message may contain a %
  const printed = inspected(fields)
  const safe = printed && escapeUnsafeInLines(printed.text)
  return !printed?.isTruncated && safe === printed?.text ? ['%s', text, fields] : ['%s', text, safe]
}

/**
 * The fields as the console would print them, but with long values truncated. The result is `undefined` in two cases.
 * `line` then passes the fields to the console without escaping them. That is safe in both cases:
 * - `inspect` throws. The console inspects the fields in the same way, so it throws, too, and prints nothing.
 * - The platform has no `node:util`. The console of such a platform does not write to a terminal.
 */
function inspected(fields: object): { text: string; isTruncated: boolean } | undefined {
  try {
    const util = builtinModule<{ inspect(value: unknown): string }>('node:util')
    if (!util) return undefined
    const values = Object.entries(fields).map(([name, value]) => [name, util.inspect(value)] as const)
    if (values.every(([, text]) => text === truncated(text))) return { text: util.inspect(fields), isTruncated: false }
    const members = values.map(([name, text]) => `  ${name}: ${truncated(text)}`)
    return { text: `{\n${members.join(',\n')}\n}`, isTruncated: true }
  } catch {
    return undefined
  }
}

/** A logger that adds `fields` to every line. It ignores errors of `logger`, which must not fail a delivery. */
export function childLogger(logger: Logger, fields: object = {}): FullLogger {
  const write = (level: keyof Logger) => (more: object, message: string) => {
    try {
      logger[level]?.({ ...fields, ...more }, message)
    } catch {
      // there is no place to report the error
    }
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
