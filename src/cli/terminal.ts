/** Questions, progress and Ctrl-C. Questions and progress go to stderr, since stdout may be read by a program. */
import { stderr, stdin } from 'node:process'
import { createInterface } from 'node:readline/promises'

/** Whether there is a terminal to ask on. */
export const canAsk = (): boolean => stdin.isTTY === true

/** Only "y" and "yes" confirm; Ctrl-D and Ctrl-C do not. */
export async function confirm(question: string): Promise<boolean> {
  const lines = createInterface({ input: stdin, output: stderr })
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `), closed])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}

export interface Screen {
  isTTY?: boolean
  write(text: string): unknown
}

export const clearLine = '\r\x1b[K'

/**
 * Keeps a line up to date on a terminal, and writes nothing elsewhere.
 * @param line If it fails, the line stays as it was: the command itself reports the error.
 * @returns Stops, and removes the line.
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

/** Aborts at the first SIGINT or SIGTERM. The second one ends the process, as it does without this. */
export function abortOnSignal(): AbortSignal {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  return stop.signal
}
