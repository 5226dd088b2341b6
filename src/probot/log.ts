import { type DeliveryLogger, deliveryLogger, type LogMethod } from '../telemetry/delivery-logger.ts'
import { consoleLogger, defaultLogger, type Logger as HooksLogger, loggerFrom } from '../telemetry/logger.ts'
import { warnOnce } from './old-calls.ts'

/** The levels of pino, from the most lines to none. */
const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** How much a `Probot` logs: the option `logLevel`. */
export type LogLevel = (typeof levels)[number]

/** The part of pino's logger that Probot apps use. Structural, so that a program needs no pino. */
export interface Logger extends DeliveryLogger {
  level: string
  trace: LogMethod
  fatal: LogMethod
  /** A logger that adds `fields` to every line. */
  child(fields: Record<string, unknown>): Logger
}

/** `app.log` and `context.log`. Apps for Probot 9 and 10 also call the logger itself. */
export interface CallableLogger extends Logger {
  /** @deprecated Write `log.info(…)`. */
  (text: string, ...values: unknown[]): void
}

/** The logger of a `Probot` without the option `log`: that of the server, else the console. */
export function defaultLog(level: string = 'warn'): Logger {
  const target = defaultLogger()
  return createLog(target === consoleLogger ? loggerFrom(console) : target, level)
}

/** A logger with pino's interface that writes to a logger of hookserver. */
export function createLog(target: HooksLogger, level: string, fields: object = {}): Logger {
  const lines = deliveryLogger(target, fields)
  const log = { level, child: (more: object) => createLog(target, log.level, { ...fields, ...more }) } as Logger
  for (const name of levels) {
    const write = lines[outputLevel(name)] as (...line: unknown[]) => void
    log[name as 'info'] = (...line: unknown[]) => {
      if (name !== 'silent' && rank(name) >= rank(log.level)) write(...line)
    }
  }
  return log
}

const rank = (level: string): number => levels.indexOf(level as LogLevel)

/** The level of hookserver's loggers, which have neither `trace` nor `fatal`. */
function outputLevel(level: LogLevel): keyof DeliveryLogger {
  if (level === 'trace' || level === 'silent') return 'debug'
  return level === 'fatal' ? 'error' : level
}

/**
 * A function that logs at level `info`, and has the members of `log`. They are inherited, so that pino's methods find
 * the state of their logger, and setting `level` works.
 */
export function callableLog(log: Logger, owner: 'app' | 'context'): CallableLogger {
  const callable = (text: string, ...values: unknown[]) => {
    warnOnce(log, `${owner}.log(…)`, `${owner}.log.info(…)`)
    log.info(text, ...values)
  }
  return Object.setPrototypeOf(callable, log)
}
