import { type DestinationStream, type Logger, pino } from 'pino'
import { causesOf } from '../runtime/cause-text.ts'
import { isObject } from '../runtime/json.ts'
import { escapeUnsafe, escapeUnsafeInLines } from '../runtime/untrusted-text.ts'
import { isSecretName, maxTextLength, notShown, truncated } from '../telemetry/logger.ts'
import { stackWithCode } from './config/code-excerpt.ts'

interface LoggerOptions {
  level: string
  /** Default: readable lines on a terminal, and JSON elsewhere. */
  format?: 'json' | 'pretty' | undefined
}

/**
 * Logs readable lines or JSON. Escapes characters that control a terminal. A line that cannot be written is lost, because
 * a full disk or a closed pipe must not end the server.
 */
export async function createLogger(
  { level, format: given }: LoggerOptions,
  stream: NodeJS.WriteStream = process.stderr,
): Promise<Logger> {
  const format = given ?? (stream.isTTY ? 'pretty' : 'json')
  const formatters = { log: (fields: object) => shownFields(fields, 0, maxTextLength) }
  const options = { level, base: null, formatters, serializers: { err: (error: unknown) => error } }
  if (format === 'json') return pino(options, mapped(escapeUnsafeInLines, stream))
  const { prettyFactory } = await import('pino-pretty') // here, because it takes 7 ms of CPU time
  const prettify = prettyFactory({
    colorize: Boolean(stream.isTTY) && !process.env.NO_COLOR,
    translateTime: 'HH:MM:ss',
    ignore: 'pid,hostname',
    customPrettifiers: Object.create(null), // pino-pretty would call the methods of `{}` for fields with their names
  })
  const readable = (line: string) => prettify(printableLine(line))
  return pino(options, mapped(readable, stream))
}

const ignore = (): void => {}

function mapped(map: (line: string) => string, stream: NodeJS.WriteStream): DestinationStream {
  stream.off('error', ignore).on('error', ignore) // a pipe reports its error later; `off`, for a second logger
  return {
    write(line) {
      try {
        stream.write(map(line))
      } catch {
        // a file reports its error at once, and there is no place to report it
      }
    },
  }
}

/**
 * Escapes unsafe characters in the values of a line of JSON, because pino-pretty prints the values without JSON's own
 * escapes. Line breaks stay, except in the message.
 */
function printableLine(line: string): string {
  const { msg, ...fields } = JSON.parse(line)
  return JSON.stringify({ ...(printable(fields) as object), msg: escapeUnsafe(String(msg ?? '')) })
}

function printable(value: unknown): unknown {
  if (typeof value === 'string') return escapeUnsafeInLines(value)
  if (Array.isArray(value)) return value.map(printable)
  if (!isObject(value)) return value
  const members = Object.entries(value).map(([name, member]) => [
    escapeUnsafe(name),
    printable(shownMember(name, member)),
  ])
  return Object.fromEntries(members)
}

/** The stack of an error begins with the user's line of code, and has only the user's frames. JSON has all frames. */
const shownMember = (name: string, member: unknown): unknown =>
  name === 'stack' && typeof member === 'string' ? stackWithCode(member, performance.timeOrigin) : member

/** How deep nested objects are logged. The same as in pino. */
const maxDepth = 5
/** The maximum number of logged members of an object or array. A socket, for example, refers to most other objects. */
const maxMembers = 100

/** Replaces secrets in fields at every depth, truncates texts, and limits the depth and the number of the fields. */
function shownFields(fields: object, depth: number, maxLength: number): Record<string, unknown> {
  const members = Object.entries(fields).slice(0, maxMembers)
  return Object.fromEntries(
    members.map(([name, value]) => [name, isSecretName(name) ? notShown : shown(value, depth, maxLength)]),
  )
}

function shown(value: unknown, depth: number, maxLength: number): unknown {
  if (typeof value === 'string') return truncated(value, maxLength)
  if (typeof value === 'bigint') return String(value) // keeps its digits on a terminal
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return shownError(value, depth, maxLength)
  if ('toJSON' in value && typeof value.toJSON === 'function') return shown(converted(value), depth, maxLength)
  if (depth === maxDepth) return Array.isArray(value) ? '[Array]' : '[Object]'
  if (Array.isArray(value)) return value.slice(0, maxMembers).map((item) => shown(item, depth + 1, maxLength))
  return shownFields(value, depth + 1, maxLength)
}

/** The JSON value of an object that converts itself, such as a `Date`. */
function converted(value: object): unknown {
  try {
    return JSON.parse(JSON.stringify(value) ?? 'null')
  } catch {
    return '[not serializable]'
  }
}

/**
 * The parts of an error that explain it. Omits other members that are objects, because API clients attach the request,
 * which contains the token. The errors of an `AggregateError` share its `maxLength`.
 */
function shownError(error: Error, depth: number, maxLength: number): object {
  const { name, errors } = error as Error & Partial<AggregateError>
  const plain = Object.entries(error).filter(([, value]) => typeof value !== 'object' && typeof value !== 'function')
  const share = Array.isArray(errors) ? Math.floor(maxLength / errors.length) : 0
  return {
    ...shownFields(Object.fromEntries(plain), depth, maxLength),
    type: shown(name, depth, maxLength),
    message: joined(error, ': ', 'message', maxLength),
    stack: joined(error, '\ncaused by: ', 'stack', maxLength),
    ...(share > 0 && depth < maxDepth && { aggregateErrors: shown(errors, depth, share) }),
  }
}

/** Joins the messages or the stacks of an error and all its causes. */
function joined(error: Error, between: string, member: 'message' | 'stack', maxLength: number): string {
  const errors = causesOf(error).filter((one) => one instanceof Error)
  return truncated(errors.map((one) => shown(one[member], maxDepth, maxLength)).join(between), maxLength)
}
