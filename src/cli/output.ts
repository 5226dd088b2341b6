/** Standard output. */
import { once } from 'node:events'
import { stdout } from 'node:process'
import { styleText } from 'node:util'
import { escapeUnsafe } from '../runtime/untrusted-text.ts'

export type Style = Parameters<typeof styleText>[0]

/** Styles text only on a terminal that supports it; NO_COLOR and FORCE_COLOR count. */
export const styled = (style: Style, text: string): string => styleText(style, text, { stream: stdout })

/** Columns of the terminal. Output to a file or pipe is not cut, unless COLUMNS is set. */
export function terminalWidth(): number {
  return stdout.columns || Number(process.env.COLUMNS) || Number.POSITIVE_INFINITY
}

/** JSON on one line. Characters that could steer a terminal are escaped, which means the same to a JSON parser. */
export const jsonLine = (value: unknown): string => escapeUnsafe(JSON.stringify(value))

let readerGone: boolean | undefined

/** Writes, and waits while the reader is slow. @returns False once the reader is gone, as `head` is: no failure. */
export async function print(text: string | Uint8Array): Promise<boolean> {
  if (readerGone === undefined) {
    readerGone = false
    stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      readerGone = true
    })
  }
  if (!readerGone && !stdout.write(text)) await once(stdout, 'drain').catch(() => {})
  return !readerGone
}

export const printLines = (lines: readonly string[]): Promise<boolean> =>
  print(lines.map((line) => `${line}\n`).join(''))
