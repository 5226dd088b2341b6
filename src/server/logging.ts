import { type DestinationStream, type Logger, pino } from 'pino'
import pretty from 'pino-pretty'

/** Fields that never reach a log, wherever they stand in a line. */
const secretFields = [
  ...['secret', 'token', 'authorization', 'cookie', 'signature'],
  ...['x-hub-signature', 'x-hub-signature-256', 'proxy-authorization'],
]
const paths = secretFields.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`])

/** Lines for people on a terminal, and JSON elsewhere. */
export function createLogger(level: string, stream: NodeJS.WriteStream = process.stderr): Logger {
  const options = { level, base: null, redact: { paths, censor: '[not shown]' } }
  if (!stream.isTTY) return pino(options, stream as DestinationStream)
  const colorize = !process.env.NO_COLOR
  return pino(
    options,
    pretty({ colorize, translateTime: 'HH:MM:ss', ignore: 'pid,hostname', destination: stream, sync: true }),
  )
}
