/** Text of others on a terminal: titles and errors are whatever somebody chose to send. */
import { once } from 'node:events'
import { stdout } from 'node:process'
import { styleText } from 'node:util'
import { escapeUnsafe, unsafeCharacters } from '../runtime/untrusted-text.ts'

type Style = Parameters<typeof styleText>[0]

/** In one line, with U+FFFD for each unsafe character, so that columns keep their width. */
export function printable(text: string): string {
  return text.replace(/[\t\n\r]+/g, ' ').replace(unsafeCharacters, '\ufffd')
}

/** How many, and of what: `1 delivery`, `2 deliveries`. */
export function counted(number: number, one: string, many: string = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}

/** Line by line, without those that are empty. */
export function printableLines(text: string, most: number = Number.POSITIVE_INFINITY): string[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  const left = lines.length - most
  const shown = lines.slice(0, most).map((line) => printable(line.replace(/\t/g, '  ')))
  return left > 0 ? [...shown, `… and ${counted(left, 'more line')}`] : shown
}

/** JSON in one line, which means the same wherever it is read, and nothing to a terminal. */
export const jsonLine = (value: unknown): string => escapeUnsafe(JSON.stringify(value))

/** Colours only on a terminal that wants them: NO_COLOR and FORCE_COLOR are heeded. */
export const styled = (style: Style, text: string): string => styleText(style, text, { stream: stdout })

/** Columns of the terminal. What goes elsewhere is not cut, unless COLUMNS says so. */
export function terminalWidth(): number {
  return stdout.columns || Number(process.env.COLUMNS) || Number.POSITIVE_INFINITY
}

let gone: boolean | undefined

/** Waits for whoever reads. @returns Whether anybody still does: to have seen enough, as `head` has, is no failure. */
export async function print(text: string | Uint8Array): Promise<boolean> {
  if (gone === undefined) {
    gone = false
    stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      gone = true
    })
  }
  if (!gone && !stdout.write(text)) await once(stdout, 'drain').catch(() => {})
  return !gone
}

export const printLines = (lines: readonly string[]): Promise<boolean> =>
  print(lines.map((line) => `${line}\n`).join(''))
