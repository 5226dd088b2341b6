/** Questions on the terminal. They are written to stderr, so that stdout has only the result. */
import { stderr, stdin } from 'node:process'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { UsageError } from './flags.ts'

interface ConfirmOptions {
  /** The value of `--yes`: confirms without a question. */
  yes?: boolean | undefined
  /** Another way to run the command without a terminal, as in "or --dry-run to count the deliveries". */
  otherwise?: string
}

/** @throws {UsageError} if there is no terminal for the question, and no `--yes`. */
export function requireConfirmable({ yes, otherwise }: ConfirmOptions): void {
  if (yes || stdin.isTTY) return
  const cure = ['pass --yes', ...(otherwise === undefined ? [] : [otherwise])].join(', or ')
  throw new UsageError(`Cannot ask for confirmation without a terminal: ${cure}`)
}

/**
 * Asks for confirmation. Only "y" and "yes" confirm; Ctrl-D and Ctrl-C do not.
 * @throws {UsageError} if there is no terminal for the question, and no `--yes`.
 */
export async function confirm(question: string, options: ConfirmOptions): Promise<boolean> {
  if (options.yes) return true
  requireConfirmable(options)
  return /^y(es)?$/i.test((await answerTo(`${question} [y/N] `)) ?? '')
}

/**
 * Asks for a value. An empty answer means the default.
 * @throws {UsageError} if there is no terminal for the question. @throws {Error} after Ctrl-D or Ctrl-C.
 */
export async function ask(question: string, byDefault: string): Promise<string> {
  if (!stdin.isTTY) throw new UsageError(`Cannot ask without a terminal: ${question}`)
  const answer = await answerTo(`${question} [${byDefault}] `)
  if (answer === undefined) throw new Error('No answer. Nothing was changed.')
  return answer || byDefault
}

/** Asks for a value that the terminal does not show. @returns An empty text after Ctrl-D or Ctrl-C. */
export async function askHidden(question: string): Promise<string> {
  stderr.write(question)
  const output = new Writable({ write: (_chunk, _encoding, done) => done() })
  try {
    return (await answerTo('', { output, terminal: true })) ?? ''
  } finally {
    stderr.write('\n')
  }
}

/** The trimmed line. `undefined` if the input ended first, or after Ctrl-C. */
async function answerTo(
  prompt: string,
  options: { output: NodeJS.WritableStream; terminal?: boolean } = { output: stderr },
): Promise<string | undefined> {
  const lines = createInterface({ input: stdin, ...options })
  const closed = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)))
  try {
    return (await Promise.race([lines.question(prompt), closed]))?.trim()
  } finally {
    lines.close()
  }
}
