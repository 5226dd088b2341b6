import { stderr, stdin } from 'node:process'
import { createInterface } from 'node:readline/promises'

/** Whether there is anybody who could answer. */
export const isAnswered = (): boolean => stdin.isTTY === true

/** Asks on the terminal; only a yes is one. What is printed may go elsewhere, so that the question is on stderr. */
export async function confirm(question: string): Promise<boolean> {
  const lines = createInterface({ input: stdin, output: stderr })
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve(''))) // by Ctrl-D or Ctrl-C
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `), closed])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}
