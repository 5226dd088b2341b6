/** Output for people and programs. Escapes untrusted text for the terminal. Progress is written to stderr. */
import { stdout } from 'node:process'
import { styleText } from 'node:util'
import type { MissedDeliveryState } from '../inbox/missed-deliveries.ts'
import type { AttemptDetail, DeliveryState, TaskState } from '../inbox/records.ts'
import { causesOf } from '../runtime/cause-text.ts'
import { plural } from '../runtime/format.ts'
import { escapeUnsafe, unsafeCharacters } from '../runtime/untrusted-text.ts'
import { onScriptEnd } from './package-manager.ts'

export type Style = Parameters<typeof styleText>[0]

/** Styles text only on a terminal that supports styles, and respects NO_COLOR and FORCE_COLOR. */
export const styled = (style: Style, text: string): string => styleText(style, text, { stream: stdout })

/** Columns of the terminal. Infinite for a file or a pipe, unless COLUMNS is set. */
export function terminalWidth(): number {
  return stdout.columns || Number(process.env.COLUMNS) || Number.POSITIVE_INFINITY
}

/** JSON on one line. Control characters of terminals are escaped; a JSON parser reads the same value. */
export const jsonLine = (value: unknown): string => escapeUnsafe(JSON.stringify(value))

/** The first error of standard output. With EPIPE, the reader has closed the pipe, as `head` does. */
let failure: NodeJS.ErrnoException | undefined
let lastWrite: Promise<boolean> | undefined

/** Writes, and waits until the text is written. @returns False if standard output takes no more text. */
export function print(text: string | Uint8Array): Promise<boolean> {
  if (!lastWrite) stdout.on('error', (error) => (failure ??= error))
  lastWrite = new Promise((resolve) => {
    if (failure) return resolve(false)
    stdout.write(text, (error) => {
      failure ??= error ?? undefined
      resolve(failure === undefined)
    })
  })
  return lastWrite
}

/** Why a command could not write all of its output, for example because the disk is full. Waits for the last write. */
export async function outputError(): Promise<string | undefined> {
  await lastWrite
  if (failure === undefined || failure.code === 'EPIPE') return undefined
  return `Cannot write to standard output: ${failure.message}`
}

export const printLines = (lines: readonly string[]): Promise<boolean> =>
  print(lines.map((line) => `${line}\n`).join(''))

/** Prints the progress of a command. With `--json`, to stderr, so that stdout has only the JSON. */
export async function printProgress(lines: readonly string[], json: boolean | undefined): Promise<void> {
  if (json) for (const line of lines) console.error(line)
  else await printLines(lines)
}

interface Screen {
  isTTY?: boolean
  write(text: string): unknown
}

export const clearLine = '\r\x1b[K'

/**
 * Shows a line on a terminal and updates it. Writes nothing elsewhere.
 * @param line Returns the text. If it throws, the old text stays: the command itself reports the error.
 * @returns A function that stops the updates and removes the line.
 */
export function showProgress(line: () => string | Promise<string>, intervalMs: number, screen: Screen): () => void {
  if (!screen.isTTY) return () => {}
  let stopped = false
  const draw = async () => {
    const text = await line()
    if (!stopped) screen.write(clearLine + text)
  }
  const redraw = () => void draw().catch(() => {})
  redraw()
  const timer = setInterval(redraw, intervalMs)
  return () => {
    stopped = true
    clearInterval(timer)
    screen.write(clearLine)
  }
}

/**
 * Aborts at the first SIGINT, SIGTERM or SIGHUP, or at the end of the script that started it. If the same signal arrives
 * again, it ends the process. The system sends SIGHUP when the terminal closes.
 */
export function abortOnSignal(): AbortSignal {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
  onScriptEnd(() => stop.abort())
  return stop.signal
}

/** The text on one line. U+FFFD replaces each unsafe character, so that columns keep their width. */
export function printable(text: string): string {
  return text.replace(/[\t\n\r]+/g, ' ').replace(unsafeCharacters, '\ufffd')
}

/** The non-empty lines. If there are more than `max`, a last line says how many are left out. */
export function printableLines(text: string, max: number = Number.POSITIVE_INFINITY): string[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  const omitted = lines.length - max
  const shown = lines.slice(0, max).map((line) => printable(line.replace(/\t/g, '  ')))
  return omitted > 0 ? [...shown, `… and ${plural(omitted, 'more line')}`] : shown
}

/** The messages of an error and its causes, without "fetch failed", which is all that the error of `fetch` says. */
export function withCauses(error: unknown): string {
  const texts = causesOf(error)
    .filter((cause) => cause instanceof Error)
    .map((cause) => cause.message || (cause as { code?: string }).code || '') // an AggregateError may have no message
  return texts.filter((text) => text !== '' && text !== 'fetch failed').join(': ') || String(error)
}

/**
 * The result of an operation on deliveries or tasks. A retry only makes them pending: they run later.
 * @param counted The number with its noun: `3 tasks`.
 */
export function operationResult(action: 'retry' | 'discard', counted: string, count: number): string {
  if (count === 0) return 'Nothing was changed.'
  if (action === 'discard') return `Discarded ${counted}.`
  return `${counted} ${count === 1 ? 'is' : 'are'} pending, and will be retried.`
}

export const deliveryCount = (count: number): string => plural(count, 'delivery', 'deliveries')

/** `push`, or `issues.opened`. */
export const eventName = ({ event, action }: { event: string; action?: string | undefined }): string =>
  action === undefined ? event : `${event}.${action}`

type State = DeliveryState | TaskState | AttemptDetail['outcome'] | MissedDeliveryState

/** Red: an operator must act. Yellow: may recover without an operator. */
export const stateStyles: Readonly<Record<State, Style>> = {
  pending: 'blue',
  running: 'cyan',
  retrying: 'yellow',
  dead: 'red',
  discarded: 'gray',
  done: 'green',
  ignored: 'gray',
  gone: 'gray',
  succeeded: 'green',
  failed: 'yellow',
  released: 'gray',
  'cut off': 'yellow',
  missed: 'red',
  requested: 'yellow',
  received: 'green',
  expired: 'red',
  unrecorded: 'yellow',
}
